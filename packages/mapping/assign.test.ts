import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assignObviously } from './assign.twin.ts'
import {
  afterStep,
  assignTo,
  backupsOf,
  countOf,
  makePool,
  ownersOf,
  PoolEvent,
  type PoolTable,
  STEP_NUMBERS,
  stepOf,
} from './pool.fixture.ts'
import { type AssignMember, MemberRole } from './roster.ts'

const numbers = (lengthMax: number) =>
  fc.array(fc.nat(STEP_NUMBERS), { minLength: 1, maxLength: lengthMax })

describe('against the slow obvious twin', () => {
  test.each([4, 12, 32])(
    '%i slots: the same tables through any events and budgets',
    (slotCount) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 6 }), numbers(12), (size, steps) => {
          let pool = makePool(size)
          let last: PoolTable | null = null
          for (const step of steps.map((number) => stepOf(number))) {
            pool = afterStep(pool, step, 6)
            const { budgetSlots } = step
            const next = assignTo(pool, last, slotCount, budgetSlots)
            const twin = assignObviously({ slotCount, last, members: pool, budgetSlots })
            expect([ownersOf(next), backupsOf(next), next.assignment.voluntary]).toEqual([
              twin.owners,
              twin.backups,
              twin.voluntary,
            ])
            last = next
          }
        }),
        { numRuns: 60 },
      )
    },
  )
})

/**
 * Runs events and hands over every pair of tables. The next one has no budget limit; the last one neither, unless the
 * steps are throttled: then planned moves may be outstanding when the next thing happens.
 */
function throughEvents(
  options: {
    readonly slotCount: number
    readonly weightMax: number
    readonly events?: readonly PoolEvent[]
    readonly isThrottled?: boolean
  },
  check: (pool: readonly AssignMember[], last: PoolTable, next: PoolTable) => void,
): void {
  const { slotCount, weightMax, events = Object.values(PoolEvent), isThrottled = false } = options
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), numbers(40), (size, steps) => {
      let pool = makePool(size)
      let last = assignTo(pool, null, slotCount)
      for (const step of steps.map((number) => stepOf(number, { weightMax, events }))) {
        pool = afterStep(pool, step, 10)
        const next = assignTo(pool, last, slotCount)
        check(pool, last, next)
        last = isThrottled ? assignTo(pool, last, slotCount, step.budgetSlots) : next
      }
    }),
    { numRuns: 25 },
  )
}

const withRole = (pool: readonly AssignMember[], role: MemberRole) =>
  pool.filter((member) => member.role === role)
const eligibleOf = (pool: readonly AssignMember[]) => withRole(pool, MemberRole.eligible)
const waitingOf = (pool: readonly AssignMember[]) => withRole(pool, MemberRole.waiting)

const weightOf = (pool: readonly AssignMember[]) =>
  pool.reduce((sum, { weight }) => sum + weight, 0)

describe('property 1: each eligible proxy holds its share, rounded down or up', () => {
  test.each([1, 7, 1000])('weights up to %i', (weightMax) => {
    throughEvents({ slotCount: 256, weightMax }, (pool, _, next) => {
      const eligible = eligibleOf(pool)
      const owners = ownersOf(next)
      const shared = waitingOf(pool).reduce((rest, { id }) => rest - countOf(owners, id), 256)
      const weightSum = weightOf(eligible)
      for (const { id, weight } of eligible) {
        const share = (shared * weight) / weightSum
        expect([Math.floor(share), Math.ceil(share)]).toContain(countOf(owners, id))
      }
      const others = pool.filter(
        ({ role }) => role === MemberRole.leaving || role === MemberRole.gone,
      )
      const left = others.reduce((sum, { id }) => sum + countOf(owners, id), 0)
      expect(eligible.length > 0 ? left : 0).toBe(0)
    })
  })
})

describe('who waits', () => {
  test('keeps what it has, and takes orphans up to its share', () => {
    throughEvents({ slotCount: 256, weightMax: 7, isThrottled: true }, (pool, last, next) => {
      const [eligible, waiting] = [eligibleOf(pool), waitingOf(pool)]
      if (eligible.length === 0) return
      const [before, after] = [ownersOf(last), ownersOf(next)]
      const weightSum = weightOf([...eligible, ...waiting])
      for (const { id, weight } of waiting) {
        expect(after.filter((owner, slot) => before[slot] === id && owner !== id)).toEqual([])
        const share = Math.ceil((256 * weight) / weightSum)
        expect(countOf(after, id)).toBeLessThanOrEqual(Math.max(share, countOf(before, id)))
      }
    })
  })
})

