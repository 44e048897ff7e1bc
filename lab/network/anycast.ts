/**
 * Two data centres in network namespaces: a router each, which spread packets over all balancers by ECMP as their BGP
 * sessions say, phones behind NATs, and a trunk. Unlike in `topology.ts`, what a router knows it was told by BGP.
 * IPv4 and IPv6 throughout. Needs root and BIRD.
 *
 *   a-home-0 ── a-nat-0 ─┐                            ┌── balancer-0
 *   a-trunk ─────────────┴─ access-a ── router-a ─┐   ├── balancer-1
 *                                                 ├─ core ── balancer-2
 *   b-home-0 ── b-nat-0 ─┬─ access-b ── router-b ─┘   └── registrar-0, registrar-1, …
 *   b-trunk ─────────────┘
 *
 * Addresses: core 198.18.1.0/24 and 2001:db8:b::/64, access-a 198.18.2.0/24 and 2001:db8:a2::/64, access-b the same
 * with 3, homes as in `home.ts`. Not here: what runs on the balancers; they have no shared address yet.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Part } from '../start/part.ts'
import { startBird } from './bird.ts'
import { connectHome, HOME_ADDRESSES } from './home.ts'
import { nextHops } from './kernel-routes.ts'
import { Namespace } from './namespace.ts'
import { routerConfig } from './router-config.ts'
import { type Addressing, routeDefault, Segment } from './segment.ts'
import type { Node } from './topology.ts'

export interface AnycastOptions {
  readonly balancers: number
  readonly registrars: number
  /** Per data centre. */
  readonly homes: number
  /** For configurations and control sockets; everybody may look into it. */
  readonly directory: string
  /** Of the sessions between balancers and routers. */
  readonly password?: string
}

/** What of a packet decides on its next hop; of IPv6 the flow label always does. */
export const HashPolicy = { addresses: 0, addressesAndPorts: 1 } as const
export type HashPolicy = (typeof HashPolicy)[keyof typeof HashPolicy]

export interface DataCentre {
  readonly router: Router
  readonly homes: readonly Node[]
  readonly trunk: Node
}

/** Of the balancers. */
export const NODE_ASN = 64_512
/** Of the routers' sessions; a BgpPeer's defaults. */
const BFD = { intervalMs: 100, multiplier: 3 }
const ROUTER_ASN_FIRST = 64_601

const CORE: Addressing = {
  ipv4: (host) => `198.18.1.${host}`,
  ipv6: (host) => `2001:db8:b::${host}`,
}
const CENTRES = ['a', 'b'].map((name, index) => ({
  name,
  index,
  access: {
    ipv4: (host) => `198.18.${2 + index}.${host}`,
    ipv6: (host) => `2001:db8:a${2 + index}::${host}`,
  } satisfies Addressing,
}))

const ROUTER_HOST = 1
const BALANCER_HOST = 10
const REGISTRAR_HOST = 50
const NAT_HOST = 10
const TRUNK_HOST = 200

/** A router of the lab; its addresses are those towards the balancers. */
export class Router implements Node {
  readonly name: string
  readonly namespace: string
  readonly ipv4: string
  readonly ipv6: string
  readonly asn: number
  readonly bird: Part

  constructor(node: Node, asn: number, bird: Part) {
    this.name = node.name
    this.namespace = node.namespace
    this.ipv4 = node.ipv4
    this.ipv6 = node.ipv6
    this.asn = asn
    this.bird = bird
  }

  /** Where the kernel sends what goes to this address: next hops in order; none: it has no route. */
  async nextHops(address: string): Promise<readonly string[]> {
    return await nextHops(this.namespace, address)
  }

  async hashBy(policy: HashPolicy): Promise<void> {
    await new Namespace(this.namespace).sysctl(
      `net.ipv4.fib_multipath_hash_policy=${policy}`,
      `net.ipv6.fib_multipath_hash_policy=${policy}`,
    )
  }
}

export class Anycast {
  readonly centres: readonly DataCentre[]
  readonly balancers: readonly Node[]
  readonly registrars: readonly Node[]
  readonly #core: Namespace
  readonly #namespaces: readonly Namespace[]

  static async create(options: AnycastOptions): Promise<Anycast> {
    return await new Builder(options).build()
  }

  constructor(
    parts: Pick<Anycast, 'centres' | 'balancers' | 'registrars'>,
    core: Namespace,
    namespaces: readonly Namespace[],
  ) {
    this.centres = parts.centres
    this.balancers = parts.balancers
    this.registrars = parts.registrars
    this.#core = core
    this.#namespaces = namespaces
  }

  get routers(): readonly Router[] {
    return this.centres.map(({ router }) => router)
  }

  /** Nothing gets through to this node or from it, but its link looks well. */
  async silence({ name }: Node): Promise<void> {
    await this.#core.ip(`link set ${name} nomaster`)
  }

  /** The end of `silence`. */
  async hear({ name }: Node): Promise<void> {
    await this.#core.ip(`link set ${name} master core`)
  }

  /** Its cable is out: both ends see it. */
  async unplug({ name }: Node): Promise<void> {
    await this.#core.ip(`link set ${name} down`)
  }

  async plug({ name }: Node): Promise<void> {
    await this.#core.ip(`link set ${name} up`)
  }

  async close(): Promise<void> {
    for (const { bird } of this.routers) await bird.kill()
    for (const namespace of this.#namespaces) await namespace.delete()
  }
}

let networks = 0

class Builder {
  readonly #options: AnycastOptions
  readonly #prefix = `sa${process.pid}-${++networks}`
  readonly #namespaces: Namespace[] = []
  readonly #birds: Part[] = []

