/**
 * The example's pool under traffic that comes by a router, to which the nodes announce the shared address: the router,
 * what it was told and what it made of it, and the balancers' pods. Not here: what befalls them (anycast.test.ts).
 * Invariant: `end` leaves the chart as the suite installed it, and no router.
 */
import type { SipBalancerStatus } from '@sipcast/crds'
import {
  type ClusterNode,
  ClusterRouter,
  EXAMPLE,
  install,
  isReady,
  NAMESPACE,
  type Pod,
  RouterKind,
} from '@sipcast/lab'
import { columnsOf } from './columns.ts'
import { NextHopLog } from './next-hop-log.ts'
import type { PoolStory } from './pool-story.ts'

export const ADDRESS = EXAMPLE.address
export const BIRD = 'router-bird'
export const FRR = 'router-frr'
const PASSWORD = 'a word between routers; {not} for others'
/** FRR takes no spaces. */
export const WORD = 'a-word-between-routers'

export class AnnouncedPool {
  readonly story: PoolStory
  readonly router: ClusterRouter
  readonly hops: NextHopLog
  /** Of the images in use. */
  readonly #tag: string

  /** With a router that nobody announces to yet. */
  static async begin(story: PoolStory): Promise<AnnouncedPool> {
    const { cluster } = story
    const image = 'jsonpath={.spec.template.spec.containers[0].image}'
    const daemonSet = ['get', 'ds/sipcast-balancer', '-n', NAMESPACE, '-o', image]
    const tag = (await cluster.kubectl.run(...daemonSet)).split(':').at(-1)!
    await cluster.kubectl.apply(secret(BIRD, PASSWORD))
    await cluster.kubectl.apply(secret(FRR, WORD))
    const router = await ClusterRouter.start({
      name: `${cluster.kind.name}-${BIRD}`,
      kind: RouterKind.bird,
      cluster: cluster.kind.name,
      nodes: cluster.carriers,
      password: PASSWORD,
    })
    return new AnnouncedPool(story, router, await NextHopLog.of(router, ADDRESS), tag)
  }

  constructor(story: PoolStory, router: ClusterRouter, hops: NextHopLog, tag: string) {
    this.story = story
    this.router = router
    this.hops = hops
    this.#tag = tag
  }

  get nodes(): readonly ClusterNode[] {
    return this.story.cluster.carriers
  }

  /** Announcing; `set` is laid over it. */
  async upgrade(...set: readonly string[]): Promise<void> {
    const passwordSecretRef = { name: BIRD }
    const peers = [{ name: BIRD, ...this.router.peer, passwordSecretRef }]
    const values = { announcer: { announce: 'bgp' }, bgp: { peers, passwordSecrets: [FRR] } }
    await install({ kubectl: this.story.cluster.kubectl, tag: this.#tag, values, set })
  }

  /** The router's kernel sends to all of them. */
  async untilRouted(nodes: readonly ClusterNode[] = this.nodes, sinceMs = 0): Promise<number> {
    const wanted = nodes
      .map(({ ipv4 }) => ipv4)
      .toSorted()
      .join(' ')
    const isSo = (hops: readonly string[]) => hops.join(' ') === wanted
    if (sinceMs === 0 && isSo(this.hops.latest)) return performance.now()
    return await this.hops.when(`routes by ${wanted}`, sinceMs || performance.now(), isSo)
  }

  /** Milliseconds from this time on until its kernel sends nothing to this node. */
  async untilAvoided({ name, ipv4 }: ClusterNode, sinceMs: number): Promise<number> {
    const isSo = (hops: readonly string[]) => !hops.includes(ipv4)
    return (await this.hops.when(`no route by ${name}`, sinceMs, isSo)) - sinceMs
  }

  async podOn({ name }: ClusterNode): Promise<Pod> {
    const pods = await this.story.cluster.podsOf('balancer')
    const found = pods.find(({ spec, metadata }) => {
      return spec.nodeName === name && metadata.deletionTimestamp === undefined
    })
    if (found === undefined) throw new Error(`no balancer on ${name}`)
    return found
  }

  /** Ready, and the router sends to all of them again; not before `lastUid` has a successor, where it is given. */
  async untilBack(node: ClusterNode, lastUid = ''): Promise<void> {
    await this.story.cluster.until(`the balancer on ${node.name} again`, async () => {
      const pod = await this.podOn(node).catch(() => null)
      return pod !== null && pod.metadata.uid !== lastUid && isReady(pod)
    })
    await this.untilRouted()
    await this.story.pool.untilInUse(this.story.pool.tables.latest)
  }

  async maintain({ name }: ClusterNode, maintenance: boolean): Promise<void> {
    const patch = JSON.stringify({ spec: { maintenance } })
    await this.story.cluster.kubectl.run('patch', 'sipbalancer', name, '--type=merge', '-p', patch)
  }

  /** What `kubectl get` prints, by name. */
  async rowsOf(kind: 'bgppeers' | 'sipbalancers'): Promise<Map<string, Record<string, string>>> {
    const rows = columnsOf(await this.story.cluster.kubectl.run('get', kind, '-o', 'wide'))
    return new Map(rows.map((row) => [row['NAME'] ?? '', row]))
  }

  /** Each node's word of its session with this router. */
  async sessionsWith(peer: string): Promise<NonNullable<SipBalancerStatus['bgpSessions']>> {
    const all = this.nodes.map(async ({ name }) => {
      const { status } = await this.story.cluster.sipBalancer(name)
      return (status.bgpSessions ?? []).filter((session) => session.peer === peer)
    })
    return (await Promise.all(all)).flat()
  }

  async end(): Promise<void> {
    const { cluster } = this.story
    await cluster.network.routeVia(cluster.carriers)
    await install({ kubectl: cluster.kubectl, tag: this.#tag })
    await cluster.kubectl.run('delete', 'secret', BIRD, FRR, '-n', NAMESPACE)
    this.hops.stop()
    await this.router.remove()
  }
}

function secret(name: string, password: string): object {
  const metadata = { name, namespace: NAMESPACE }
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { password } }
}
