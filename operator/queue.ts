/**
 * Work to be done per SipProxy: marks coalesce, one pass per key at a time, a bounded number of keys at once,
 * failures back off.
 * Not here: what a pass does. Invariants: a mark is never lost (one that comes during the key's pass runs it again);
 * a pass that says when to come back comes back then, unless a mark brings it earlier.
 */
import { PASSES_AT_ONCE_MAX, RETRY_DELAY_MAX_MS, RETRY_DELAY_MIN_MS } from './limits.ts'
import type { Clock, Key, Random } from './ports.ts'

export interface PassEnd {
  /** The pass shall be tried again, later each time. */
  readonly failed: boolean
  /** Come back after this, whatever happens; null = only when marked. */
  readonly againMs: number | null
}

interface Entry {
  dueMs: number
  cancel: (() => void) | null
  queued: boolean
  running: boolean
  markedMeanwhile: boolean
  failures: number
}

export interface QueueOptions {
  readonly clock: Clock
  readonly random: Random
  readonly run: (key: Key) => Promise<PassEnd>
}

export class Queue {
  readonly #options: QueueOptions
  readonly #entries = new Map<Key, Entry>()
  readonly #ready: Key[] = []
  /** They wait until nobody is ready. */
  readonly #patient = new Set<Key>()
  #running = 0
  #stopped = false
  #idle: (() => void) | null = null

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Keys that wait for their pass now. */
  get depth(): number {
    return this.#ready.length + this.#patient.size
  }

  /** A pass as soon as one can be had, or after the delay. */
  mark(key: Key, delayMs = 0): void {
    if (this.#stopped) return
    const entry = this.#entryOf(key)
    if (entry.running && delayMs === 0) {
      entry.markedMeanwhile = true
      return
    }
    if (entry.queued) return
    this.#schedule(key, entry, delayMs)
  }

  /** A pass when nobody else is waiting for one: after a start, a thousand of them must not hold up a failover. */
  markPatient(key: Key): void {
    if (this.#stopped) return
    const entry = this.#entryOf(key)
    if (entry.running) entry.markedMeanwhile = true
    else if (!entry.queued) this.#patient.add(key)
    this.#startPasses()
  }

  /** Starts nothing new; resolves when no pass is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const entry of this.#entries.values()) entry.cancel?.()
    this.#ready.length = 0
    this.#patient.clear()
    if (this.#running === 0) return
    await new Promise<void>((resolve) => {
      this.#idle = resolve
    })
  }

  #entryOf(key: Key): Entry {
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const entry: Entry = {
      dueMs: Number.POSITIVE_INFINITY,
      cancel: null,
      queued: false,
      running: false,
      markedMeanwhile: false,
      failures: 0,
    }
    this.#entries.set(key, entry)
    return entry
  }

  #schedule(key: Key, entry: Entry, delayMs: number): void {
    const { clock } = this.#options
    const dueMs = clock.monotonicMs() + delayMs
    if (entry.cancel !== null && entry.dueMs <= dueMs) return
    entry.cancel?.()
    entry.dueMs = dueMs
    entry.cancel = clock.after(delayMs, () => {
      entry.cancel = null
      entry.dueMs = Number.POSITIVE_INFINITY
      if (entry.running) entry.markedMeanwhile = true
      else this.#enqueue(key, entry)
    })
  }

  #enqueue(key: Key, entry: Entry): void {
    if (entry.queued || this.#stopped) return
    entry.queued = true
    this.#patient.delete(key)
    this.#ready.push(key)
    this.#startPasses()
  }

  #startPasses(): void {
    while (this.#running < PASSES_AT_ONCE_MAX) {
      const key = this.#ready.shift() ?? this.#nextPatient()
      if (key === undefined) return
      this.#running++
      void this.#runPass(key, this.#entryOf(key))
    }
  }

  #nextPatient(): Key | undefined {
    const [key] = this.#patient
    if (key !== undefined) this.#patient.delete(key)
    return key
  }

  async #runPass(key: Key, entry: Entry): Promise<void> {
    entry.queued = false
    entry.running = true
    const end = await this.#options.run(key)
    entry.running = false
    this.#running--
    if (this.#stopped) {
      if (this.#running === 0) this.#idle?.()
      return
    }
    entry.failures = end.failed ? entry.failures + 1 : 0
    if (entry.markedMeanwhile) {
      entry.markedMeanwhile = false
      this.#schedule(key, entry, end.failed ? RETRY_DELAY_MIN_MS : 0)
    }
    if (end.failed) this.#schedule(key, entry, this.#retryDelayMs(entry.failures))
    if (end.againMs !== null) this.#schedule(key, entry, end.againMs)
    if (entry.cancel === null) this.#entries.delete(key)
    this.#startPasses()
  }

  /** Doubles with every failure; the upper half is random, so that many keys do not come back together. */
  #retryDelayMs(failures: number): number {
    const fullMs = Math.min(RETRY_DELAY_MIN_MS * 2 ** (failures - 1), RETRY_DELAY_MAX_MS)
    return fullMs / 2 + (fullMs / 2) * this.#options.random.fraction()
  }
}
