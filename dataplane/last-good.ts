/**
 * Copies of the tables in use, for a start without operator or API. Not here: the disk (`io/`). Invariants:
 * only tables that came into use are kept; a copy that cannot be written is tried again and stands in
 * nobody's way; a removed SipProxy's last table is kept too, so that no older one revives it after a restart.
 */

import { UNSAVED_MAX, WRITE_RETRY_MS } from './limits.ts'
import type { Clock, LastGoodStore } from './ports.ts'

export class LastGood {
  readonly #store: LastGoodStore
  readonly #clock: Clock
  /** By id: the text to save, null to remove. At most one per SipProxy. */
  readonly #unsaved = new Map<string, string | null>()
  #retryMs = -Infinity

  constructor(store: LastGoodStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  keep(id: string, text: string): void {
    this.#add(id, text)
  }

  forget(id: string): void {
    this.#add(id, null)
  }

  /**
   * Writes what is not written yet; false: too early after a failure. Fails with StoreError at the first copy that
   * can't be written, the rest waits.
   */
  async save(): Promise<boolean> {
    if (this.#clock.monotonicMs() < this.#retryMs) return false
    this.#retryMs = this.#clock.monotonicMs() + WRITE_RETRY_MS
    for (const [id, text] of this.#unsaved) {
      await (text === null ? this.#store.remove(id) : this.#store.save(id, text))
      if (this.#unsaved.get(id) === text) this.#unsaved.delete(id)
    }
    this.#retryMs = -Infinity
    return true
  }

  #add(id: string, text: string | null): void {
    this.#unsaved.delete(id)
    this.#unsaved.set(id, text)
    if (this.#unsaved.size <= UNSAVED_MAX) return
    const [oldest] = this.#unsaved.keys()
    this.#unsaved.delete(oldest!)
  }
}
