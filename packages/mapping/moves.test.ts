import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countMoves } from './moves.ts'
import { assignTo, countOf, makePool, ownersOf } from './pool.fixture.ts'
import { NO_MEMBER } from './table.ts'

const owned = (ids: string[], ...owners: number[]) => ({ ids, owners: Uint16Array.from(owners) })

describe('moves', () => {
  test('are told by id, not by index', () => {
    expect(countMoves(owned(['a', 'b'], 0, 1, 1), owned(['b', 'a'], 1, 0, 1))).toEqual({
      moved: 1,
      members: [
        { id: 'a', slots: 2, gained: 1, lost: 0 },
        { id: 'b', slots: 1, gained: 0, lost: 1 },
      ],
    })
  })

  test('away from a member that left are its loss', () => {
    expect(countMoves(owned(['a', 'b'], 0, 1), owned(['a'], 0, 0)).members).toContainEqual({
      id: 'b',
      slots: 0,
      gained: 0,
      lost: 1,
    })
  })

  test('a first owner is no move, losing the last one is', () => {
    expect(countMoves(null, owned(['a'], 0, 0)).moved).toBe(0)
    expect(countMoves(owned(['a'], NO_MEMBER, 0), owned(['a'], 0, NO_MEMBER))).toEqual({
      moved: 1,
      members: [{ id: 'a', slots: 1, gained: 1, lost: 1 }],
    })
  })

  test('agree with what the assignment says of itself, and every gain is a loss', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        (before, after) => {
          const last = assignTo(makePool(before), null, 64)
          const next = assignTo(makePool(after), last, 64)
          const { moved, members } = countMoves(last, next)
          expect(moved).toBe(next.assignment.moved)
          expect(members.reduce((sum, { gained }) => sum + gained, 0)).toBe(moved)
          expect(members.reduce((sum, { lost }) => sum + lost, 0)).toBe(moved)
          for (const { id, slots } of members) expect(slots).toBe(countOf(ownersOf(next), id))
        },
      ),
    )
  })
})
