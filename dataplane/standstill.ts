/**
 * For how long a count has stood still, as far as somebody looked. Invariant: time in which nobody looked counts
 * little: whoever stood still himself has not seen the others stand still.
 */

export class Standstill {
  readonly #gapMaxMs: number
  #count = 0
  #lookedMs = -Infinity
  #stillMs = Infinity

  /** @param gapMaxMs of a longer time between two looks no more than this counts */
  constructor(gapMaxMs: number) {
    this.#gapMaxMs = gapMaxMs
  }

  /** @returns milliseconds; Infinity as long as nothing was ever counted */
  look(count: number, nowMs: number): number {
    const gapMs = Math.min(nowMs - this.#lookedMs, this.#gapMaxMs)
    this.#stillMs = count > this.#count ? 0 : this.#stillMs + gapMs
    this.#count = count
    this.#lookedMs = nowMs
    return this.#stillMs
  }
}
