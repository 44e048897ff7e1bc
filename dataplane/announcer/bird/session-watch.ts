/**
 * What becomes of the sessions with routers: from one look at BIRD to the next, what has gone up and down. Pure. Not
 * here: looking (`keeper.ts`). Invariants: a session that went down and came up again between two looks has changed
 * twice; BGP and BFD are counted apart; what is found up or down at first has not changed.
 */

import type { BfdState, BgpState } from '@sipcast/crds'
import type { BgpSession } from './sessions.ts'

// Not by the closed sets of `crds`: their schemas would come along, to an announcer that only holds addresses.
const IDLE: BgpState = 'Idle'
const ESTABLISHED: BgpState = 'Established'
const BFD_OFF: BfdState = 'Off'
const BFD_DOWN: BfdState = 'Down'
const BFD_UP: BfdState = 'Up'

export interface SessionChange {
  readonly peer: string
  readonly protocol: 'BGP' | 'BFD'
  readonly isUp: boolean
  /** Seen for the first time: news, but no change. */
  readonly isFirst: boolean
  readonly message: string
}

/** Of one peer; a protocol's `changes` count ups and downs alike. */
interface Watched {
  readonly session: BgpSession
  readonly changes: { BGP: number; BFD: number }
}

export class SessionWatch {
  readonly #watched = new Map<string, Watched>()
  /** When the last look was; ISO 8601. */
  #lookedAt = ''

  /**
   * @param sessions of all routers that BIRD knows; those that it does not know are forgotten
   * @returns changes in their order
   */
  observe(sessions: readonly BgpSession[], nowIso: string): readonly SessionChange[] {
    const found: SessionChange[] = []
    const names = new Set(sessions.map(({ peer }) => peer))
    for (const peer of this.#watched.keys()) if (!names.has(peer)) this.#watched.delete(peer)
    for (const session of sessions) {
      const last = this.#watched.get(session.peer)
      const changes = last?.changes ?? { BGP: 0, BFD: 0 }
      const own = this.#changesOf(session, last?.session ?? null)
      for (const change of own) if (!change.isFirst) changes[change.protocol]++
      this.#watched.set(session.peer, { session, changes })
      found.push(...own)
    }
    this.#lookedAt = nowIso
    return found
  }

  /** BIRD has ended, and all its sessions with it. */
  lose(message: string): readonly SessionChange[] {
    const sessions = [...this.#watched.values()].map(({ session }) => ({
      ...session,
      state: IDLE,
      bfd: session.bfd === BFD_OFF ? BFD_OFF : BFD_DOWN,
      message,
    }))
    return this.observe(sessions, this.#lookedAt)
  }

  counts(protocol: SessionChange['protocol']): readonly (readonly [peer: string, count: number])[] {
    return [...this.#watched].map(([peer, { changes }]) => [peer, changes[protocol]])
  }

  #changesOf(now: BgpSession, last: BgpSession | null): readonly SessionChange[] {
    const bgp = {
      was: last === null ? null : isEstablished(last),
      is: isEstablished(now),
      since: now.since,
    }
    const bfd = {
      was: last === null || last.bfd === BFD_OFF ? null : last.bfd === BFD_UP,
      is: now.bfd === BFD_UP,
      since: now.bfdSince,
    }
    const { peer } = now
    const ends = `${peer} ${now.peerAddress}: `
    const words = { BGP: now.message ?? now.state, BFD: now.bfd }
    return [
      ...this.#turns(bgp).map((turn) => ({ peer, protocol: 'BGP' as const, ...turn })),
      ...(now.bfd === BFD_OFF ? [] : this.#turns(bfd)).map((turn) => ({
        peer,
        protocol: 'BFD' as const,
        ...turn,
      })),
    ].map((turn) => ({ ...turn, message: ends + (turn.isUp ? 'up' : words[turn.protocol]) }))
  }

  #turns({ was, is, since }: { was: boolean | null; is: boolean; since: string | null }) {
    const isFirst = was === null
    if (isFirst) return is ? [{ isUp: true, isFirst }] : []
    if (was !== is) return [{ isUp: is, isFirst }]
    // Up before and up now, but only since after the last look.
    const isAgain = is && since !== null && since > this.#lookedAt
    return isAgain ? [false, true].map((isUp) => ({ isUp, isFirst })) : []
  }
}

export function isWatched({ bfd }: Pick<BgpSession, 'bfd'>): boolean {
  return bfd === BFD_UP
}

export function isEstablished({ state }: Pick<BgpSession, 'state'>): boolean {
  return state === ESTABLISHED
}
