/**
 * The status of a BgpPeer from what balancers report of their sessions with that router (design section 3). Pure. Not
 * here: writing it (bgp-peers.ts). Invariants: a node counts if its balancer is fresh and has the router among its
 * sessions, or says why it has not; a condition's lastTransitionTime changes only with its status.
 */
import {
  type BgpPeerStatus,
  BgpState,
  type Condition,
  describeProblems,
  parseBgpPeer,
  type SipBalancerStatus,
} from '@sipcast/crds'
import type { BalancerReport, SeenBgpPeer } from './ports.ts'
import type { Finding } from './status.ts'

export interface BgpPeerQuestion {
  readonly peer: SeenBgpPeer
  /** Of fresh balancers. */
  readonly reports: readonly BalancerReport[]
  /** ISO. */
  readonly now: string
}

/** One node that should have a session. */
interface Stand {
  readonly node: string
  readonly isEstablished: boolean
  readonly why: Finding
}

type Conditions = readonly Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>[]

/** How many nodes a message names before it only counts. */
const NAMED_MAX = 5

export function bgpPeerStatusOf({ peer, reports, now }: BgpPeerQuestion): BgpPeerStatus {
  const stands = reports.flatMap((report) => standOf(peer.name, report))
  const established = stands.filter(({ isEstablished }) => isEstablished)
  const refused = refusalOf(peer)
  const conditions: Conditions = [
    {
      type: 'Accepted',
      status: refused === null ? 'True' : 'False',
      ...(refused ?? { reason: 'Accepted', message: 'The spec is valid.' }),
    },
    {
      type: 'Established',
      status: stands.length > 0 && established.length === stands.length ? 'True' : 'False',
      ...establishedOf(stands, established.length),
    },
  ]
  const last = new Map(peer.status?.conditions?.map((condition) => [condition.type, condition]))
  return {
    observedGeneration: peer.generation,
    conditions: conditions.map((condition) => {
      const before = last.get(condition.type)
      const since = before?.status === condition.status ? before.lastTransitionTime : now
      return { ...condition, observedGeneration: peer.generation, lastTransitionTime: since }
    }),
    summary: { sessions: `${established.length}/${stands.length}` },
  }
}

/** Null: the spec is valid. */
export function refusalOf({ object }: SeenBgpPeer): Finding | null {
  const parsed = parseBgpPeer(object)
  if (parsed.ok) return null
  return { reason: 'InvalidSpec', message: `${describeProblems(parsed.problems)}.` }
}

/** Empty: this node has nothing to do with this router. */
function standOf(peer: string, { name: node, status }: BalancerReport): readonly Stand[] {
  const session = status.bgpSessions?.find((one) => one.peer === peer)
  const isEstablished = session?.state === BgpState.established
  const problem = status.problems?.find(({ message }) => message.startsWith(`BgpPeer ${peer}: `))
  if (problem !== undefined) return [{ node, isEstablished, why: problem }]
  if (session === undefined) return []
  return [{ node, isEstablished, why: { reason: 'NoSession', message: wordOf(session) } }]
}

function wordOf({ state, message }: NonNullable<SipBalancerStatus['bgpSessions']>[number]): string {
  return message === undefined ? state : `${state}: ${message}`
}

function establishedOf(stands: readonly Stand[], established: number): Finding {
  if (stands.length === 0) {
    const message = 'No node has this router: none announces, or spec.nodeSelector fits none.'
    return { reason: 'NoNode', message }
  }
  const down = stands.filter(({ isEstablished }) => !isEstablished)
  const [first] = down
  if (first === undefined) {
    return { reason: 'AllEstablished', message: `${established} of ${stands.length} nodes.` }
  }
  const shown = down.slice(0, NAMED_MAX).map(({ node, why }) => `${node}: ${why.message}`)
  const more = down.length > NAMED_MAX ? `; and ${down.length - NAMED_MAX} more` : ''
  const message = `${established} of ${stands.length} nodes. ${shown.join('; ')}${more}`
  return { reason: established > 0 ? 'SomeDown' : first.why.reason, message }
}
