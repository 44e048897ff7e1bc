/**
 * Times of sessions that stay as they were told while nothing changes. BIRD counts back to them from the clock of the
 * day: they come out a hair earlier or later each time, and all of them jump when that clock is set. Not here: asking
 * BIRD (`io/`). Invariant: a session in the same state has the same times, to the millisecond.
 */

import { SINCE_JITTER_MS } from './limits.ts'
import type { BgpSession } from './sessions.ts'

interface Told {
  readonly session: BgpSession
  /** Milliseconds after BIRD began, whatever the clock says; null: BIRD does not say. */
  readonly sinceMs: number | null
  readonly bfdSinceMs: number | null
}

export class SteadyTimes {
  #last: ReadonlyMap<string, Told> = new Map()

  /** @param startedAt when BIRD began, as it says in the same breath; null: it does not */
  take(sessions: readonly BgpSession[], startedAt: string | null): readonly BgpSession[] {
    const startedMs = startedAt === null ? 0 : Date.parse(startedAt)
    const sinceStart = (time: string | null): number | null =>
      time === null ? null : Date.parse(time) - startedMs
    const told = sessions.map((session): Told => {
      const sinceMs = sinceStart(session.since)
      const bfdSinceMs = sinceStart(session.bfdSince)
      const last = this.#last.get(session.peer)
      if (last === undefined) return { session, sinceMs, bfdSinceMs }
      // One that BIRD has given up is begun again and again: that is no news of it.
      const isStill = session.isGivenUp && last.session.isGivenUp
      const isSame = last.session.state === session.state && isNear(sinceMs, last.sinceMs)
      const isBfdSame = last.session.bfd === session.bfd && isNear(bfdSinceMs, last.bfdSinceMs)
      const since = isSame || isStill ? last.session.since : session.since
      const bfdSince = isBfdSame ? last.session.bfdSince : session.bfdSince
      return { session: { ...session, since, bfdSince }, sinceMs, bfdSinceMs }
    })
    this.#last = new Map(told.map((one) => [one.session.peer, one]))
    return told.map(({ session }) => session)
  }
}

function isNear(timeMs: number | null, otherMs: number | null): boolean {
  if (timeMs === null || otherMs === null) return false
  return Math.abs(timeMs - otherMs) <= SINCE_JITTER_MS
}
