/**
 * What people want of this node, kept for a start without the API server: whether it is to be out of service, and what
 * its announcer is to do. Not here: the disk (`io/`), where it comes from. Invariants: what is known now counts, and
 * until something is, what was known last; a copy that cannot be read or written stands in nobody's way.
 */

import { LastGood } from './last-good.ts'
import { isRecord, readJson } from './plain-json.ts'
import type { Clock, LastGoodStore } from './ports.ts'
import { isOrders, type Orders } from './proof.ts'

/** Where it is kept; no table's id, as these have a dot. */
export const ORDERS_ID = 'orders'

/** Null is what nobody knows, or what there is no cluster for. */
export interface Wanted {
  readonly orders: Orders | null
  readonly isInMaintenance: boolean | null
}

export class LastOrders {
  readonly #store: LastGoodStore
  readonly #lastGood: LastGood
  #wanted: Wanted = { orders: null, isInMaintenance: null }
  #keptText = ''

  constructor(store: LastGoodStore, clock: Clock) {
    this.#store = store
    this.#lastGood = new LastGood(store, clock)
  }

  /** Takes up what was kept; one that is no such thing is none. Fails with StoreError. */
  async recall(): Promise<boolean> {
    const text = (await this.#store.read(ORDERS_ID)) ?? ''
    const wanted = readJson(text)
    if (isWanted(wanted)) {
      this.#wanted = wanted
      this.#keptText = text
    }
    return true
  }

  /** @returns what counts */
  take({ orders, isInMaintenance }: Wanted): Wanted {
    this.#wanted = {
      orders: orders ?? this.#wanted.orders,
      isInMaintenance: isInMaintenance ?? this.#wanted.isInMaintenance,
    }
    return this.#wanted
  }

  /** Keeps it where all of it is known; false: too early after a failure. Fails with StoreError. */
  async keep(): Promise<boolean> {
    const text = JSON.stringify(this.#wanted)
    if (isWanted(this.#wanted) && text !== this.#keptText) {
      this.#keptText = text
      this.#lastGood.keep(ORDERS_ID, text)
    }
    return await this.#lastGood.save()
  }
}

function isWanted(value: unknown): value is Wanted {
  if (!isRecord(value)) return false
  const { orders, isInMaintenance } = value
  return orders !== null && isOrders(orders) && typeof isInMaintenance === 'boolean'
}
