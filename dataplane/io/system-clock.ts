/** The machine's clock and timers, and its chance. */

import { performance } from 'node:perf_hooks'
import type { Clock } from '../ports.ts'

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  iso: () => new Date().toISOString(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.max(0, Math.ceil(delayMs)))
    return () => clearTimeout(timer)
  },
}

/** From 0 to below 1. */
export const systemRandom = (): number => Math.random()
