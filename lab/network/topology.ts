/**
 * A small internet of network namespaces: nodes for balancers that all hold the shared address, nodes for
 * proxies, a gateway, and homes whose phones sit behind symmetric NATs. The router between them gives each
 * datagram to the shared address to a balancer at random: harsher than any real ECMP, which keeps flows
 * together. IPv4 and IPv6 throughout. Needs root.
 *
 *   home-0 ──nat-0──┐                 ┌── balancer-0  (shared address on lo)
 *   home-1 ──nat-1──┤ access ─ wan ─ core ── balancer-1  (shared address on lo)
 *   gateway ────────┘                 └── registrar-0, registrar-1, …
 *
 * All homes use the same private addresses. Addresses: access 198.18.0.0/24 and 2001:db8:a::/64, core 198.18.1.0/24 and
 * 2001:db8:b::/64, homes 192.168.0.0/24 and fd00::/64.
 */
import { Namespace } from './namespace.ts'
import { ip } from './shell.ts'
import { spreadRules } from './spread.ts'

export interface Node {
  readonly name: string
  readonly namespace: string
  readonly ipv4: string
  readonly ipv6: string
}

export interface TopologyOptions {
  readonly balancers: number
  readonly registrars: number
  readonly homes: number
}

export const SHARED_IPV4 = '203.0.113.10'
export const SHARED_IPV6 = '2001:db8:53::10'

interface Segment {
  readonly bridge: string
  readonly ipv4: (host: number) => string
  readonly ipv6: (host: number) => string
}

const ACCESS: Segment = {
  bridge: 'access',
  ipv4: (host) => `198.18.0.${host}`,
  ipv6: (host) => `2001:db8:a::${host}`,
}
const CORE: Segment = {
  bridge: 'core',
  ipv4: (host) => `198.18.1.${host}`,
  ipv6: (host) => `2001:db8:b::${host}`,
}
const HOME = { ipv4: '192.168.0', ipv6: 'fd00::' }

const ROUTER_HOST = 1
const BALANCER_HOST = 10
const REGISTRAR_HOST = 50
const NAT_HOST = 10
const GATEWAY_HOST = 200

/** Whether this machine lets us: root, `ip` and `nft`. Says why not. */
export async function namespacesUnavailable(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const name = `sipcast-try-${process.pid}`
  try {
    const namespace = await Namespace.create(name)
    await namespace.nft('table inet try {\n}\n')
    await namespace.delete()
    return null
  } catch (error) {
    await ip(`netns delete ${name}`).catch(() => {})
    return (error as Error).message
  }
}

export class Topology {
  readonly balancers: readonly Node[]
  readonly registrars: readonly Node[]
  readonly homes: readonly Node[]
  readonly gateway: Node
  readonly #wan: Namespace
  readonly #namespaces: readonly Namespace[]

  static async create(options: TopologyOptions): Promise<Topology> {
    return await new Builder().build(options)
  }

  constructor(
    parts: Pick<Topology, 'balancers' | 'registrars' | 'homes' | 'gateway'>,
    wan: Namespace,
    namespaces: readonly Namespace[],
  ) {
    this.balancers = parts.balancers
    this.registrars = parts.registrars
    this.homes = parts.homes
    this.gateway = parts.gateway
    this.#wan = wan
    this.#namespaces = namespaces
  }

  /** From now on the router knows these balancers only, as if the others had withdrawn their routes. */
  async spreadOver(balancers: readonly Node[]): Promise<void> {
    const marks = balancers.map((balancer) => 1 + this.balancers.indexOf(balancer))
    await this.#wan.nft(spreadRules(marks, SHARED_IPV4, SHARED_IPV6))
  }

  async close(): Promise<void> {
    for (const namespace of this.#namespaces) await namespace.delete()
  }
}

let topologies = 0

class Builder {
  readonly #prefix = `sc${process.pid}-${++topologies}`
  readonly #namespaces: Namespace[] = []