describe('property 2: no table that obeys property 1 needs fewer moves', () => {
  test('compared with every such table, whatever the waiting have taken', () => {
    const [slotCount, size] = [6, 3]
    fc.assert(
      fc.property(fc.integer({ min: 1, max: size }), numbers(15), (count, steps) => {
        const { fail, return: back, weight, drain, hold } = PoolEvent
        const events = [fail, back, weight, drain, hold]
        let pool = makePool(count)
        let last = assignTo(pool, null, slotCount)
        for (const number of steps) {
          pool = afterStep(pool, stepOf(number, { weightMax: 4, events }), size)
          const next = assignTo(pool, last, slotCount)
          const eligible = eligibleOf(pool)
          if (eligible.length > 0) {
            const waiting = waitingOf(pool).map(({ id }) => id)
            const isShared = (_: unknown, slot: number) =>
              !waiting.includes(ownersOf(next)[slot] ?? '')
            const [before, after] = [
              ownersOf(last).filter(isShared),
              ownersOf(next).filter(isShared),
            ]
            expect(differences(before, after)).toBe(fewestDifferences(before, eligible))
          }
          last = next
        }
      }),
      { numRuns: 60 },
    )
  })

  test('forced are the slots that lost their owner, and no others: none moves on by plan', () => {
    throughEvents({ slotCount: 128, weightMax: 9, isThrottled: true }, (pool, last, next) => {
      const alive = pool.filter(({ role }) => role !== MemberRole.gone).map(({ id }) => id)
      if (alive.length === 0) return
      const lost = ownersOf(last).filter((id) => id !== null && !alive.includes(id))
      expect(next.assignment.forced).toBe(lost.length)
    })
  })

  test('with equal weights a failure moves exactly the slots of the dead proxy', () => {
    const events = [PoolEvent.fail, PoolEvent.return]
    throughEvents({ slotCount: 128, weightMax: 1, events }, (pool, last, next) => {
      const isGone = new Map(pool.map(({ id, role }) => [id, role === MemberRole.gone]))
      const [before, after] = [ownersOf(last), ownersOf(next)]
      const lost = before.filter((id) => isGone.get(id ?? '')).length
      if (lost === 0 || eligibleOf(pool).length === 0) return
      expect(after.filter((id, slot) => id !== before[slot]).length).toBe(lost)
      expect(next.assignment).toMatchObject({ moved: lost, forced: lost, voluntary: 0 })
    })
  })

  test('nothing happened, nothing moves, not even a backup', () => {
    throughEvents({ slotCount: 128, weightMax: 9 }, (pool, _, next) => {
      const again = assignTo(pool, next, 128)
      expect(again).toEqual({
        ...next,
        assignment: { ...next.assignment, moved: 0, forced: 0, voluntary: 0 },
      })
    })
  })
})

