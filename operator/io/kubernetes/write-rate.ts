/**
 * How fast the API server is written to: a token bucket whose tokens go to what matters most first. A flood of status
 * never holds up a table.
 * Invariant: whoever waits gets a token in the end, in order of rank, then of coming.
 */
import { WRITE_BURST, WRITES_PER_SECOND } from '../../limits.ts'
import type { Clock } from '../../ports.ts'

/** Lower goes first. */
export const WriteRank = { table: 0, gate: 1, status: 2, event: 3 } as const
export type WriteRank = (typeof WriteRank)[keyof typeof WriteRank]

export class WriteRate {
  readonly #clock: Clock
  readonly #perMs: number
  readonly #burst: number
  readonly #waiting: (() => void)[][] = [[], [], [], []]
  #tokens: number
  #countedMs: number
  #isWaiting = false

  constructor(clock: Clock, perSecond = WRITES_PER_SECOND, burst = WRITE_BURST) {
    this.#clock = clock
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#countedMs = clock.monotonicMs()
  }

  /** Resolves when one write of this rank may begin. */
  async token(rank: WriteRank): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting[rank]?.push(resolve)
      this.#give()
    })
  }

  #give(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#countedMs) * this.#perMs)
    this.#countedMs = nowMs
    while (this.#tokens >= 1) {
      const next = this.#waiting.find((queue) => queue.length > 0)?.shift()
      if (next === undefined) return
      this.#tokens -= 1
      next()
    }
    if (this.#isWaiting || this.#waiting.every((queue) => queue.length === 0)) return
    this.#isWaiting = true
    this.#clock.after((1 - this.#tokens) / this.#perMs, () => {
      this.#isWaiting = false
      this.#give()
    })
  }
}
