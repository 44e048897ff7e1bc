/**
 * One leader among several replicas, by a Lease that the leader renews and all compare-and-set.
 * Clocks of other machines count for nothing: who waits measures by its own monotonic clock how long the Lease has not
 * changed; the leader counts from when it *sent* its last successful renewal, and gives up after two thirds of the
 * duration. So there is no moment with two, unless a process is frozen: before a write of consequence look at `isHeld`,
 * and let the number of transitions fence the rest.
 * Not here: ending the process when the lease is lost.
 */
import { ApiError, ApiErrorCode } from './api-error.ts'
import type { ApiObject } from './api-object.ts'
import type { ApiServer } from './api-server.ts'
import { type Clock, pause } from './clock.ts'
import { type LeaseRecord, newLease, readLease, renewedLease, takenLease } from './lease-record.ts'
import { LEASE_REQUEST_SHARE, RELEASE_TRIES_MAX, RENEW_DEADLINE_SHARE } from './limits.ts'
import { paths } from './paths.ts'

export interface LeaseNotice {
  readonly level: 'info' | 'warn' | 'error'
  readonly event:
    | 'LeaseAcquired'
    | 'LeaseHeldByOther'
    | 'LeaseUnreachable'
    | 'LeaseLost'
    | 'LeaseReleased'
  readonly message: string
}

export interface LeaderLeaseOptions {
  readonly api: ApiServer
  readonly namespace: string
  readonly name: string
  /** Of this process, among all that contend. */
  readonly identity: string
  readonly durationMs?: number
  readonly renewMs?: number
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random?: () => number
  readonly tell: (notice: LeaseNotice) => void
}

const DURATION_MS = 15_000
const RENEW_MS = 2_000

/** The Lease as we last wrote it. */
interface Held {
  readonly lease: ApiObject
  readonly record: LeaseRecord
  readonly sentAtMs: number
}

export class LeaderLease {
  readonly #options: LeaderLeaseOptions
  readonly #durationMs: number
  readonly #renewMs: number
  readonly #path: string
  readonly #lostCallbacks: ((why: string) => void)[] = []
  /** What others wrote, and since when we have seen nothing newer. */
  #seen = { spec: '', sinceMs: 0 }
  #lastNotice = ''
  #held: Held | null = null
  #lostWhy: string | null = null
  readonly #ending = new AbortController()
  #renewing: Promise<void> = Promise.resolve()
  #stopDeadline = () => {}

  constructor(options: LeaderLeaseOptions) {
    this.#options = options
    this.#durationMs = options.durationMs ?? DURATION_MS
    this.#renewMs = options.renewMs ?? RENEW_MS
    this.#path = paths.lease(options.namespace, options.name)
  }

  /** Whether nobody else can be the leader now. */
  get isHeld(): boolean {
    return this.#held !== null && this.#leftMs(this.#held) > 0
  }

