import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ownerQuotas } from './quotas.ts'

describe('who gets the slot more', () => {
  test.each([
    ['equal shares are equal', 12, [1, 1, 1], [0, 0, 0], [4, 4, 4]],
    ['the lowest ids, all else equal', 14, [1, 1, 1], [0, 0, 0], [5, 5, 4]],
    ['whoever has it already', 13, [1, 1, 1], [4, 4, 5], [4, 4, 5]],
    ['the largest remainder, if nobody has it', 10, [1, 2, 4], [0, 0, 0], [1, 3, 6]],
    ['a whole share gets no more, even if it has more', 9, [1, 2, 1.5], [2, 5, 2], [2, 4, 3]],
    ['a share below one is one or none', 2, [1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0]],
  ])('%s', (_, total, weights, counts, expected) => {
    expect([...ownerQuotas(total, weights, counts)]).toEqual(expected)
  })
})

test('quotas add up and round the exact share down or up, for any weights', () => {
  fc.assert(
    fc.property(
      fc.nat(65536),
      fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 50 }),
      fc.array(fc.nat(3000), { minLength: 50, maxLength: 50 }),
      (total, weights, counts) => {
        const quotas = ownerQuotas(total, weights, counts)
        const weightSum = weights.reduce((sum, weight) => sum + weight)
        expect(quotas.reduce((sum, quota) => sum + quota, 0)).toBe(total)
        weights.forEach((weight, i) => {
          const exact = BigInt(total) * BigInt(weight)
          const floor = exact / BigInt(weightSum)
          const ceiling = exact % BigInt(weightSum) === 0n ? floor : floor + 1n
          expect([floor, ceiling]).toContain(BigInt(quotas[i] ?? -1))
        })
      },
    ),
  )
})
