/**
 * Phones outside the nodes: network namespaces on kind's bridge, each its own upstream router with equal-cost routes to
 * the shared addresses by the nodes that carry balancers. Needs root. Not here: the phones themselves (phone/).
 *
 *   phone-1 ─ veth ─┐                 ┌─ worker   (203.0.113.10 on lo, balancer, proxies' pods)
 *   phone-2 ─ veth ─┤   kind's bridge ├─ worker2  (203.0.113.10 on lo, balancer, proxies' pods)
 *   this machine ───┘                 └─ control plane
 *
 * Observed with kind on Docker's bridge:
 * - Policy 1 (addresses and ports) decides the way; it is the namespace's own sysctl. Under policy 0 (addresses only)
 *   one phone's messages all go by one node. Datagrams in fragments, both ways, go the way of the small ones.
 * - With br_netfilter, iptables sees bridged frames; Docker's rule for its own bridge (in and out by it) lets them
 *   pass.
 * - A node that does not hold the address sends what its pods address to it to its default gateway: this machine. So
 *   this machine has the same route: it is the router beyond the nodes. It arrives with the sending node's address.
 */
import { Namespace } from '../network/namespace.ts'
import { ip } from '../network/shell.ts'
import { type Bridge, addressFromEnd, findBridge } from './bridge.ts'

/**
 * Where addresses of SipProxies are taken from. No more of the documentation's network than that: this machine routes
 * it too, and may have other uses for the rest.
 */
const SHARED_NETWORKS = { ipv4: '203.0.113.0/26', ipv6: '2001:db8:53::/64' } as const

export interface Hop {
  readonly ipv4: string
  readonly ipv6: string
}

export interface PhoneHome {
  readonly namespace: string
  readonly ipv4: string
  readonly ipv6: string
}

export interface PhoneNetworkOptions {
  /** Namespaces are called so, and a number; at most 11 characters. */
  readonly prefix: string
  readonly homes: number
  /** By these nodes. */
  readonly hops: readonly Hop[]
  /** Different for networks that live at the same time. */
  readonly firstPlace: number
  /** They stay when this process ends. */
  readonly isLasting?: boolean
}

export class PhoneNetwork {
  readonly homes: readonly PhoneHome[]
  readonly #namespaces: readonly Namespace[]

  static async create(options: PhoneNetworkOptions): Promise<PhoneNetwork> {
    const bridge = await findBridge()
    const namespaces: Namespace[] = []
    const homes: PhoneHome[] = []
    const network = new PhoneNetwork(homes, namespaces)
    try {
      for (let number = 1; number <= options.homes; number++) {
        const name = `${options.prefix}-${number}`
        namespaces.push(await Namespace.create(name, { isLasting: options.isLasting === true }))
        homes.push(await attach(name, bridge, options.firstPlace + number - 1))
      }
      await network.routeVia(options.hops)
      return network
    } catch (error) {
      await network.close()
      throw error
    }
  }

  constructor(homes: readonly PhoneHome[], namespaces: readonly Namespace[]) {
    this.homes = homes
    this.#namespaces = namespaces
  }

  /** From now on these nodes only, as if the others had withdrawn their routes. */
  async routeVia(hops: readonly Hop[]): Promise<void> {
    await route('', hops)
    for (const { name } of this.#namespaces) await route(`-n ${name} `, hops)
  }

  async close(): Promise<void> {
    await withdraw()
    for (const namespace of this.#namespaces) await namespace.delete()
  }
}

/** This machine's own routes; whether they were there does not matter. */
export async function withdraw(): Promise<void> {
  await ip(`route delete ${SHARED_NETWORKS.ipv4}`).catch(() => {})
  await ip(`-6 route delete ${SHARED_NETWORKS.ipv6}`).catch(() => {})
}

async function attach(name: string, bridge: Bridge, place: number): Promise<PhoneHome> {
  const namespace = new Namespace(name)
  // The far end goes with the namespace.
  await ip(`link add ${name} type veth peer name eth0 netns ${name}`)
  await ip(`link set ${name} master ${bridge.device} up`)
  await namespace.ip('link set eth0 up')
  await namespace.sysctl(
    'net.ipv4.fib_multipath_hash_policy=1',
    'net.ipv6.fib_multipath_hash_policy=1',
  )
  const ipv4 = addressFromEnd(bridge.ipv4, place)
  await namespace.ip(`addr add ${ipv4}/${bridge.ipv4.bits} dev eth0`)
  if (bridge.ipv6 === null) return { namespace: name, ipv4, ipv6: '' }
  const ipv6 = addressFromEnd(bridge.ipv6, place)
  await namespace.ip(`addr add ${ipv6}/${bridge.ipv6.bits} dev eth0 nodad`)
  return { namespace: name, ipv4, ipv6 }
}

async function route(where: string, hops: readonly Hop[]): Promise<void> {
  const by = (version: keyof Hop) => hops.map((hop) => `nexthop via ${hop[version]}`).join(' ')
  await ip(`${where}route replace ${SHARED_NETWORKS.ipv4} ${by('ipv4')}`)
  if (hops.some(({ ipv6 }) => ipv6 === '')) return
  await ip(`${where}-6 route replace ${SHARED_NETWORKS.ipv6} ${by('ipv6')}`)
}
