/**
 * For how long a count has stood still, as far as somebody looked. Invariant: time in which nobody looked counts
 * little: whoever stood still himself has not seen the others stand still.
 */

import { LOOK_GAP_MAX_MS } from './limits.ts'

export class Standstill {
  #count = 0
  #lookedMs = -Infinity
  #stillMs = Infinity

  /** @returns milliseconds; Infinity as long as nothing was ever counted */
  look(count: number, nowMs: number): number {
    const gapMs = Math.min(nowMs - this.#lookedMs, LOOK_GAP_MAX_MS)
    this.#stillMs = count > this.#count ? 0 : this.#stillMs + gapMs
    this.#count = count
    this.#lookedMs = nowMs
    return this.#stillMs
  }
}
