/**
 * FRR on a router of the lab: the same as `router-config.ts` says to BIRD, as one integrated configuration for
 * `vtysh -b`. That it prefers others to nodes that ask for it (RFC 8326) needs no word: FRR does so with every external
 * peer. Pure. Not here: sessions with other routers.
 */
import type { RouterConfig, RouterPeer } from './router-config.ts'

const NEXT_HOPS_MAX = 16
/** Of the nodes' sessions, which have everything in common but the address. */
const GROUP = 'nodes'

export interface FrrConfig extends Omit<RouterConfig, 'routers'> {
  /** Nodes may be so many hops away; absent: on the same link. */
  readonly hops?: number
}

export function frrConfig({ asn, routerId, nodes, bfd, hops }: FrrConfig): string {
  return `frr defaults traditional
log stdout informational
ip forwarding
ipv6 forwarding
!
bfd
 profile ${GROUP}
  transmit-interval ${bfd.intervalMs}
  receive-interval ${bfd.intervalMs}
  detect-multiplier ${bfd.multiplier}
 exit
exit
!
ip prefix-list hosts seq 10 permit 0.0.0.0/0 ge 32
ipv6 prefix-list hosts seq 10 permit ::/0 ge 128
!
route-map from-nodes permit 10
 set ipv6 next-hop prefer-global
exit
route-map nothing deny 10
exit
!
router bgp ${asn}
 bgp router-id ${routerId}
 no bgp default ipv4-unicast
 neighbor ${GROUP} peer-group
 neighbor ${GROUP} timers 3 9
 neighbor ${GROUP} timers connect 2
 neighbor ${GROUP} bfd profile ${GROUP}${hops === undefined ? '' : `\n neighbor ${GROUP} ebgp-multihop ${hops}`}
${nodes.flatMap(session).join('\n')}
 !
 address-family ipv4 unicast
${family('hosts')}
 exit-address-family
 !
 address-family ipv6 unicast
${family('hosts')}
 exit-address-family
exit
`
}

function session({ asn, addresses, password }: RouterPeer): readonly string[] {
  return addresses.flatMap((address) => [
    ` neighbor ${address} remote-as ${asn}`,
    ` neighbor ${address} peer-group ${GROUP}`,
    ...(password === null ? [] : [` neighbor ${address} password ${password}`]),
  ])
}

function family(prefixes: string): string {
  return `  neighbor ${GROUP} activate
  neighbor ${GROUP} prefix-list ${prefixes} in
  neighbor ${GROUP} route-map from-nodes in
  neighbor ${GROUP} route-map nothing out
  maximum-paths ${NEXT_HOPS_MAX}
  maximum-paths ibgp ${NEXT_HOPS_MAX}`
}
