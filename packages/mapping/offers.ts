/**
 * Offers to put a slot into a bin, best first: a binary heap in typed arrays, ordered by gain, then by the lower
 * slot. At most one offer per slot at a time, so the order is total.
 *
 *     entry   0        1        2      …     children of i: 2i + 1, 2i + 2
 *     gains  best …
 */
export class Offers {
  readonly #gains: Int32Array
  readonly #slots: Int32Array
  readonly #bins: Int32Array
  #size = 0

  constructor(sizeMax: number) {
    this.#gains = new Int32Array(sizeMax)
    this.#slots = new Int32Array(sizeMax)
    this.#bins = new Int32Array(sizeMax)
  }

  get size(): number {
    return this.#size
  }

  /** Of the best offer; meaningless when there is none. */
  get slot(): number {
    return this.#slots[0]!
  }

  get bin(): number {
    return this.#bins[0]!
  }

  push(slot: number, bin: number, gain: number): void {
    let entry = this.#size++
    while (entry > 0) {
      const parent = (entry - 1) >> 1
      if (!this.#isBetter(gain, slot, parent)) break
      this.#copy(parent, entry)
      entry = parent
    }
    this.#set(entry, slot, bin, gain)
  }

  /** Drops the best offer. */
  pop(): void {
    const last = --this.#size
    this.#sink(this.#slots[last]!, this.#bins[last]!, this.#gains[last]!)
  }

  /** Puts another offer for its slot in place of the best one. */
  replace(bin: number, gain: number): void {
    this.#sink(this.slot, bin, gain)
  }

  /** Fills the root with an offer and lets it sink to its place. */
  #sink(slot: number, bin: number, gain: number): void {
    let entry = 0
    for (;;) {
      let child = 2 * entry + 1
      if (child >= this.#size) break
      const right = child + 1
      if (right < this.#size && this.#isBetter(this.#gains[right]!, this.#slots[right]!, child)) {
        child = right
      }
      if (this.#isBetter(gain, slot, child)) break
      this.#copy(child, entry)
      entry = child
    }
    this.#set(entry, slot, bin, gain)
  }

  #isBetter(gain: number, slot: number, than: number): boolean {
    const other = this.#gains[than]!
    return gain > other || (gain === other && slot < this.#slots[than]!)
  }

  #copy(from: number, to: number): void {
    this.#set(to, this.#slots[from]!, this.#bins[from]!, this.#gains[from]!)
  }

  #set(entry: number, slot: number, bin: number, gain: number): void {
    this.#slots[entry] = slot
    this.#bins[entry] = bin
    this.#gains[entry] = gain
  }
}