  constructor(options: AnycastOptions) {
    this.#options = options
  }

  async build(): Promise<Anycast> {
    try {
      return await this.#build(this.#options)
    } catch (error) {
      for (const bird of this.#birds) await bird.kill()
      for (const namespace of this.#namespaces) await namespace.delete()
      throw error
    }
  }

  async #build({ balancers, registrars, homes }: AnycastOptions): Promise<Anycast> {
    const within = await this.#namespace('core')
    const core = await Segment.create(within, 'core', CORE)
    const nodes = await times(balancers, (index) => this.#balancer(core, index))
    const centres: DataCentre[] = []
    for (const centre of CENTRES) centres.push(await this.#centre(core, centre, nodes, homes))
    const parts = {
      centres,
      balancers: nodes,
      registrars: await times(registrars, (index) =>
        this.#inner(core, `registrar-${index}`, REGISTRAR_HOST + index),
      ),
    }
    return new Anycast(parts, within, this.#namespaces)
  }

  async #centre(
    core: Segment,
    centre: (typeof CENTRES)[number],
    nodes: readonly Node[],
    homes: number,
  ): Promise<DataCentre> {
    const { name: letter, index, access: addressing } = centre
    const name = `router-${letter}`
    const own = await this.#namespace(name, { forwards: true })
    await core.attach(own, { host: ROUTER_HOST + index, device: 'core', port: name })
    const access = await Segment.create(own, 'access', addressing)
    await access.join(ROUTER_HOST)
    await this.#routeBetweenCentres(own, core, index)
    const router = { name, namespace: own.name, ...core.addresses(ROUTER_HOST + index) }
    const bird = await this.#routerBird(router, index, core, nodes)
    return {
      router: new Router(router, ROUTER_ASN_FIRST + index, bird),
      homes: await times(homes, (home) => this.#home(access, letter, home)),
      trunk: await this.#outer(access, `${letter}-trunk`, TRUNK_HOST),
    }
  }

  async #routerBird(
    router: Node,
    index: number,
    core: Segment,
    nodes: readonly Node[],
  ): Promise<Part> {
    const configPath = join(this.#options.directory, `${router.name}.conf`)
    const socketPath = join(this.#options.directory, `${router.name}.ctl`)
    const others = CENTRES.filter((centre) => centre.index !== index)
    const config = routerConfig({
      asn: ROUTER_ASN_FIRST + index,
      routerId: router.ipv4,
      bfd: BFD,
      nodes: nodes.map(({ name, ipv4, ipv6 }) => {
        const password = this.#options.password ?? null
        return { name, asn: NODE_ASN, addresses: [ipv4, ipv6], password }
      }),
      routers: others.map((other) => ({
        name: `router-${other.name}`,
        asn: ROUTER_ASN_FIRST + other.index,
        addresses: [core.addresses(ROUTER_HOST + other.index).ipv4],
        password: null,
      })),
    })
    await writeFile(configPath, config, { mode: 0o644 })
    const { name, namespace } = router
    const bird = await startBird({ name, namespace, configPath, socketPath, isRouter: true })
    this.#birds.push(bird)
    return bird
  }

  async #balancer(core: Segment, index: number): Promise<Node> {
    const node = await this.#inner(core, `balancer-${index}`, BALANCER_HOST + index)
    // What another balancer sends from the shared address is no martian here.
    await new Namespace(node.namespace).sysctl('net.ipv4.conf.all.accept_local=1')
    return node
  }

  /** On the core, with a route to each data centre by its router. */
  async #inner(core: Segment, name: string, host: number): Promise<Node> {
    const namespace = await this.#namespace(name)
    await core.attach(namespace, { host, device: 'eth0', port: name })
    await routeDefault(namespace, core.addresses(ROUTER_HOST))
    for (const { index } of CENTRES) await this.#routeToCentre(namespace, core, index)
    return { name, namespace: namespace.name, ...core.addresses(host) }
  }

  async #routeBetweenCentres(router: Namespace, core: Segment, index: number): Promise<void> {
    for (const other of CENTRES) {
      if (other.index !== index) await this.#routeToCentre(router, core, other.index)
    }
  }

  async #routeToCentre(from: Namespace, core: Segment, index: number): Promise<void> {
    const { access } = CENTRES[index] as (typeof CENTRES)[number]
    const via = core.addresses(ROUTER_HOST + index)
    await from.ip(`route add ${access.ipv4(0)}/24 via ${via.ipv4}`)
    await from.ip(`-6 route add ${access.ipv6(0)}/64 via ${via.ipv6}`)
  }

  async #outer(access: Segment, name: string, host: number): Promise<Node> {
    const namespace = await this.#namespace(name)
    await this.#attach(access, namespace, name, host)
    return { name, namespace: namespace.name, ...access.addresses(host) }
  }

  async #home(access: Segment, letter: string, index: number): Promise<Node> {
    const nat = await this.#namespace(`${letter}-nat-${index}`, { forwards: true })
    await this.#attach(access, nat, `nat-${index}`, NAT_HOST + index)
    const name = `${letter}-home-${index}`
    const home = await this.#namespace(name)
    await connectHome(home, nat)
    return { name, namespace: home.name, ...HOME_ADDRESSES }
  }

  async #attach(access: Segment, guest: Namespace, port: string, host: number): Promise<void> {
    await access.attach(guest, { host, device: 'eth0', port })
    await routeDefault(guest, access.addresses(ROUTER_HOST))
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
