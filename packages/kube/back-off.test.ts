import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BackOff } from './back-off.ts'
import { BACK_OFF_MS_MAX, BACK_OFF_MS_MIN, RETRY_AFTER_MS_MAX } from './limits.ts'

it('doubles from the least to the most, and begins anew after success', () => {
  const backOff = new BackOff(() => 1)
  expect([1, 2, 3, 4, 5, 6].map(() => backOff.next())).toEqual([100, 200, 400, 800, 1500, 1500])
  expect(backOff.failures).toBe(6)
  backOff.reset()
  expect(backOff.next()).toBe(100)
})

it('is jittered, and never without bounds', () => {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const waits = fc.array(fc.option(fc.nat(1e9)), { minLength: 1, maxLength: 2000 })
  fc.assert(
    fc.property(unit, waits, (random, wishes) => {
      const backOff = new BackOff(() => random)
      for (const wish of wishes) {
        const delayMs = backOff.next(wish)
        expect(delayMs).toBeGreaterThanOrEqual(wish === null ? BACK_OFF_MS_MIN / 2 : 0)
        const most = wish === null ? BACK_OFF_MS_MAX : RETRY_AFTER_MS_MAX + BACK_OFF_MS_MAX
        expect(delayMs).toBeLessThanOrEqual(most)
        if (wish !== null)
          expect(delayMs).toBeGreaterThanOrEqual(Math.min(wish, RETRY_AFTER_MS_MAX))
      }
    }),
    { numRuns: 20 },
  )
})
