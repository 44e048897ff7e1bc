/**
 * One broadcast domain with routers of any kind and announcing nodes on it: what a rack is. Both IP versions. Not here:
 * what runs on a router, phones, more than one segment (lab/network/anycast.ts has all that).
 */
import type { BgpPeer } from '@sipcast/crds'
import { type Addressing, Namespace, NODE_ASN, type Node, nextHops, Segment } from '@sipcast/lab'
import { bgpPeer } from './announcing-node.ts'

/** As in examples/routers. */
const ADDRESSES: Addressing = {
  ipv4: (host) => `192.0.2.${host}`,
  ipv6: (host) => `2001:db8:1::${host}`,
}
const NODE_HOST = 10
const ROUTER_HOST = 1

let segments = 0

export class RouterSegment {
  readonly #switch: Namespace
  readonly #segment: Segment
  readonly #prefix: string
  readonly #namespaces: Namespace[]
  readonly nodes: Node[] = []
  readonly routers: SegmentRouter[] = []

  static async create(
    nodes: number,
    routers: readonly { readonly name: string; readonly asn: number }[],
  ): Promise<RouterSegment> {
    const prefix = `sr${process.pid}-${++segments}`
    const within = await Namespace.create(`${prefix}-switch`)
    const made = new RouterSegment(
      within,
      await Segment.create(within, 'switch', ADDRESSES),
      prefix,
    )
    try {
      for (const { name, asn } of routers) {
        const host = ROUTER_HOST + made.routers.length
        made.routers.push(new SegmentRouter(await made.#attach(name, host, true), asn))
      }
      for (let index = 0; index < nodes; index++) {
        made.nodes.push(await made.#attach(`node-${index}`, NODE_HOST + index, false))
      }
    } catch (error) {
      await made.close()
      throw error
    }
    return made
  }

  constructor(within: Namespace, segment: Segment, prefix: string) {
    this.#switch = within
    this.#segment = segment
    this.#prefix = prefix
    this.#namespaces = [within]
  }

  /** Nothing gets through to this node or from it, but its link looks well. */
  async silence({ name }: Node): Promise<void> {
    await this.#switch.ip(`link set ${name} nomaster`)
  }

  /** The end of `silence`. */
  async hear({ name }: Node): Promise<void> {
    await this.#switch.ip(`link set ${name} master switch`)
  }

  async close(): Promise<void> {
    for (const namespace of this.#namespaces) await namespace.delete()
  }

  async #attach(name: string, host: number, forwards: boolean): Promise<Node> {
    const namespace = await Namespace.create(`${this.#prefix}-${name}`, { forwards })
    this.#namespaces.push(namespace)
    await this.#segment.attach(namespace, { host, device: 'eth0', port: name })
    return { name, namespace: namespace.name, ...this.#segment.addresses(host) }
  }
}

export class SegmentRouter implements Node {
  readonly name: string
  readonly namespace: string
  readonly ipv4: string
  readonly ipv6: string
  readonly asn: number

  constructor({ name, namespace, ipv4, ipv6 }: Node, asn: number) {
    this.name = name
    this.namespace = namespace
    this.ipv4 = ipv4
    this.ipv6 = ipv6
    this.asn = asn
  }

  /** Where its kernel sends what goes to this address. */
  async nextHops(address: string): Promise<readonly string[]> {
    return await nextHops(this.namespace, address)
  }
}

/** Two of each router, one for each IP version that a session may run over. */
export function peersAt(
  routers: readonly SegmentRouter[],
  spec: Readonly<Record<string, unknown>> = {},
): readonly BgpPeer[] {
  return routers.flatMap(({ name, asn, ipv4, ipv6 }) =>
    Object.entries({ ipv4, ipv6 }).map(([family, peerAddress]) =>
      bgpPeer(`${name}-${family}`, { peerAddress, peerASN: asn, localASN: NODE_ASN, ...spec }),
    ),
  )
}
