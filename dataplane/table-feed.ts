/**
 * Feeds documents to `tables.ts`: last good copies at the start, published ones from then on, and keeps
 * copies of those that come into use. Not here: checking and ordering them, when to look. Invariants: a
 * document that can't be read now is read in a later pass and holds up no other; however many come at
 * once, few of their texts are in memory at a time.
 */

import { LastGood } from './last-good.ts'
import { ORDERS_ID } from './last-orders.ts'
import { API_PATIENCE_MS, RELIEF_LENGTH, RELIEF_REST_LENGTH } from './limits.ts'
import {
  type Clock,
  type LastGoodStore,
  StoreError,
  StoreErrorCode,
  type TableListing,
  type TableSource,
} from './ports.ts'
import type { BalancerState } from './state.ts'

export interface TableFeedOptions {
  readonly source: TableSource
  readonly lastGood: LastGoodStore
  readonly clock: Clock
  /** Gives garbage back to the system; called after a heap of documents. */
  readonly releaseMemory: () => void
}

export class TableFeed {
  readonly #options: TableFeedOptions
  readonly #state: BalancerState
  readonly #lastGood: LastGood
  /** Of the documents read last, by id. */
  #versions: ReadonlyMap<string, string> = new Map()
  /** Characters read since memory was released. */
  #lengthRead = 0
  #earlyFailure: StoreError | null = null

  constructor(options: TableFeedOptions, state: BalancerState) {
    this.#options = options
    this.#state = state
    this.#lastGood = new LastGood(options.lastGood, options.clock)
  }

  /** Takes up the last good tables. Fails with StoreError. */
  async recall(): Promise<boolean> {
    const { lastGood } = this.#options
    const ids = (await lastGood.list()).filter((id) => id !== ORDERS_ID)
    await forEach(ids, async (id) => {
      const text = await lastGood.read(id)
      if (text === undefined) return
      this.#offer(id, text)
      // What was just read needs no new copy.
      this.#state.tables.settle(this.#state.keys.ids)
      this.#relieve(text)
    })
    return true
  }

  /** Reads the published documents whose version is new; false: none is known yet. Fails with StoreError. */
  async read(): Promise<boolean> {
    const listings = await this.#options.source.list()
    const lengthBefore = this.#lengthRead
    if (listings !== null) await this.#readNew(listings)
    if (this.#lengthRead === lengthBefore) this.#relieveRest()
    this.#checkStaleness()
    return listings !== null
  }

  async #readNew(listings: readonly TableListing[]): Promise<void> {
    const { source } = this.#options
    const known = this.#versions
    const versions = new Map<string, string>()
    this.#versions = versions
    this.#state.listed = new Set(listings.map(({ id }) => id))
    await forEach(listings, async ({ id, version }) => {
      if (known.get(id) !== version) {
        const text = await source.read(id)
        if (text === undefined) return
        this.#offer(id, text)
        if (this.#relieve(text)) await this.#saveEarly()
      }
      versions.set(id, version)
    })
    if (versions.size === listings.length) this.#state.isCaughtUp = true
  }

  /** What is known is served on; that there may be more is said. Fails with StoreError. */
  #checkStaleness(): void {
    const { source, clock } = this.#options
    const stale = source.staleness()
    this.#state.staleSinceMs = stale?.sinceMs ?? null
    if (stale === null || clock.monotonicMs() - stale.sinceMs < API_PATIENCE_MS) return
    throw new StoreError(StoreErrorCode.unavailable, `tables may be old: ${stale.message}`)
  }

  /** Puts into use what may be used now. */
  settle(): void {
    const { tables, keys, listed } = this.#state
    for (const { id, text } of tables.settle(keys.ids)) this.#lastGood.keep(id, text)
    if (listed !== null) for (const id of tables.forget(listed)) this.#lastGood.forget(id)
  }

  /** Writes the copies of what came into use; false: too early after a failure. Fails with StoreError. */
  async keepCopies(): Promise<boolean> {
    const failure = this.#earlyFailure
    this.#earlyFailure = null
    if (failure !== null) throw failure
    return await this.#lastGood.save()
  }

  #offer(id: string, text: string | null): void {
    const offer = this.#state.tables.offer(id, text)
    if (offer.kind === 'refused') this.#state.tallies.tableRefused(offer.reason)
  }

  /** True after so much text that it should leave memory. */
  #relieve(text: string | null): boolean {
    this.#lengthRead += text?.length ?? 0
    if (this.#lengthRead < RELIEF_LENGTH) return false
    this.#lengthRead = 0
    this.#options.releaseMemory()
    return true
  }

  /** No text came: what is left of those that did may go as well. */
  #relieveRest(): void {
    if (this.#lengthRead < RELIEF_REST_LENGTH) return
    this.#lengthRead = 0
    this.#options.releaseMemory()
  }

  /** The texts are held until they are on disk: not all of them until the last one is read. */
  async #saveEarly(): Promise<void> {
    this.settle()
    try {
      await this.#lastGood.save()
    } catch (error) {
      // Told by keepCopies: it is no reason not to read on.
      if (!(error instanceof StoreError)) throw error
      this.#earlyFailure = error
    }
  }
}

/** Does all, also after one could not be read or written; then fails as the first did. */
async function forEach<Item>(
  items: readonly Item[],
  action: (item: Item) => Promise<void>,
): Promise<void> {
  let first: StoreError | null = null
  for (const item of items) {
    try {
      await action(item)
    } catch (error) {
      // Anything but the world's refusal is a defect of ours and must be seen.
      if (!(error instanceof StoreError)) throw error
      first ??= error
    }
  }
  if (first !== null) throw first
}
