/**
 * Follows a set of objects: lists them once, then watches, for ever. What changes is told once, in order; only what
 * `take` returns is kept.
 *
 *   list ──► watch ──► closed cleanly, or silent: watch again at once
 *    ▲         ├─────► failed: watch again after a back-off (0.1 s … 2 s)
 *    └─────────┴─────► 410, or an answer that makes no sense: list again
 *
 * Not here: what to do about a change (the caller only marks work). Invariants: it ends only by `stop`; a list older
 * than what is known is refused; trouble is told once, when it begins and when it ends.
 */
import { ApiError, ApiErrorCode, unavailable } from './api-error.ts'
import { type ApiObject, isOlder } from './api-object.ts'
import type { ApiServer, Query } from './api-server.ts'
import { BackOff } from './back-off.ts'
import { type Clock, pause } from './clock.ts'
import { RENEWED } from './connections.ts'
import { KeptObjects, type Listing } from './kept-objects.ts'
import {
  CLEAN_CLOSE_JITTER_MS,
  STALE_LIST_MS_MAX,
  WATCH_LIFE_MS_MIN,
  WATCH_SECONDS,
} from './limits.ts'
import { resourceOf } from './paths.ts'
import type { WatchEvent } from './watch-stream.ts'

export interface ListWatchOptions<T> {
  readonly api: ApiServer
  /** Of the collection (paths.ts). */
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Objects in one page of a list; default PAGE_SIZE. Fewer where they are large: a page is in memory at once. */
  readonly pageSize?: number
  /** What is kept of an object. */
  readonly take: (object: ApiObject) => T
  /** `value` is null where it is gone, `last` where it was not known. `id`: `NAMESPACE/NAME`, or `NAME`. */
  readonly onChange: (id: string, value: T | null, last: T | null) => void
  /** Why changes may be missing, once it begins; null: they no longer are. */
  readonly onTrouble?: (message: string | null) => void
  /** An error thrown by `take` or `onChange`: a defect of the program. Default: a warning of the process. */
  readonly onDefect?: (error: unknown, id: string) => void
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random: () => number
}

/** Why changes may be missing; times by the clock given. */
export interface WatchTrouble {
  readonly sinceMs: number
  readonly code: ApiErrorCode
  /** Since when every failure has had this code. */
  readonly codeSinceMs: number
  /** Of the first failure with this code: words that change with each try are no news. */
  readonly message: string
}

export class ListWatch<T> {
  readonly #options: ListWatchOptions<T>
  readonly #objects: KeptObjects<T>
  readonly #backOff: BackOff
  readonly #synced = Promise.withResolvers<void>()
  #isSynced = false
  /** Where a watch goes on from; null: list first. */
  #version: string | null = null
  /** The version of the last complete list or later. */
  #newest: string | undefined
  #staleSinceMs: number | null = null
  #trouble: WatchTrouble | null = null
  #running: AbortController | null = null

  constructor(options: ListWatchOptions<T>) {
    this.#options = options
    const { take, onChange, onDefect = warn } = options
    this.#objects = new KeptObjects({ take, onChange, onDefect })
    this.#backOff = new BackOff(options.random)
  }

  get isSynced(): boolean {
    return this.#isSynced
  }

  /** Null: all is well. */
  get trouble(): WatchTrouble | null {
    return this.#trouble
  }

