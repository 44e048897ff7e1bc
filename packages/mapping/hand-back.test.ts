import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  HandBack,
  type HandBackSpending,
  handBackBudget,
  handBackGrowsAtMs,
  isHandBackDue,
  SPENDINGS_MAX,
  spendHandBack,
} from './hand-back.ts'

const CONFIG = { policy: HandBack.auto, afterMs: 30_000, maxMovedPercent: 10, perMs: 10_000 }
const MANUAL = { ...CONFIG, policy: HandBack.manual }
const returned = { isSettled: false, usableSinceMs: 1000, isReleased: false }

describe('a proxy that came back', () => {
  test.each([
    ['waits', returned, CONFIG, 30_999, false],
    ['not for ever', returned, CONFIG, 31_000, true],
    ['waits for a person with policy Manual', returned, MANUAL, 1e12, false],
    ['who says so', { ...returned, isReleased: true }, MANUAL, 1000, true],
    [
      'does not wait if it has slots or is new',
      { ...returned, isSettled: true },
      MANUAL,
      1000,
      true,
    ],
  ])('%s', (_, member, config, nowMs, expected) => {
    expect(isHandBackDue(member, config, nowMs)).toBe(expected)
  })
})

describe('the budget', () => {
  test('is maxMovedPercent of the slots, one at least', () => {
    expect(handBackBudget([], CONFIG, 4096, 0)).toBe(409)
    expect(handBackBudget([], { ...CONFIG, maxMovedPercent: 1 }, 64, 0)).toBe(1)
  })

  test('comes back one per after it was spent', () => {
    const early = spendHandBack([], 300, CONFIG, 0)
    const spent = spendHandBack(early, 109, CONFIG, 4000)
    expect(handBackBudget(spent, CONFIG, 4096, 9999)).toBe(0)
    expect(handBackGrowsAtMs(spent, CONFIG, 9999)).toBe(10_000)
    expect(handBackBudget(spent, CONFIG, 4096, 10_000)).toBe(300)
    expect(handBackBudget(spent, CONFIG, 4096, 14_000)).toBe(409)
    expect(handBackGrowsAtMs(spent, CONFIG, 14_000)).toBe(null)
  })

  test('never lets more than its share move within any window, however it is spent', () => {
    const steps = fc.array(fc.record({ pauseMs: fc.nat(4000), wish: fc.nat(500) }), {
      maxLength: 300,
    })
    fc.assert(
      fc.property(steps, (list) => {
        let spending: HandBackSpending = []
        let nowMs = 0
        const moves: { readonly atMs: number; readonly slots: number }[] = []
        for (const { pauseMs, wish } of list) {
          nowMs += pauseMs % 97 === 0 ? pauseMs : pauseMs % 50
          const slots = Math.min(wish % 20, handBackBudget(spending, CONFIG, 4096, nowMs))
          spending = spendHandBack(spending, slots, CONFIG, nowMs)
          moves.push({ atMs: nowMs, slots })
          const window = moves.filter(({ atMs }) => atMs > nowMs - CONFIG.perMs)
          expect(window.reduce((sum, move) => sum + move.slots, 0)).toBeLessThanOrEqual(409)
          expect(spending.length).toBeLessThanOrEqual(SPENDINGS_MAX)
        }
      }),
    )
  })
})
