/**
 * What this announcer tells the balancer about itself with each look. Pure. Not here: sending it (`io/`). Invariant:
 * whatever has gone wrong, and how often, it stays within the bounds of the SipBalancer's status.
 */

import type { Announcement, AnnouncementProblem } from '../announcement.ts'
import type { Trouble } from '../troubles.ts'
import { PROBLEM_LENGTH_MAX, PROBLEMS_MAX } from './limits.ts'
import type { Routers } from './ports.ts'
import type { AnnouncerState } from './state.ts'

/** @param routers null: addresses are held only */
export function announcementOf(
  state: AnnouncerState,
  failure: Trouble | null,
  routers: Routers | null,
): Announcement {
  const problems: readonly AnnouncementProblem[] = [
    ...(failure === null ? [] : [failure]),
    ...(state.linkTrouble === null ? [] : [state.linkTrouble]),
    ...(state.exportTrouble === null ? [] : [state.exportTrouble]),
    ...(routers?.problems ?? []),
    ...state.refused.map(({ address, reason }) => ({ reason, message: address })),
  ]
  return {
    announced: [...state.announced],
    held: [...state.held],
    isInMaintenance: routers === null ? false : routers.isInMaintenance,
    sessions: routers?.sessions ?? null,
    sessionsWanted: routers?.sessionsWanted ?? 0,
    problems: problems.slice(0, PROBLEMS_MAX).map(({ reason, message }) => ({
      reason,
      message: message.slice(0, PROBLEM_LENGTH_MAX),
    })),
  }
}