  start(): void {
    if (this.#running !== null) return
    this.#running = new AbortController()
    void this.#run(this.#running.signal)
  }

  /** Nothing is told any more; what is kept stays readable. */
  stop(): void {
    this.#running?.abort()
    this.#running = null
  }

  /** Resolves with the first complete list, however late. */
  synced(): Promise<void> {
    return this.#synced.promise
  }

  get(id: string): T | undefined {
    return this.#objects.get(id)
  }

  entries(): Iterable<[string, T]> {
    return this.#objects.entries()
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const delayMs = await this.#attempt(signal)
      if (delayMs > 0) await pause(this.#options.clock, delayMs, signal)
    }
  }

  /** One list or one watch; resolves to the delay before the next. */
  async #attempt(signal: AbortSignal): Promise<number> {
    try {
      if (this.#version === null) {
        await this.#list(signal)
        return 0
      }
      return await this.#watch(this.#version, signal)
    } catch (error) {
      return signal.aborted ? 0 : this.#afterFailure(error)
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { api, path, pageSize } = this.#options
    const query = { ...this.#selectors(), ...(pageSize === undefined ? {} : { limit: pageSize }) }
    const listing: Listing<T> = new Map()
    let version = ''
    for await (const page of api.pages(path, query, { signal })) {
      version = page.resourceVersion
      for (const object of page.items) this.#objects.collect(listing, object)
    }
    signal.throwIfAborted()
    this.#refuseStale(version)
    this.#version = version
    this.#newest = version
    this.#wellAgain()
    this.#objects.replaceAll(listing)
    this.#isSynced = true
    this.#synced.resolve()
  }

  /** A replica that lags behind answers with what was; a restored etcd does so for good. */
  #refuseStale(version: string): void {
    const nowMs = this.#options.clock.nowMs()
    if (isOlder(version, this.#newest) !== true) {
      this.#staleSinceMs = null
      return
    }
    this.#staleSinceMs ??= nowMs
    if (nowMs - this.#staleSinceMs >= STALE_LIST_MS_MAX) {
      this.#staleSinceMs = null
      return
    }
    const message = `the list is of version ${version}, older than ${this.#newest}`
    throw unavailable(message, 'StaleList')
  }

  async #watch(version: string, signal: AbortSignal): Promise<number> {
    const { api, path, clock, random } = this.#options
    const startMs = clock.nowMs()
    const query = {
      ...this.#selectors(),
      resourceVersion: version,
      allowWatchBookmarks: true,
      timeoutSeconds: WATCH_SECONDS,
    }
    let events = 0
    for await (const event of api.watch(path, query, signal)) {
      if (signal.aborted) return 0
      events += 1
      this.#wellAgain()
      this.#see(event)
    }
    if (events === 0 && clock.nowMs() - startMs < WATCH_LIFE_MS_MIN) return this.#backOff.next()
    this.#wellAgain()
    return random() * CLEAN_CLOSE_JITTER_MS
  }

  #see({ type, object }: WatchEvent): void {
    const version = object.metadata.resourceVersion
    if (version !== undefined) {
      this.#version = version
      if (isOlder(version, this.#newest) !== true) this.#newest = version
    }
    if (type === 'DELETED') this.#objects.remove(object)
    else if (type !== 'BOOKMARK') this.#objects.put(object)
  }

  #afterFailure(error: unknown): number {
    if (!(error instanceof ApiError)) throw error
    if (error.reason === RENEWED) return 0
    if (!error.isTransient) this.#version = null
    // History that is over is no trouble, unless listing again does not help.
    if (error.code === ApiErrorCode.gone && this.#backOff.failures === 0) {
      return this.#backOff.next() / 2
    }
    this.#inTrouble(this.#troubleOf(error), error.code)
    return this.#backOff.next(error.retryAfterMs)
  }

  /** A collection is there, if empty, wherever its resource is known. */
  #troubleOf({ code, message }: ApiError): string {
    if (code !== ApiErrorCode.notFound) return message
    return `the API server has no ${resourceOf(this.#options.path)}: are its CustomResourceDefinitions installed?`
  }

  #inTrouble(message: string, code: ApiErrorCode): void {
    const last = this.#trouble
    if (last?.code === code) return
    const codeSinceMs = this.#options.clock.nowMs()
    this.#trouble = { sinceMs: last?.sinceMs ?? codeSinceMs, code, codeSinceMs, message }
    if (last === null) this.#options.onTrouble?.(message)
  }

  #wellAgain(): void {
    this.#backOff.reset()
    if (this.#trouble === null) return
    this.#trouble = null
    this.#options.onTrouble?.(null)
  }

  #selectors(): Query {
    const { labelSelector, fieldSelector } = this.#options
    return { labelSelector, fieldSelector }
  }
}

function warn(error: unknown, id: string): void {
  const what = error instanceof Error ? error.stack : String(error)
  process.emitWarning(`handling ${id} failed: ${what}`)
}
