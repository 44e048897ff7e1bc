/** A pool that things happen to, for tests of the assignment: events in, members and the last table out. */
import { type Assignment, assign, type LastAssignment } from './assign.ts'
import { type AssignMember, MemberRole } from './roster.ts'
import { NO_MEMBER } from './table.ts'

export const PoolEvent = {
  fail: 'fail',
  /** Back up, but waiting for its hand-back. */
  hold: 'hold',
  return: 'return',
  drain: 'drain',
  add: 'add',
  remove: 'remove',
  weight: 'weight',
  /** Two members trade places in the operator's list. */
  reorder: 'reorder',
} as const
export type PoolEvent = (typeof PoolEvent)[keyof typeof PoolEvent]

export interface PoolStep {
  readonly event: PoolEvent
  /** Which member, modulo how many there are. */
  readonly pick: number
  readonly weight: number
  readonly budgetSlots: number
}

export interface PoolTable extends LastAssignment {
  readonly assignment: Assignment
}

/** One step per number, so that a test's generator need only make numbers below STEP_NUMBERS. */
export function stepOf(
  number: number,
  { weightMax = 5, events = Object.values(PoolEvent) as readonly PoolEvent[] } = {},
): PoolStep {
  let rest = number
  const digit = (base: number): number => {
    const value = rest % base
    rest = Math.floor(rest / base)
    return value
  }
  return {
    event: events[digit(events.length)] ?? PoolEvent.fail,
    pick: digit(12),
    budgetSlots: [0, 1, 2, 5, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY][digit(6)] ?? 0,
    weight: 1 + digit(weightMax),
  }
}

export const STEP_NUMBERS = 2 ** 24

export function makePool(size: number): AssignMember[] {
  return Array.from({ length: size }, (_, i) => ({
    id: `registrar-${i}`,
    weight: 1,
    role: MemberRole.eligible,
  }))
}

/** The members after a step; the pool has at most `sizeMax`. */
export function afterStep(
  pool: readonly AssignMember[],
  { event, pick, weight }: PoolStep,
  sizeMax: number,
): AssignMember[] {
  const chosen = pick % Math.max(1, pool.length)
  const change = (changes: Partial<AssignMember>): AssignMember[] =>
    pool.map((member, i) => (i === chosen ? { ...member, ...changes } : member))
  switch (event) {
    case PoolEvent.fail:
      return change({ role: MemberRole.gone })
    case PoolEvent.hold:
      return change({ role: MemberRole.waiting })
    case PoolEvent.return:
      return change({ role: MemberRole.eligible })
    case PoolEvent.drain:
      return change({ role: MemberRole.leaving })
    case PoolEvent.weight:
      return change({ weight })
    case PoolEvent.remove:
      return pool.filter((_, i) => i !== chosen)
    case PoolEvent.reorder:
      return [...pool.slice(chosen), ...pool.slice(0, chosen)]
    case PoolEvent.add: {
      const id = `registrar-${pick}`
      const isThere = pool.some((member) => member.id === id)
      if (isThere || pool.length >= sizeMax) return [...pool]
      return [...pool, { id, weight, role: MemberRole.eligible }]
    }
  }
}

export function assignTo(
  members: readonly AssignMember[],
  last: PoolTable | null,
  slotCount: number,
  budgetSlots = Number.POSITIVE_INFINITY,
): PoolTable {
  const assignment = assign({ slotCount, last, members, budgetSlots })
  const { owners, backups } = assignment
  return { ids: members.map(({ id }) => id), owners, backups, assignment }
}

function idsOf(ids: readonly string[], indices: Uint16Array): (string | null)[] {
  return Array.from(indices, (index) => (index === NO_MEMBER ? null : (ids[index] ?? 'unknown')))
}

export function ownersOf({ ids, owners }: LastAssignment): (string | null)[] {
  return idsOf(ids, owners)
}

export function backupsOf({ ids, backups }: LastAssignment): (string | null)[] {
  return idsOf(ids, backups)
}

export function countOf<T>(list: readonly T[], wanted: T): number {
  return list.filter((item) => item === wanted).length
}
