import { describe, expect, it } from 'vitest'
import { endpoint } from './forward.fixture.ts'
import { LOCAL_REPLIES_BURST } from './limits.ts'
import { RateLimiter, ReplyBudget } from './rate-limiter.ts'

const limit = { perSource: 10, burst: 5 }

describe('RateLimiter', () => {
  const count = (limiter: RateLimiter, from: string, nowMs: number, tries = 20): number => {
    let taken = 0
    for (let i = 0; i < tries; i++) if (limiter.take(endpoint(from), 0, 1, limit, nowMs)) taken++
    return taken
  }

  it('lets a burst through, then the rate', () => {
    const limiter = new RateLimiter()
    expect(count(limiter, '198.51.100.1:1', 1000)).toBe(5)
    expect(count(limiter, '198.51.100.1:1', 1200)).toBe(2)
    expect(count(limiter, '198.51.100.1:1', 60_000)).toBe(5)
  })

  it('counts addresses, whatever the port; IPv6 by /64', () => {
    const limiter = new RateLimiter()
    expect(count(limiter, '198.51.100.1:1', 0)).toBe(5)
    expect(count(limiter, '198.51.100.1:2', 0)).toBe(0)
    expect(count(limiter, '198.51.100.2:1', 0)).toBe(5)
    expect(count(limiter, '[2001:db8:0:1::1]:1', 0)).toBe(5)
    expect(count(limiter, '[2001:db8:0:1:ffff::2]:1', 0)).toBe(0)
    expect(count(limiter, '[2001:db8:0:2::1]:1', 0)).toBe(5)
  })

  it('a clock that goes back gives nothing and takes nothing', () => {
    const limiter = new RateLimiter()
    expect(count(limiter, '198.51.100.1:1', 10_000, 4)).toBe(4)
    expect(count(limiter, '198.51.100.1:1', 5_000)).toBe(1)
  })

  it('a flood of sources costs others at most their history, never their packets', () => {
    const limiter = new RateLimiter()
    for (let i = 0; i < 200_000; i++) {
      limiter.take(Int32Array.from([0, 0, 0xffff, i, 1]), 0, 1, limit, 1000 + i / 1000)
    }
    expect(count(limiter, '198.51.100.1:1', 2000)).toBeGreaterThanOrEqual(5)
  })
})

it('ReplyBudget is shared by all', () => {
  const budget = new ReplyBudget()
  const taken = Array.from({ length: 2000 }, () => budget.take(1_000_000)).filter(Boolean).length
  expect(taken).toBe(LOCAL_REPLIES_BURST)
  expect(budget.take(1_000_001)).toBe(true)
})
