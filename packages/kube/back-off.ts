/** How long to wait before the next attempt: jittered and doubling, so that a thousand clients do not come at once. */
import { BACK_OFF_MS_MAX, BACK_OFF_MS_MIN, RETRY_AFTER_MS_MAX } from './limits.ts'

export class BackOff {
  readonly #random: () => number
  #failures = 0

  constructor(random: () => number) {
    this.#random = random
  }

  get failures(): number {
    return this.#failures
  }

  reset(): void {
    this.#failures = 0
  }

  /** Milliseconds until the attempt after this failure; the server's own wish counts, within bounds. */
  next(retryAfterMs: number | null = null): number {
    const ceiling = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** Math.min(this.#failures, 10))
    this.#failures += 1
    const jittered = ceiling / 2 + (this.#random() * ceiling) / 2
    if (retryAfterMs === null) return jittered
    return Math.min(retryAfterMs, RETRY_AFTER_MS_MAX) + jittered / 4
  }
}
