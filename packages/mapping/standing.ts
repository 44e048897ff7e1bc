/**
 * From everything known of one proxy to its state in the table and its role in the assignment. Eligible means:
 * containers ready, other readiness gates true, not draining, probe up (design, section 4, "Eligible").
 */
import type { Health } from './health.ts'
import { MemberRole } from './roster.ts'
import { MemberState } from './table.ts'

export interface Standing {
  readonly health: Health
  /** ContainersReady and every readiness gate but ours; true for static proxies. */
  readonly isReady: boolean
  /** The pod has a deletionTimestamp: its slots go at once, but in-dialog traffic may still reach it. */
  readonly isDeleted: boolean
  /** Drain on purpose, by annotation or in the spec: its slots go within the budget. */
  readonly isDrained: boolean
  /** isHandBackDue of hand-back.ts says not yet. */
  readonly isWaiting: boolean
}

/** What the table says: Down is dead for everything, Draining and NotReady are alive but take no users. */
export function memberState({ health, isReady, isDeleted, isDrained }: Standing): MemberState {
  if (health.state === MemberState.down) return MemberState.down
  if (isDeleted) return MemberState.draining
  if (!isReady) return MemberState.notReady
  return isDrained ? MemberState.draining : health.state
}

/**
 * What the assignment may do with it. Unknown: a proxy of the last table keeps its slots until its first results are
 * in, one that is new gets none before.
 */
export function memberRole({
  health,
  isReady,
  isDeleted,
  isDrained,
  isWaiting,
}: Standing): MemberRole {
  if (isDeleted || !isReady) return MemberRole.gone
  switch (health.state) {
    case MemberState.down:
    case MemberState.draining:
      return MemberRole.gone
    case MemberState.unknown:
      return health.isNew ? MemberRole.gone : MemberRole.held
    case MemberState.up:
      if (isDrained) return MemberRole.leaving
      return isWaiting ? MemberRole.waiting : MemberRole.eligible
  }
}