  /**
   * Waits until the lease is ours, however long; resolves to the number of transitions, which grows with every new
   * holder. `seenMax`: the highest such number met elsewhere, so that it grows even if somebody deleted the Lease.
   * Once per object. @throws the signal's reason
   */
  async acquire(calledOff: AbortSignal, seenMax: () => number = () => -1): Promise<number> {
    const { clock, random = Math.random } = this.#options
    const signal = AbortSignal.any([calledOff, this.#ending.signal])
    for (;;) {
      signal.throwIfAborted()
      const held = await this.#tryToTake(seenMax)
      if (held !== null) {
        const transitions = this.#begin(held)
        if (!signal.aborted) return transitions
        await this.release()
      }
      await pause(clock, (this.#renewMs / 2) * (0.75 + random() / 2), signal)
    }
  }

  /** Called once, at once, when the lease is no longer ours although we did not release it. */
  onLost(callback: (why: string) => void): void {
    if (this.#lostWhy === null) this.#lostCallbacks.push(callback)
    else callback(this.#lostWhy)
  }

  /** Gives the lease up, so that another takes over at once and not after the duration. */
  async release(): Promise<void> {
    this.#ending.abort()
    this.#stopDeadline()
    await this.#renewing
    const held = this.#held
    if (held === null) return
    this.#held = null
    this.#stopDeadline()
    try {
      await this.#writeReleased(held)
      this.#tell('info', 'LeaseReleased', 'the lease is given up')
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.#tell('warn', 'LeaseReleased', `the lease could not be given up: ${error.message}`)
    }
  }

  async #tryToTake(seenMax: () => number): Promise<Held | null> {
    const { api, namespace, name } = this.#options
    try {
      const lease = await api.get(this.#path, {}, this.#hasty())
      if (lease === null) return await this.#take(newLease(namespace, name), seenMax() + 1)
      if (!this.#mayTake(lease)) return null
      return await this.#take(lease, Math.max(readLease(lease).transitions, seenMax()) + 1)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // Another was quicker: the next look will tell who.
      if (isOutdated(error)) return null
      this.#tell('warn', 'LeaseUnreachable', `the lease cannot be acquired: ${error.message}`)
      return null
    }
  }

  #mayTake(lease: ApiObject): boolean {
    const { clock, identity } = this.#options
    const { holder, durationMs } = readLease(lease)
    const spec = JSON.stringify(lease['spec'])
    if (spec !== this.#seen.spec) this.#seen = { spec, sinceMs: clock.nowMs() }
    // Our own identity: an earlier process of the same pod, which is gone.
    if (holder === '' || holder === identity) return true
    this.#tell('info', 'LeaseHeldByOther', `the lease is held by ${holder}`)
    return clock.nowMs() - this.#seen.sinceMs > (durationMs || this.#durationMs)
  }

  async #take(lease: ApiObject, transitions: number): Promise<Held> {
    const record = { holder: this.#options.identity, durationMs: this.#durationMs, transitions }
    return this.#write(takenLease(lease, record), record)
  }

  /** Compare-and-set, or creates it. */
  async #write(lease: ApiObject, record: LeaseRecord): Promise<Held> {
    const { api, namespace, clock } = this.#options
    const sentAtMs = clock.nowMs()
    const isNew = lease.metadata.resourceVersion === undefined
    const written = isNew
      ? await api.create(paths.leases(namespace), lease, this.#hasty())
      : await api.replace(this.#path, lease, this.#hasty())
    return { lease: written, record, sentAtMs }
  }

  #begin(held: Held): number {
    const { transitions } = held.record
    this.#hold(held)
    this.#tell('info', 'LeaseAcquired', `the lease is ours, transition ${transitions}`)
    this.#renewing = this.#renewForEver()
    return transitions
  }

  #hold(held: Held): void {
    this.#held = held
    this.#stopDeadline()
    this.#stopDeadline = this.#options.clock.setTimer(this.#leftMs(held), () =>
      this.#lose(`it could not be renewed for ${this.#deadlineMs / 1000} s`),
    )
  }

  async #renewForEver(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#ending
    let delayMs = this.#renewMs
    while (!signal.aborted) {
      await pause(clock, delayMs, signal)
      if (signal.aborted || this.#held === null) return
      delayMs = (await this.#renew(this.#held)) ? this.#renewMs : this.#renewMs / 4
    }
  }

  /** Whether it is renewed; if not, either it is lost or the next attempt may do. */
  async #renew(held: Held): Promise<boolean> {
    try {
      const renewed = await this.#write(renewedLease(held.lease, held.record), held.record)
      if (this.#held === null) return false
      this.#hold(renewed)
      this.#lastNotice = ''
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (isOutdated(error)) return this.#lookAgain(held)
      this.#tell('warn', 'LeaseUnreachable', `the lease cannot be renewed: ${error.message}`)
      return false
    }
  }

  /** Somebody wrote the Lease in between, or it was deleted; perhaps it was we, and the answer was lost. */
  async #lookAgain(held: Held): Promise<boolean> {
    const { api, namespace, name } = this.#options
    try {
      const lease = await api.get(this.#path, {}, this.#hasty())
      if (lease !== null) {
        const { holder, transitions } = readLease(lease)
        const isOurs = holder === held.record.holder && transitions === held.record.transitions
        if (!isOurs) this.#lose(`it is held by ${holder === '' ? 'nobody' : holder}`)
      }
      if (this.#held === null) return false
      // What is left of the deadline stays as it was: nothing is renewed yet.
      this.#held = { ...held, lease: lease ?? takenLease(newLease(namespace, name), held.record) }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.#tell('warn', 'LeaseUnreachable', `the lease cannot be renewed: ${error.message}`)
    }
    return false
  }

  #lose(why: string): void {
    if (this.#held === null || this.#ending.signal.aborted) return
    this.#held = null
    this.#ending.abort()
    this.#stopDeadline()
    this.#lostWhy = why
    this.#tell('error', 'LeaseLost', `the lease is lost: ${why}`)
    for (const callback of this.#lostCallbacks.splice(0)) callback(why)
  }

  async #writeReleased({ lease, record }: Held): Promise<void> {
    const { api } = this.#options
    const released = { ...record, holder: '', durationMs: 1000 }
    let latest: ApiObject | null = lease
    for (let tries = 1; latest !== null; tries++) {
      try {
        await this.#write(renewedLease(latest, released), released)
        return
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== ApiErrorCode.conflict) throw error
        if (tries === RELEASE_TRIES_MAX) throw error
      }
      latest = await api.get(this.#path, {}, this.#hasty())
      if (latest !== null && readLease(latest).transitions !== record.transitions) return
    }
  }

  get #deadlineMs(): number {
    return this.#durationMs * RENEW_DEADLINE_SHARE
  }

  #leftMs({ sentAtMs }: Held): number {
    return sentAtMs + this.#deadlineMs - this.#options.clock.nowMs()
  }

  #hasty() {
    return { timeoutMs: this.#durationMs * LEASE_REQUEST_SHARE }
  }

  /** The same is not said twice in a row. */
  #tell(level: LeaseNotice['level'], event: LeaseNotice['event'], message: string): void {
    if (this.#lastNotice === message) return
    this.#lastNotice = message
    this.#options.tell({ level, event, message })
  }
}

/** The Lease is not what we took it for: changed, deleted, or made by somebody else. */
function isOutdated({ code }: ApiError): boolean {
  return (
    code === ApiErrorCode.conflict || code === ApiErrorCode.notFound || code === ApiErrorCode.exists
  )
}
