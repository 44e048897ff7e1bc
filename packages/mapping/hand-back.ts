/**
 * When a proxy that came back may have slots again, and how many slots may move on purpose within a time: planned
 * moves cost users a re-registration, so they come in small portions (`spec.mapping.handBack`).
 *
 * The budget is a bucket whose tokens come back one `per` after they were taken, so no window of that length ever
 * sees more than `maxMovedPercent` of the slots moved.
 */
import { assert } from './assert.ts'

export const HandBack = { auto: 'Auto', manual: 'Manual' } as const
export type HandBack = (typeof HandBack)[keyof typeof HandBack]

export interface HandBackConfig {
  readonly policy: HandBack
  readonly afterMs: number
  readonly maxMovedPercent: number
  readonly perMs: number
}

/** Tokens taken and not yet back, oldest first; `[]` to begin with. */
export type HandBackSpending = readonly { readonly atMs: number; readonly slots: number }[]

/** Entries in a HandBackSpending; beyond, the two oldest become one. */
export const SPENDINGS_MAX = 64

export interface ReturningMember {
  /** It has slots already, or is new to the pool: nothing to hand back. */
  readonly isSettled: boolean
  /** When it last became eligible but for this wait. */
  readonly usableSinceMs: number
  /** A person said so, for policy Manual. */
  readonly isReleased: boolean
}

/** Whether a member may take slots as far as hand-back is concerned. */
export function isHandBackDue(
  member: ReturningMember,
  config: HandBackConfig,
  nowMs: number,
): boolean {
  if (member.isSettled || member.isReleased) return true
  return config.policy === HandBack.auto && nowMs >= member.usableSinceMs + config.afterMs
}

/** Slots that may move on purpose now: `budgetSlots` of the assignment. */
export function handBackBudget(
  spending: HandBackSpending,
  config: HandBackConfig,
  slotCount: number,
  nowMs: number,
): number {
  // One at least, or small tables would never move.
  const bucket = Math.max(1, Math.floor((slotCount * config.maxMovedPercent) / 100))
  const taken = current(spending, config, nowMs).reduce((sum, { slots }) => sum + slots, 0)
  return Math.max(0, bucket - taken)
}

/** Notes that `slots` moved on purpose. */
export function spendHandBack(
  spending: HandBackSpending,
  slots: number,
  config: HandBackConfig,
  nowMs: number,
): HandBackSpending {
  assert(slots >= 0, 'moves are counted, not taken back')
  const kept = current(spending, config, nowMs)
  if (slots === 0) return kept
  const all = [...kept, { atMs: nowMs, slots }]
  const [oldest, second, ...rest] = all
  if (all.length <= SPENDINGS_MAX || oldest === undefined || second === undefined) return all
  // The later time of the two, so that no token comes back early.
  return [{ atMs: second.atMs, slots: oldest.slots + second.slots }, ...rest]
}

/** When the budget next grows; null if it is full. */
export function handBackGrowsAtMs(
  spending: HandBackSpending,
  config: HandBackConfig,
  nowMs: number,
): number | null {
  const [oldest] = current(spending, config, nowMs)
  return oldest === undefined ? null : oldest.atMs + config.perMs
}

function current(
  spending: HandBackSpending,
  { perMs }: HandBackConfig,
  nowMs: number,
): HandBackSpending {
  return spending.filter(({ atMs }) => nowMs - atMs < perMs)
}
