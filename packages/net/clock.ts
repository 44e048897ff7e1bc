/** Time as an argument: the machine's, or one that tests move by hand. */

import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Monotonic, with fractions. */
  nowMs(): number
  /** Calls back once after `delayMs`; the returned function prevents it. */
  setTimer(delayMs: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, Math.ceil(delayMs))
    return () => clearTimeout(timer)
  },
}

interface ManualTimer {
  readonly atMs: number
  callback: (() => void) | undefined
}

/** A clock that stands still until told: timers fire in order of their time, then of their making. */
export class ManualClock implements Clock {
  #nowMs: number
  /** By time, then age; stopped ones stay in their place without a callback. */
  readonly #timers: ManualTimer[] = []

  constructor(nowMs = 0) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer: ManualTimer = { atMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#timers.splice(this.#placeFor(timer.atMs), 0, timer)
    return () => {
      timer.callback = undefined
    }
  }

  /** When the next timer is due, or undefined. */
  nextTimerMs(): number | undefined {
    while (this.#timers.length > 0 && this.#timers[0]!.callback === undefined) this.#timers.shift()
    return this.#timers[0]?.atMs
  }

  /** Moves time on, firing what falls due on the way at its own time. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs
    for (;;) {
      const dueMs = this.nextTimerMs()
      if (dueMs === undefined || dueMs > endMs) break
      this.#nowMs = dueMs
      this.#timers.shift()!.callback!()
    }
    this.#nowMs = endMs
  }

  /** The first place behind all timers that are due no later. */
  #placeFor(atMs: number): number {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#timers[middle]!.atMs <= atMs) low = middle + 1
      else high = middle
    }
    return low
  }
}