  async build(options: TopologyOptions): Promise<Topology> {
    try {
      const wan = await this.#router()
      const parts = {
        balancers: await times(options.balancers, (index) => this.#balancer(wan, index)),
        registrars: await times(options.registrars, (index) =>
          this.#node(wan, CORE, `registrar-${index}`, REGISTRAR_HOST + index),
        ),
        homes: await times(options.homes, (index) => this.#home(wan, index)),
        gateway: await this.#node(wan, ACCESS, 'gateway', GATEWAY_HOST),
      }
      const topology = new Topology(parts, wan, this.#namespaces)
      await topology.spreadOver(topology.balancers)
      return topology
    } catch (error) {
      for (const namespace of this.#namespaces) await namespace.delete()
      throw error
    }
  }

  async #router(): Promise<Namespace> {
    const wan = await this.#namespace('wan', { forwards: true })
    for (const segment of [ACCESS, CORE]) {
      await wan.ip(`link add ${segment.bridge} type bridge`)
      await wan.ip(`link set ${segment.bridge} up`)
      await wan.ip(`addr add ${segment.ipv4(ROUTER_HOST)}/24 dev ${segment.bridge}`)
      await wan.ip(`addr add ${segment.ipv6(ROUTER_HOST)}/64 dev ${segment.bridge} nodad`)
    }
    return wan
  }

  /** Holds the shared addresses; the router finds it by the mark 1 + index. */
  async #balancer(wan: Namespace, index: number): Promise<Node> {
    const node = await this.#node(wan, CORE, `balancer-${index}`, BALANCER_HOST + index)
    const own = new Namespace(node.namespace)
    await own.ip(`addr add ${SHARED_IPV4}/32 dev lo`)
    await own.ip(`addr add ${SHARED_IPV6}/128 dev lo nodad`)
    await own.sysctl('net.ipv4.conf.all.accept_local=1')
    const mark = 1 + index
    for (const [family, address] of [
      ['', node.ipv4],
      ['-6 ', node.ipv6],
    ]) {
      await wan.ip(`${family}rule add fwmark ${mark} table ${100 + mark}`)
      await wan.ip(`${family}route add default via ${address} table ${100 + mark}`)
    }
    return node
  }

  async #node(wan: Namespace, segment: Segment, name: string, host: number): Promise<Node> {
    const namespace = await this.#namespace(name)
    return await this.#attach(wan, segment, namespace, name, host)
  }

  async #attach(
    wan: Namespace,
    segment: Segment,
    namespace: Namespace,
    name: string,
    host: number,
  ): Promise<Node> {
    await ip(`link add eth0 netns ${namespace.name} type veth peer name ${name} netns ${wan.name}`)
    await wan.ip(`link set ${name} master ${segment.bridge} up`)
    await namespace.ip('link set eth0 up')
    await namespace.ip(`addr add ${segment.ipv4(host)}/24 dev eth0`)
    await namespace.ip(`addr add ${segment.ipv6(host)}/64 dev eth0 nodad`)
    await namespace.ip(`route add default via ${segment.ipv4(ROUTER_HOST)}`)
    await namespace.ip(`-6 route add default via ${segment.ipv6(ROUTER_HOST)}`)
    return { name, namespace: namespace.name, ipv4: segment.ipv4(host), ipv6: segment.ipv6(host) }
  }

  /**
   * A phone's network behind a NAT of the worst kind: a port of its own for every destination, and nobody
   * else may answer.
   */
  async #home(wan: Namespace, index: number): Promise<Node> {
    const nat = await this.#namespace(`nat-${index}`, { forwards: true })
    await this.#attach(wan, ACCESS, nat, `nat-${index}`, NAT_HOST + index)
    const home = await this.#namespace(`home-${index}`)
    await ip(`link add eth0 netns ${home.name} type veth peer name lan netns ${nat.name}`)
    for (const [namespace, device, host] of [
      [nat, 'lan', 1],
      [home, 'eth0', 2],
    ] as const) {
      await namespace.ip(`link set ${device} up`)
      await namespace.ip(`addr add ${HOME.ipv4}.${host}/24 dev ${device}`)
      await namespace.ip(`addr add ${HOME.ipv6}${host}/64 dev ${device} nodad`)
    }
    await home.ip(`route add default via ${HOME.ipv4}.1`)
    await home.ip(`-6 route add default via ${HOME.ipv6}1`)
    await nat.nft(NAT_RULES)
    return {
      name: `home-${index}`,
      namespace: home.name,
      ipv4: `${HOME.ipv4}.2`,
      ipv6: `${HOME.ipv6}2`,
    }
  }

  async #namespace(name: string, options: { forwards?: boolean } = {}): Promise<Namespace> {
    const namespace = await Namespace.create(`${this.#prefix}-${name}`, options)
    this.#namespaces.push(namespace)
    return namespace
  }
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

async function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  for (let index = 0; index < count; index++) made.push(await make(index))
  return made
}
