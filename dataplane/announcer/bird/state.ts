/**
 * What is known of BIRD and of the sessions with routers, for metrics, the log and what the balancer is told. Not here:
 * finding out (`keeper.ts`). Invariant: a session that is not known to be up is down.
 */

import type { BgpSessionStatus } from '../../announcement.ts'
import type { TroubleOf } from '../../troubles.ts'
import { isEstablished, isWatched, type SessionChange, SessionWatch } from './session-watch.ts'
import type { BgpSession } from './sessions.ts'

/** What became of a configuration. */
export const Outcome = {
  /** BIRD has taken it up. */
  applied: 'applied',
  /** BIRD says no. */
  refused: 'refused',
  /** BIRD is away or silent, or the file cannot be written; tried again. */
  failed: 'failed',
} as const
export type Outcome = (typeof Outcome)[keyof typeof Outcome]

/** A router in the configuration, and how BIRD says that it is. */
interface Known {
  readonly peer: string
  readonly peerAddress: string
}

export class BirdState {
  /** BIRD answered when it was asked last. */
  isAnswering = false
  /** The newest configuration is in use. */
  isConfigured = false
  readonly outcomes = new Map<Outcome, number>()
  /** BgpPeers that select this node; null: not known yet. */
  wanted: number | null = null
  /** In the configuration. */
  known: readonly Known[] = []
  /** As BIRD has told last; empty while it tells nothing. */
  sessions: readonly BgpSession[] = []
  /** What is wrong with BIRD itself. */
  trouble: TroubleOf | null = null
  readonly watch = new SessionWatch()

  get hasSession(): boolean {
    return this.sessions.some(isEstablished)
  }

  /** The most that one router is told of. */
  get exported(): BgpSession['exported'] {
    const all = this.sessions.filter(isEstablished).map(({ exported }) => exported)
    return {
      ipv4: Math.max(0, ...all.map(({ ipv4 }) => ipv4)),
      ipv6: Math.max(0, ...all.map(({ ipv6 }) => ipv6)),
    }
  }

  counted(outcome: Outcome): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }

  /** In the words of the SipBalancer; what BIRD does not tell of is idle. */
  statuses(): readonly BgpSessionStatus[] {
    const told = new Map(this.sessions.map((session) => [session.peer, session]))
    const rest = this.known.filter(({ peer }) => !told.has(peer))
    const message = this.trouble?.message
    return [
      ...this.sessions.map(statusOf),
      ...rest.map((one) => ({
        ...one,
        state: 'Idle' as const,
        ...(message === undefined ? {} : { message }),
      })),
    ]
  }

  /** Of each router by name: 1 for up. */
  bgpUps(): readonly (readonly [{ peer: string }, number])[] {
    const told = new Map(this.sessions.map((session) => [session.peer, session]))
    const names = new Set([...this.known.map(({ peer }) => peer), ...told.keys()])
    return [...names].map((peer) => {
      const session = told.get(peer)
      return [{ peer }, session !== undefined && isEstablished(session) ? 1 : 0]
    })
  }

  /** The same of BFD, of those that BIRD watches so: where it is off, nothing is down. */
  bfdUps(): readonly (readonly [{ peer: string }, number])[] {
    return this.sessions
      .filter(({ bfd }) => bfd !== 'Off')
      .map((session) => [{ peer: session.peer }, isWatched(session) ? 1 : 0])
  }

  changes(protocol: SessionChange['protocol']): readonly (readonly [{ peer: string }, number])[] {
    return this.watch.counts(protocol).map(([peer, count]) => [{ peer }, count])
  }
}

function statusOf(session: BgpSession): BgpSessionStatus {
  const { peer, peerAddress, state, since, bfd, exported, message } = session
  return {
    peer,
    peerAddress,
    state,
    bfd,
    announced: exported.ipv4 + exported.ipv6,
    ...(since === null ? {} : { since }),
    ...(message === null ? {} : { message }),
  }
}
