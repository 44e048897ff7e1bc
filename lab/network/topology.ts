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
import { connectHome, HOME_ADDRESSES } from './home.ts'
import { Namespace } from './namespace.ts'
import { type Addressing, routeDefault, Segment } from './segment.ts'
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

const ACCESS: Addressing = {
  ipv4: (host) => `198.18.0.${host}`,
  ipv6: (host) => `2001:db8:a::${host}`,
}
const CORE: Addressing = {
  ipv4: (host) => `198.18.1.${host}`,
  ipv6: (host) => `2001:db8:b::${host}`,
}

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
      const wan = await this.#namespace('wan', { forwards: true })
      const access = await Segment.create(wan, 'access', ACCESS)
      const core = await Segment.create(wan, 'core', CORE)
      for (const segment of [access, core]) await segment.join(ROUTER_HOST)
      const parts = {
        balancers: await times(options.balancers, (index) => this.#balancer(wan, core, index)),
        registrars: await times(options.registrars, (index) =>
          this.#node(core, `registrar-${index}`, REGISTRAR_HOST + index),
        ),
        homes: await times(options.homes, (index) => this.#home(access, index)),
        gateway: await this.#node(access, 'gateway', GATEWAY_HOST),
      }
      const topology = new Topology(parts, wan, this.#namespaces)
      await topology.spreadOver(topology.balancers)
      return topology
    } catch (error) {
      for (const namespace of this.#namespaces) await namespace.delete()
      throw error
    }
  }

  /** Holds the shared addresses; the router finds it by the mark 1 + index. */
  async #balancer(wan: Namespace, core: Segment, index: number): Promise<Node> {
    const node = await this.#node(core, `balancer-${index}`, BALANCER_HOST + index)
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

  async #node(segment: Segment, name: string, host: number): Promise<Node> {
    const namespace = await this.#namespace(name)
    await this.#attach(segment, namespace, name, host)
    return { name, namespace: namespace.name, ...segment.addresses(host) }
  }

  async #attach(segment: Segment, guest: Namespace, name: string, host: number): Promise<void> {
    await segment.attach(guest, { host, device: 'eth0', port: name })
    await routeDefault(guest, segment.addresses(ROUTER_HOST))
  }

  async #home(access: Segment, index: number): Promise<Node> {
    const nat = await this.#namespace(`nat-${index}`, { forwards: true })
    await this.#attach(access, nat, `nat-${index}`, NAT_HOST + index)
    const name = `home-${index}`
    const home = await this.#namespace(name)
    await connectHome(home, nat)
    return { name, namespace: home.name, ...HOME_ADDRESSES }
  }

  async #namespace(name: string, options: { forwards?: boolean } = {}): Promise<Namespace> {
    const namespace = await Namespace.create(`${this.#prefix}-${name}`, options)
    this.#namespaces.push(namespace)
    return namespace
  }
}

async function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  for (let index = 0; index < count; index++) made.push(await make(index))
  return made
}
