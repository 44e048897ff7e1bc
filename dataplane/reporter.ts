/**
 * When the report is written: at once when something in it changed, else every heartbeat. Not here: what it
 * says (`report.ts`), where it goes (`io/`). Invariants: packet rates and the clock alone are no change; one
 * report is on its way at a time, and whoever waits for it does not wait long.
 */

import type { SipBalancerStatus } from '@sipcast/crds'
import { FAREWELL_MS, HEARTBEAT_MS, REPORT_PATIENCE_MS, REPORT_RETRY_MS } from './limits.ts'
import { type Clock, type ReportSink, StoreError, StoreErrorCode } from './ports.ts'
import { composeReport } from './report.ts'
import type { BalancerState } from './state.ts'
import { Traffic } from './traffic.ts'

export interface ReporterOptions {
  readonly name: string
  readonly version: string
  readonly clock: Clock
  readonly sink: ReportSink
}

/** A report on its way, and what became of it. */
interface Sending {
  readonly content: string
  readonly ended: Promise<void>
  outcome: 'pending' | 'written' | 'failed'
  error: unknown
}

export class Reporter {
  readonly #options: ReporterOptions
  readonly #state: BalancerState
  readonly #traffic: Traffic
  /** By type of condition: as last reported, and since when. */
  readonly #conditions = new Map<string, { readonly isTrue: boolean; readonly since: string }>()
  #written = ''
  #dueMs = -Infinity
  #retryMs = -Infinity
  #sending: Sending | null = null

  constructor(options: ReporterOptions, state: BalancerState) {
    this.#options = options
    this.#state = state
    this.#traffic = new Traffic(state.workers.counters, options.clock.monotonicMs())
  }

  /**
   * Sends the report if it is due; false: too early after a failure, or the last one is still on its way. Fails with
   * StoreError as that one did.
   */
  async report(): Promise<boolean> {
    const { clock, sink } = this.#options
    if (this.#sending !== null) return this.#settle(this.#sending)
    const report = this.#compose()
    const nowMs = clock.monotonicMs()
    const content = contentOf(report)
    if (nowMs < this.#retryMs) return false
    if (content === this.#written && nowMs < this.#dueMs && !sink.isGone) return true
    this.#sending = this.#send(report, content)
    this.#dueMs = nowMs + HEARTBEAT_MS
    await this.#wait(this.#sending.ended, REPORT_PATIENCE_MS)
    return this.#settle(this.#sending)
  }

  /** The last word: this balancer serves nothing any more. Fails with StoreError. */
  async farewell(): Promise<boolean> {
    if (this.#sending !== null) await this.#wait(this.#sending.ended, FAREWELL_MS)
    const composed = this.#compose()
    const { summary: _served, announcedAddresses: _, bgpSessions: _all, ...rest } = composed
    const report = { ...rest, sipProxies: [], heldAddresses: [], problems: [] }
    const stopped = { status: 'False' as const, reason: 'Stopped', message: 'stopped in order' }
    const conditions = (rest.conditions ?? []).map((one) => ({ ...one, ...stopped }))
    this.#sending = this.#send({ ...report, conditions }, '')
    await this.#wait(this.#sending.ended, FAREWELL_MS)
    if (this.#settle(this.#sending)) return true
    throw new StoreError(StoreErrorCode.unavailable, 'the last report is not written in time')
  }

  #send(report: SipBalancerStatus, content: string): Sending {
    const written = this.#options.sink.write(report)
    const sending: Sending = {
      content,
      outcome: 'pending',
      error: null,
      ended: written.then(
        () => void (sending.outcome = 'written'),
        (error: unknown) => void Object.assign(sending, { outcome: 'failed', error }),
      ),
    }
    return sending
  }

  /** True: it is written; false: it is still on its way. */
  #settle(sending: Sending): boolean {
    if (sending.outcome === 'pending') return false
    this.#sending = null
    if (sending.outcome === 'failed') {
      this.#retryMs = this.#options.clock.monotonicMs() + REPORT_RETRY_MS
      this.#dueMs = -Infinity
      throw sending.error
    }
    this.#written = sending.content
    return true
  }

  async #wait(ended: Promise<void>, patienceMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const callOff = this.#options.clock.after(patienceMs, resolve)
    await Promise.race([ended, late])
    callOff()
  }

  #compose(): SipBalancerStatus {
    const { clock, name, version } = this.#options
    const heartbeatAt = clock.iso()
    return composeReport(this.#state, {
      name,
      version,
      heartbeatAt,
      packetsPerSecond: this.#traffic.rates(clock.monotonicMs()),
      since: (type, isTrue) => this.#since(type, isTrue, heartbeatAt),
    })
  }

  #since(type: string, isTrue: boolean, now: string): string {
    const before = this.#conditions.get(type)
    if (before?.isTrue === isTrue) return before.since
    this.#conditions.set(type, { isTrue, since: now })
    return now
  }
}

function contentOf(report: SipBalancerStatus): string {
  return JSON.stringify({ ...report, heartbeatAt: null, packetsPerSecond: null })
}
