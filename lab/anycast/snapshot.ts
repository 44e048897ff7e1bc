/** What the live view of the anycast lab shows, collected: kernels, statuses, the wire, and the phones' experience. */
import { isFailed } from '../phone/load.ts'
import type { Part } from '../start/part.ts'
import type { BalancerNode } from './balancer-node.ts'
import { ANYCAST_SIP_PROXY, type AnycastSystem, SHARED } from './system.ts'
import type { Trials } from './trial.ts'

export interface NodeView {
  readonly name: string
  readonly balancer: Part['state']
  readonly announcer: Part['state']
  readonly bird: Part['state']
  /** As its kernel has them. */
  readonly held: number
  readonly announced: number
  /** As its SipBalancer says: `router-a Established/Up`. */
  readonly sessions: readonly string[]
  readonly epoch: number | null
  /** Sent to it by routers, in the last second. */
  readonly packets: number
  /** What was done to it and not mended yet. */
  readonly faults: readonly string[]
}

export interface RouterView {
  readonly name: string
  readonly state: Part['state']
  /** Names of nodes. */
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
}

export interface AnycastSnapshot {
  readonly epoch: number | null
  readonly proxies: string
  readonly nodes: readonly NodeView[]
  readonly routers: readonly RouterView[]
  readonly callsPerSecond: number
  readonly calls: number
  readonly callsLost: number
  readonly requests: number
  readonly unanswered: number
}

const RECENT_MS = 5_000
/** Older requests were answered by now, or will never be. */
const DUE_MS = 1_000

export async function takeAnycastSnapshot(
  trials: Trials,
  faultsOf: (node: BalancerNode) => readonly string[],
): Promise<AnycastSnapshot> {
  const { system, load, stream } = trials
  const status = await system.directory.status(ANYCAST_SIP_PROXY)
  const nowMs = performance.now()
  const recent = load.calls.filter(({ endedMs }) => endedMs > nowMs - RECENT_MS)
  const { asked, unanswered } = stream.losses(0, nowMs - DUE_MS)
  return {
    epoch: status?.table?.epoch ?? null,
    proxies: status?.summary.proxies ?? '–',
    nodes: await Promise.all(system.nodes.map((node) => nodeView(trials, node, faultsOf(node)))),
    routers: await Promise.all(
      system.routers.map(async (router) => ({
        name: router.name,
        state: router.bird.state,
        ipv4: namesOf(system, 'ipv4', await router.nextHops(SHARED.ipv4)),
        ipv6: namesOf(system, 'ipv6', await router.nextHops(SHARED.ipv6)),
      })),
    ),
    callsPerSecond: (1_000 * recent.length) / RECENT_MS,
    calls: load.calls.length,
    callsLost: load.calls.filter(isFailed).length,
    requests: asked,
    unanswered: unanswered.length,
  }
}

async function nodeView(
  { arrivals }: Trials,
  node: BalancerNode,
  faults: readonly string[],
): Promise<NodeView> {
  const { held, announced } = await node.addresses()
  const report = await node.report()
  return {
    name: node.name,
    balancer: node.balancer.state,
    announcer: node.announcer.state,
    bird: node.bird.state,
    held: held.length,
    announced: announced.length,
    sessions: (report?.bgpSessions ?? []).map(
      ({ peer, state, bfd }) => `${peer} ${state}/${bfd ?? '–'}`,
    ),
    epoch: report?.sipProxies.find(({ name }) => name === ANYCAST_SIP_PROXY)?.epoch ?? null,
    packets: arrivals.since(node.name, performance.now() - 1_000).length,
    faults,
  }
}

function namesOf(
  { nodes }: AnycastSystem,
  family: 'ipv4' | 'ipv6',
  hops: readonly string[],
): readonly string[] {
  return hops.map((hop) => nodes.find(({ node }) => node[family] === hop)?.name ?? hop)
}
