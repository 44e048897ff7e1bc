/**
 * Writes that a pass does not wait for: status, readiness gates. Of two for the same thing only the later is written;
 * one that failed is tried again until it succeeds, is replaced, or has nothing left to be about.
 * Not here: what is written. Invariants: at most OUTBOX_AT_ONCE_MAX writes at a time, one per thing; a failure that
 * concerns everybody is told once, one that only this thing has, once for it; nothing is written without the lease.
 */
import { ApiError, ApiErrorCode } from '@sipcast/kube'
import { OUTBOX_AT_ONCE_MAX, OUTBOX_RETRY_DELAY_MAX_MS, RETRY_DELAY_MIN_MS } from '../../limits.ts'
import type { Clock, Key, Random, Tell } from '../../ports.ts'
import type { WriteRank, WriteRate } from './write-rate.ts'

export interface Letter {
  /** What it is about: replaces an unwritten one of the same id. */
  readonly id: string
  readonly rank: WriteRank
  /** For people: `status of default/voice`. */
  readonly name: string
  /** The SipProxy that it is about, if it is one. */
  readonly key: Key | null
  readonly write: () => Promise<void>
}

interface Entry {
  letter: Letter
  /** There is a later letter than the one under way. */
  isReplaced: boolean
  failures: number
  told: string
  cancelRetry: (() => void) | null
}

export interface OutboxOptions {
  readonly clock: Clock
  readonly random: Random
  readonly tell: Tell
  readonly rate: WriteRate
  /** Whether nobody else can be writing now. */
  readonly mayWrite: () => boolean
  readonly onFailure: (error: ApiError, rank: WriteRank) => void
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #entries = new Map<string, Entry>()
  /** By rank. */
  readonly #ready: Entry[][] = [[], [], [], []]
  #underWay = 0
  #failingTold = false
  #isStopped = false
  #onIdle: (() => void) | null = null

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  put(letter: Letter): void {
    if (this.#isStopped) return
    const entry = this.#entries.get(letter.id)
    if (entry !== undefined) {
      entry.letter = letter
      entry.isReplaced = true
      return
    }
    const added = {
      letter,
      isReplaced: false,
      failures: 0,
      told: '',
      cancelRetry: null,
    }
    this.#entries.set(letter.id, added)
    this.#enqueue(added)
  }

  /** What waits for its retry is tried now. */
  retryNow(): void {
    for (const entry of this.#entries.values()) {
      if (entry.cancelRetry === null) continue
      entry.cancelRetry()
      entry.cancelRetry = null
      this.#enqueue(entry)
    }
  }

  /** Starts nothing new; resolves when no write is under way. What was not written, the next operator finds again. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const queue of this.#ready) queue.length = 0
    for (const { cancelRetry } of this.#entries.values()) cancelRetry?.()
    if (this.#underWay === 0) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  #enqueue(entry: Entry): void {
    if (this.#isStopped) return
    this.#ready[entry.letter.rank]?.push(entry)
    this.#start()
  }

  #start(): void {
    while (this.#underWay < OUTBOX_AT_ONCE_MAX) {
      const entry = this.#ready.find((queue) => queue.length > 0)?.shift()
      if (entry === undefined) return
      this.#underWay++
      void this.#send(entry)
    }
  }

  async #send(entry: Entry): Promise<void> {
    await this.#options.rate.token(entry.letter.rank)
    const { letter } = entry
    entry.isReplaced = false
    try {
      if (!this.#options.mayWrite()) throw LEASE_IN_DOUBT
      await letter.write()
      this.#noteSuccess(entry)
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause
      this.#noteFailure(entry, cause)
    }
    this.#underWay--
    if (this.#isStopped && this.#underWay === 0) this.#onIdle?.()
    this.#start()
  }

  #noteSuccess(entry: Entry): void {
    const { tell } = this.#options
    if (entry.told !== '' || this.#failingTold) {
      this.#failingTold = false
      const message = `${entry.letter.name} can be written again`
      tell({ level: 'info', event: 'StoreRecovered', ...aboutOf(entry.letter), message })
    }
    entry.failures = 0
    entry.told = ''
    this.#finish(entry)
  }

  #noteFailure(entry: Entry, cause: ApiError): void {
    const { letter } = entry
    if (isPointless(cause)) {
      this.#finish(entry)
      return
    }
    this.#options.onFailure(cause, letter.rank)
    entry.failures++
    if (cause.code !== ApiErrorCode.conflict) this.#tellFailure(entry, cause)
    if (this.#isStopped) return
    const delayMs = Math.max(this.#retryDelayMs(entry.failures), cause.retryAfterMs ?? 0)
    entry.cancelRetry = this.#options.clock.after(delayMs, () => {
      entry.cancelRetry = null
      this.#enqueue(entry)
    })
  }

  #tellFailure(entry: Entry, { isTransient, message: why }: ApiError): void {
    const message = `${entry.letter.name} cannot be written: ${why}`
    if (isTransient ? this.#failingTold : entry.told === message) return
    if (isTransient) this.#failingTold = true
    else entry.told = message
    const about = aboutOf(entry.letter)
    this.#options.tell({ level: 'error', event: 'StoreFailed', ...about, message })
  }

  #finish(entry: Entry): void {
    if (entry.isReplaced) {
      this.#enqueue(entry)
      return
    }
    this.#entries.delete(entry.letter.id)
  }

  #retryDelayMs(failures: number): number {
    const fullMs = Math.min(RETRY_DELAY_MIN_MS * 2 ** (failures - 1), OUTBOX_RETRY_DELAY_MAX_MS)
    return fullMs / 2 + (fullMs / 2) * this.#options.random.fraction()
  }
}

const LEASE_IN_DOUBT = new ApiError('the lease may be lost', { code: ApiErrorCode.unavailable })

/**
 * There is nothing left to write to: it is gone, or another one has its name. (Any other conflict is the API server's
 * own haste, and worth another attempt.)
 */
function isPointless({ code, message }: ApiError): boolean {
  if (code === ApiErrorCode.notFound) return true
  const isRefused = code === ApiErrorCode.conflict || code === ApiErrorCode.invalid
  return isRefused && /\bUID\b|metadata\.uid/.test(message)
}

function aboutOf({ key }: Letter) {
  return key === null ? {} : { key }
}