describe('property 3: backups', () => {
  test('an owner has its backups spread over the other eligible in proportion to weight, within one slot', () => {
    throughEvents({ slotCount: 256, weightMax: 6 }, (pool, _, next) => {
      const [owners, backups] = [ownersOf(next), backupsOf(next)]
      const eligible = eligibleOf(pool)
      for (const owner of new Set(owners)) {
        const others = eligible.filter(({ id }) => id !== owner)
        const weightSum = weightOf(others)
        const own = backups.filter((_id, slot) => owners[slot] === owner)
        for (const { id, weight } of others) {
          const share = (own.length * weight) / weightSum
          expect([Math.floor(share), Math.ceil(share)]).toContain(countOf(own, id))
        }
      }
    })
  })

  test('a backup is alive and never the owner, unless nobody else is alive', () => {
    throughEvents({ slotCount: 64, weightMax: 3 }, (pool, _, next) => {
      const alive = pool.filter(({ role }) => role !== MemberRole.gone).map(({ id }) => id)
      if (alive.length === 0) return
      const backups = backupsOf(next)
      expect(backups.every((id) => alive.includes(id ?? ''))).toBe(true)
      const own = ownersOf(next).filter((id, slot) => id === backups[slot])
      expect(own.length).toBe(alive.length === 1 ? 64 : 0)
    })
  })

  test('an orphan goes to its backup as long as that has room, or to one that waits', () => {
    throughEvents({ slotCount: 256, weightMax: 4, isThrottled: true }, (pool, last) => {
      const alive = pool.filter(({ role }) => role !== MemberRole.gone).map(({ id }) => id)
      const waiting = waitingOf(pool).map(({ id }) => id)
      const forced = ownersOf(assignTo(pool, last, 256, 0))
      const [before, backups] = [ownersOf(last), backupsOf(last)]
      for (const { id, weight } of eligibleOf(pool)) {
        const heirs = forced.filter(
          (_, slot) => !alive.includes(before[slot] ?? '') && backups[slot] === id,
        )
        const toWaiting = heirs.filter((heir) => waiting.includes(heir ?? '')).length
        const room = countOf(forced, id) - countOf(before, id)
        expect(countOf(heirs, id)).toBe(Math.min(heirs.length - toWaiting, room))
        // One that waits takes it only where the backup is full as long as all who wait have their share. If in the
        // end some have less, since nobody had orphans for them, the backup has room again, but for those left over.
        const share = (weight / weightOf(eligibleOf(pool))) * leftByWaiting(pool, before)
        const fewest = toWaiting === 0 ? 0 : Math.floor(share)
        expect(countOf(forced, id)).toBeGreaterThanOrEqual(fewest)
      }
    })
  })

  test('no spread that obeys the bounds changes fewer backups', () => {
    const slotCount = 12
    const events = [PoolEvent.fail, PoolEvent.return, PoolEvent.weight]
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 4 }), numbers(12), (size, steps) => {
        let pool = makePool(size)
        let last = assignTo(pool, null, slotCount)
        for (const number of steps) {
          pool = afterStep(pool, stepOf(number, { weightMax: 3, events }), 4)
          const next = assignTo(pool, last, slotCount)
          const [owners, before, after] = [ownersOf(next), backupsOf(last), backupsOf(next)]
          const eligible = eligibleOf(pool)
          for (const owner of eligible.length > 1 ? eligible.map(({ id }) => id) : []) {
            const isOwn = (_: unknown, slot: number) => owners[slot] === owner
            const others = eligible.filter(({ id }) => id !== owner)
            expect(differences(before.filter(isOwn), after.filter(isOwn))).toBe(
              fewestDifferences(before.filter(isOwn), others),
            )
          }
          last = next
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('property 5: planned moves keep to the budget, failures do not wait', () => {
  test('steps with small budgets lead to the table of one step without', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        numbers(10),
        fc.integer({ min: 1, max: 40 }),
        (size, steps, budget) => {
          let pool = makePool(size)
          const first = assignTo(pool, null, 128)
          for (const number of steps) pool = afterStep(pool, stepOf(number), 8)
          const whole = assignTo(pool, first, 128)
          let table = assignTo(pool, first, 128, 0)
          expect(table.assignment.forced).toBe(whole.assignment.forced)
          expect(table.assignment.outstanding).toBe(whole.assignment.voluntary)
          while (table.assignment.outstanding > 0) {
            const { outstanding } = table.assignment
            table = assignTo(pool, table, 128, budget)
            const moved = Math.min(budget, outstanding)
            expect(table.assignment).toMatchObject({ voluntary: moved, forced: 0, moved })
            expect(table.assignment.outstanding).toBe(outstanding - moved)
          }
          expect(ownersOf(table)).toEqual(ownersOf(whole))
        },
      ),
      {
        numRuns: 60,
        // One fails while another, that waits, has more than its share: less than that is left for the eligible.
        examples: [[3, [475349, 12591169, 4688412, 15847502], 1]],
      },
    )
  })

  test('a failure is not throttled, whatever is outstanding', () => {
    const pool = makePool(5)
    const first = assignTo(pool.slice(0, 4), null, 1024)
    const adding = assignTo(pool, first, 1024, 10)
    const failed = assignTo(afterStep(pool, { ...stepOf(0), pick: 1 }, 5), adding, 1024, 0)
    expect(failed.assignment).toMatchObject({ forced: countOf(ownersOf(adding), 'registrar-1') })
    expect(countOf(ownersOf(failed), 'registrar-1')).toBe(0)
  })
})

describe('roles', () => {
  const withRoles = (...roles: MemberRole[]): AssignMember[] =>
    makePool(roles.length).map((member, i) => ({ ...member, role: roles[i] ?? MemberRole.gone }))
  const { eligible, waiting, held, leaving, gone } = MemberRole
  const counts = (table: PoolTable) => table.ids.map((id) => countOf(ownersOf(table), id))
  const first = assignTo(withRoles(eligible, eligible, eligible), null, 64)

  test.each([
    ['the held keep what they have', [eligible, eligible, held], [22, 21, 21]],
    [
      'one that is held and has nothing gets nothing',
      [eligible, eligible, gone, held],
      [32, 32, 0, 0],
    ],
    ['the waiting keep what they have', [eligible, eligible, waiting], [22, 21, 21]],
    [
      'one that waits and has nothing gets its share of what is orphaned',
      [eligible, eligible, gone, waiting],
      [22, 21, 0, 21],
    ],
    ['the leaving give all away', [eligible, eligible, leaving], [32, 32, 0]],
    ['without others the leaving stay', [leaving, leaving, gone], [32, 32, 0]],
    ['the waiting stand in before the leaving', [leaving, waiting, gone], [22, 42, 0]],
    ['the leaving stand in before the held', [leaving, held, gone], [43, 21, 0]],
    ['the held stand in last', [held, held, gone], [32, 32, 0]],
    ['all down: the last table stays', [gone, gone, gone], [22, 21, 21]],
  ])('%s', (_, roles, expected) => {
    expect(counts(assignTo(withRoles(...roles), first, 64))).toEqual(expected)
  })

  test('where one that waits has more than its share, nobody inherits what it would have to give on', () => {
    const before = withRoles(eligible, eligible, eligible, gone)
    const heavy = before.map((one, i) => (i === 2 ? { ...one, weight: 6 } : one))
    const last = assignTo(heavy, null, 64)
    expect(counts(last)).toEqual([8, 8, 48, 0])
    const table = assignTo(withRoles(eligible, gone, waiting, eligible), last, 64)
    expect(counts(table)).toEqual([8, 0, 48, 8])
    expect(table.assignment).toMatchObject({ moved: 8, forced: 8, voluntary: 0 })
  })

  test('a rollout, one after the other, never piles all users up on the last', () => {
    let table = first
    for (const rolled of [2, 1, 0]) {
      const roles = [eligible, eligible, eligible].map((role, i) => (i > rolled ? waiting : role))
      const others = withRoles(...roles)
      const down = others.map((one, i) => (i === rolled ? { ...one, role: gone } : one))
      table = assignTo(down, table, 64, 0)
      expect(Math.max(...counts(table))).toBe(32)
    }
  })

  test('nothing moves by plan while only stand-ins are there', () => {
    const one = assignTo(withRoles(held, gone, gone), first, 64)
    const two = assignTo(withRoles(held, held, gone), one, 64)
    expect([counts(one), counts(two)]).toEqual([
      [64, 0, 0],
      [64, 0, 0],
    ])
    expect(two.assignment).toMatchObject({ voluntary: 0, outstanding: 0 })
  })

  test('all down and the owner deleted: its backup stands in, for what it is worth', () => {
    const rest = withRoles(gone, gone, gone).slice(1)
    const table = assignTo(rest, first, 64)
    expect(ownersOf(table)).toEqual(
      ownersOf(first).map((id, slot) => (id === 'registrar-0' ? backupsOf(first)[slot] : id)),
    )
  })

  test('a first table with nobody alive has no owners, and the next with somebody is no move', () => {
    const empty = assignTo(withRoles(gone), null, 64)
    expect(new Set(ownersOf(empty))).toEqual(new Set([null]))
    const next = assignTo(withRoles(eligible), empty, 64)
    expect(counts(next)).toEqual([64])
    expect(next.assignment.moved).toBe(0)
  })
})

test('the order of the operator’s list changes nothing', () => {
  throughEvents({ slotCount: 64, weightMax: 5 }, (pool, last, next) => {
    const reversed = assignTo(pool.toReversed(), last, 64)
    expect([ownersOf(reversed), backupsOf(reversed)]).toEqual([ownersOf(next), backupsOf(next)])
  })
})

/** Slots for the eligible while each that waits has its share, or what it has if that is more. */
function leftByWaiting(pool: readonly AssignMember[], owners: readonly (string | null)[]): number {
  const sharing = weightOf([...eligibleOf(pool), ...waitingOf(pool)])
  const kept = waitingOf(pool).map(({ id, weight }) =>
    Math.max(countOf(owners, id), Math.ceil((owners.length * weight) / sharing)),
  )
  return Math.max(0, owners.length - kept.reduce((sum, slots) => sum + slots, 0))
}

function differences(before: readonly unknown[], after: readonly unknown[]): number {
  return after.filter((id, i) => id !== before[i]).length
}

/** Tries every table in which each member holds its share, rounded down or up. */
function fewestDifferences(
  before: readonly (string | null)[],
  members: readonly AssignMember[],
): number {
  const weightSum = weightOf(members)
  const share = ({ weight }: AssignMember): number => (before.length * weight) / weightSum
  const room = members.map((member) => Math.ceil(share(member)))
  const need = members.map((member) => Math.floor(share(member)))
  const fill = (slot: number): number => {
    if (slot === before.length)
      return need.every((count) => count <= 0) ? 0 : Number.POSITIVE_INFINITY
    let fewest = Number.POSITIVE_INFINITY
    for (const [i, { id }] of members.entries()) {
      if (room[i] === 0) continue
      room[i]! -= 1
      need[i]! -= 1
      fewest = Math.min(fewest, fill(slot + 1) + (before[slot] === id ? 0 : 1))
      room[i]! += 1
      need[i]! += 1
    }
    return fewest
  }
  return fill(0)
}
