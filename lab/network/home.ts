/**
 * A phone's network behind a NAT of the worst kind: a port of its own for every destination, and nobody else may
 * answer. All homes use the same private addresses: 192.168.0.0/24 and fd00::/64. Needs root.
 */
import type { Namespace } from './namespace.ts'
import { routeDefault } from './segment.ts'
import { ip } from './shell.ts'

const NETWORK = { ipv4: '192.168.0', ipv6: 'fd00::' }
const NAT_HOST = 1
const PHONE_HOST = 2

/** Of the phone itself. */
export const HOME_ADDRESSES = {
  ipv4: `${NETWORK.ipv4}.${PHONE_HOST}`,
  ipv6: `${NETWORK.ipv6}${PHONE_HOST}`,
}

/** @param nat attached to the outside by `eth0` already, with its default routes */
export async function connectHome(home: Namespace, nat: Namespace): Promise<void> {
  await ip(`link add eth0 netns ${home.name} type veth peer name lan netns ${nat.name}`)
  for (const [namespace, device, host] of [
    [nat, 'lan', NAT_HOST],
    [home, 'eth0', PHONE_HOST],
  ] as const) {
    await namespace.ip(`link set ${device} up`)
    await namespace.ip(`addr add ${NETWORK.ipv4}.${host}/24 dev ${device}`)
    await namespace.ip(`addr add ${NETWORK.ipv6}${host}/64 dev ${device} nodad`)
  }
  await routeDefault(home, {
    ipv4: `${NETWORK.ipv4}.${NAT_HOST}`,
    ipv6: `${NETWORK.ipv6}${NAT_HOST}`,
  })
  await nat.nft(NAT_RULES)
}

const NAT_RULES = `
table inet nat {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "eth0" masquerade random,fully-random
  }
  chain forward {
    type filter hook forward priority filter
    iifname "eth0" ct state new drop
  }
}
`
