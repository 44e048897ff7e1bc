/**
 * A router in front of a cluster's nodes: a container on kind's bridge, BIRD or FRR, that hears from the nodes by BGP,
 * with BFD, which of them serve an address, and whose kernel spreads packets over them. Who has a route by it, as
 * phones have (phones.ts), follows what the nodes announce. Not here: its configuration (../network).
 *
 *   phone-1 ─┐                  ┌─ router   (203.0.113.10 by worker, worker2)
 *   phone-2 ─┤   kind's bridge  ├─ worker   ┐ BGP, BFD
 *   this machine ───────────────┴─ worker2  ┘
 *
 * Packets come back into the bridge that they came from; answers come from the nodes, not through it.
 */
import { frrConfig } from '../network/frr-config.ts'
import { NODE_ASN } from '../network/anycast.ts'
import { nextHopsIn } from '../network/kernel-routes.ts'
import { routerConfig } from '../network/router-config.ts'
import { NETWORK } from './bridge.ts'
import { inspect } from './containers.ts'
import { ROUTER_IMAGE } from './images.ts'
import type { ClusterNode } from './kind.ts'
import type { Hop } from './phones.ts'
import { run } from './program.ts'

export const RouterKind = { bird: 'bird', frr: 'frr' } as const
export type RouterKind = (typeof RouterKind)[keyof typeof RouterKind]

export interface ClusterRouterOptions {
  /** Of the container. */
  readonly name: string
  readonly kind: RouterKind
  /** That it is for: `removeRouters` finds it by that. */
  readonly cluster: string
  /** Whom it expects to hear from. */
  readonly nodes: readonly ClusterNode[]
  readonly asn?: number
  /** Of the sessions. */
  readonly password?: string
}

/** As the chart's value `bgp.peers` has a router, and BgpPeers have it in their spec. */
export interface PeerValues {
  readonly peerAddress: string
  readonly peerASN: number
  readonly localASN: number
}

const LABEL = 'io.sipcast.cluster'
const ASN = 64_601
/** A BgpPeer's defaults. */
const BFD = { intervalMs: 100, multiplier: 3 }

export class ClusterRouter implements Hop {
  readonly name: string
  readonly kind: RouterKind
  readonly asn: number
  readonly ipv4: string
  readonly ipv6: string

  /** Instead of one of the same name that there may be. */
  static async start(options: ClusterRouterOptions): Promise<ClusterRouter> {
    const { name, kind, cluster } = options
    await run('docker', ['rm', '--force', name])
    const words = ['--detach', '--name', name, '--hostname', name, '--label', `${LABEL}=${cluster}`]
    await run('docker', ['run', ...words, '--privileged', '--network', NETWORK, ROUTER_IMAGE, kind])
    const [container] = await inspect([name])
    const router = new ClusterRouter(options, container!)
    await router.#configure(options)
    return router
  }

  constructor({ name, kind, asn = ASN }: ClusterRouterOptions, { ipv4, ipv6 }: Hop) {
    this.name = name
    this.kind = kind
    this.asn = asn
    this.ipv4 = ipv4
    this.ipv6 = ipv6
  }

  /** What the nodes need to know of it. */
  get peer(): PeerValues {
    return { peerAddress: this.ipv4, peerASN: this.asn, localASN: NODE_ASN }
  }

  /** Where its kernel sends what goes to this address, in order. */
  async nextHops(address: string): Promise<readonly string[]> {
    const family = address.includes(':') ? '-6' : '-4'
    return nextHopsIn(await this.run('ip', '-json', family, 'route', 'show', address))
  }

  /** What its `birdc` or `vtysh` prints: `route all for 203.0.113.10`, `bgp summary`. */
  async show(what: string): Promise<string> {
    return this.kind === RouterKind.bird
      ? await this.run('birdc', '-r', 'show', ...what.split(' '))
      : await this.run('vtysh', '-c', `show ${what}`)
  }

  /** In the container. */
  async run(...command: readonly string[]): Promise<string> {
    return await run('docker', ['exec', this.name, ...command])
  }

  async remove(): Promise<void> {
    await run('docker', ['rm', '--force', this.name])
  }

  /** It waits for its configuration. */
  async #configure({ nodes, password }: ClusterRouterOptions): Promise<void> {
    const peers = nodes.map(({ name, ipv4 }) => {
      return { name, asn: NODE_ASN, addresses: [ipv4], password: password ?? null }
    })
    const config = { asn: this.asn, routerId: this.ipv4, nodes: peers, routers: [], bfd: BFD }
    const input = this.kind === RouterKind.bird ? routerConfig(config) : frrConfig(config)
    const script = 'cat >/etc/router.next && mv /etc/router.next /etc/router.conf'
    await run('docker', ['exec', '--interactive', this.name, 'sh', '-c', script], { input })
  }
}

/** Of this cluster; whether or not there are any. */
export async function removeRouters(cluster: string): Promise<void> {
  const filter = ['--all', '--quiet', '--filter', `label=${LABEL}=${cluster}`]
  const ids = (await run('docker', ['ps', ...filter])).split('\n').filter((id) => id !== '')
  if (ids.length > 0) await run('docker', ['rm', '--force', ...ids])
}
