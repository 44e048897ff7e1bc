/**
 * Things in order of when they are due: a binary heap whose items know their place, so that any of
 * them can be moved or taken out in logarithmic time.
 */

export interface Due {
  /** Written by the queue only. */
  dueMs: number
  /** Its place in the heap, -1 outside; written by the queue only. */
  place: number
}

export class DueQueue<T extends Due> {
  readonly #heap: T[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The one due first; it stays. */
  first(): T | undefined {
    return this.#heap[0]
  }

  /** Puts the item in, or moves it. */
  set(item: T, dueMs: number): void {
    item.dueMs = dueMs
    if (item.place < 0) {
      item.place = this.#heap.length
      this.#heap.push(item)
    }
    this.#rise(item)
    this.#sink(item)
  }

  /** Takes the item out, if it is in. */
  delete(item: T): void {
    const { place } = item
    if (place < 0) return
    const last = this.#heap.pop()!
    item.place = -1
    if (last === item) return
    this.#put(last, place)
    this.#rise(last)
    this.#sink(last)
  }

  #rise(item: T): void {
    while (item.place > 0) {
      const parent = this.#heap[(item.place - 1) >> 1]!
      if (parent.dueMs <= item.dueMs) return
      this.#swap(item, parent)
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#heap[2 * item.place + 1]
      const right = this.#heap[2 * item.place + 2]
      const child = right !== undefined && right.dueMs < left!.dueMs ? right : left
      if (child === undefined || child.dueMs >= item.dueMs) return
      this.#swap(child, item)
    }
  }

  #swap(a: T, b: T): void {
    const { place } = a
    this.#put(a, b.place)
    this.#put(b, place)
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item
    item.place = place
  }
}
