/** The timer values of RFC 3261 (appendix A). Tests may shorten T1; everything else follows from it. */
export interface Timers {
  readonly t1Ms: number
  readonly t2Ms: number
  readonly t4Ms: number
}

export const RFC_TIMERS: Timers = { t1Ms: 500, t2Ms: 4_000, t4Ms: 5_000 }

/** Timers B, F, H, L, M. */
export function transactionTimeoutMs(timers: Timers): number {
  return 64 * timers.t1Ms
}

/** A timer that doubles up to a ceiling, as A, E and G do, until it is stopped. */
export class Backoff {
  #timer: NodeJS.Timeout | null = null
  #delayMs = 0

  start(delayMs: number, ceilingMs: number, action: () => void): void {
    this.stop()
    this.#delayMs = delayMs
    this.#timer = setTimeout(() => {
      action()
      if (this.#timer !== null)
        this.start(Math.min(this.#delayMs * 2, ceilingMs), ceilingMs, action)
    }, delayMs)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
