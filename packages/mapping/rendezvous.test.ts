import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memberTag } from './hash.ts'
import { noise, rendezvousScore, slotKey, weightScore } from './rendezvous.ts'

const SLOTS = 65536

/** How many slots each member would win if nothing bound it. */
function wins(ids: readonly string[], weightOf: (i: number) => number): number[] {
  const tags = ids.map(memberTag)
  const won = ids.map(() => 0)
  for (let slot = 0; slot < SLOTS; slot++) {
    const scores = tags.map((tag, i) => rendezvousScore(slot, tag, weightOf(i)))
    won[scores.indexOf(Math.max(...scores))]! += 1
  }
  return won
}

describe('the member with the largest score wins a slot', () => {
  test.each([
    ['as often as any other of equal weight', 10, () => 1],
    ['in proportion to its weight', 10, (i: number) => i + 1],
    ['in proportion, however unequal', 2, (i: number) => (i === 0 ? 1 : 1000)],
  ])('%s', (_, size, weightOf) => {
    const ids = Array.from({ length: size }, (_unused, i) => `registrar-${i}`)
    const weightSum = ids.reduce((sum, _id, i) => sum + weightOf(i), 0)
    const chiSquare = wins(ids, weightOf).reduce((sum, count, i) => {
      const expected = (SLOTS * weightOf(i)) / weightSum
      return sum + (count - expected) ** 2 / expected
    }, 0)
    expect(chiSquare).toBeLessThan(28) // 9 degrees of freedom: p = 0.001
  })

  test('and who is second does not depend on who is first', () => {
    const tags = ['registrar-0', 'registrar-1', 'registrar-2', 'registrar-3'].map(memberTag)
    const pairs = new Map<string, number>()
    for (let slot = 0; slot < SLOTS; slot++) {
      const scores = tags.map((tag) => rendezvousScore(slot, tag))
      const ranked = scores.toSorted((a, b) => b - a)
      const pair = `${scores.indexOf(ranked[0]!)} ${scores.indexOf(ranked[1]!)}`
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
    }
    const expected = SLOTS / 12
    const chiSquare = [...pairs.values()].reduce(
      (sum, n) => sum + (n - expected) ** 2 / expected,
      0,
    )
    expect(pairs.size).toBe(12)
    expect(chiSquare).toBeLessThan(31.3) // 11 degrees of freedom: p = 0.001
  })
})

test('a score is an integer between 0 and 2^26, for any slot, id and weight', () => {
  fc.assert(
    fc.property(
      fc.nat(SLOTS - 1),
      fc.nat(0xffffffff),
      fc.integer({ min: 1, max: 1000 }),
      (slot, tag, weight) => {
        const score = rendezvousScore(slot, tag, weight)
        expect(Number.isInteger(score) && score >= 0 && score < 2 ** 26).toBe(true)
        expect(score).toBe(noise(slotKey(slot) ^ tag) + weightScore(weight))
      },
    ),
  )
})

test('scores stay what they are: balancers of different versions must agree', () => {
  const tag = memberTag('registrar-0')
  expect([0, 1, 4095, 65535].map((slot) => rendezvousScore(slot, tag))).toEqual(PINNED)
  expect(rendezvousScore(0, tag, 10) - rendezvousScore(0, tag)).toBe(
    Math.round(Math.LN10 * 2 ** 20),
  )
})

const PINNED = [3761669, 3299085, 3716776, 4729731]
