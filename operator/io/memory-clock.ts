/** A clock that stands still until told to go on, and random numbers that come in order: for tests and simulation. */
import type { Clock, Random } from '../ports.ts'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

export class MemoryClock implements Clock {
  #nowMs: number
  #timers: Timer[] = []

  constructor(nowMs = Date.UTC(2026, 10, 23, 9)) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Lets the time pass: timers fire at their own time, and what they started asynchronously settles in between. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs
    await settled()
    for (;;) {
      const due = this.#timers
        .filter(({ atMs }) => atMs <= endMs)
        .reduce<Timer | null>((a, b) => (a === null || b.atMs < a.atMs ? b : a), null)
      if (due === null) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      due.callback()
      await settled()
    }
    this.#nowMs = endMs
    await settled()
  }
}

/** One turn of the event loop after which all promises without I/O have settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** @param seed makes the numbers of one process differ from those of the next. */
export function memoryRandom(seed = 0): Random {
  let drawn = seed
  return {
    uuid: () => `00000000-0000-4000-8000-${String(++drawn).padStart(12, '0')}`,
    hex: (bytes) => (++drawn).toString(16).padStart(bytes * 2, '0'),
    fraction: () => 0.5,
  }
}
