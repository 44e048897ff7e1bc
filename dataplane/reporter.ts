/**
 * When the report is written: at once when something in it changed, else every heartbeat. Not here: what it
 * says (`report.ts`), where it goes (`io/`). Invariant: packet rates and the clock alone are no change.
 */

import type { SipBalancerStatus } from '@sipcast/crds'
import { readiness } from './health.ts'
import { HEARTBEAT_MS, WRITE_RETRY_MS } from './limits.ts'
import type { Clock, ReportSink } from './ports.ts'
import { composeReport } from './report.ts'
import type { BalancerState } from './state.ts'
import { Traffic } from './traffic.ts'

export interface ReporterOptions {
  readonly name: string
  readonly version: string
  readonly clock: Clock
  readonly sink: ReportSink
}

export class Reporter {
  readonly #options: ReporterOptions
  readonly #state: BalancerState
  readonly #traffic: Traffic
  #isReady: boolean | null = null
  #readySince = ''
  #written = ''
  #dueMs = -Infinity
  #retryMs = -Infinity

  constructor(options: ReporterOptions, state: BalancerState) {
    this.#options = options
    this.#state = state
    this.#traffic = new Traffic(state.workers.counters, options.clock.monotonicMs())
  }

  /** Writes the report if it is due; false: too early after a failure. Fails with StoreError. */
  async report(): Promise<boolean> {
    const report = this.#compose()
    const nowMs = this.#options.clock.monotonicMs()
    const content = contentOf(report)
    if (nowMs < this.#retryMs) return false
    if (content === this.#written && nowMs < this.#dueMs) return true
    await this.#write(report)
    this.#written = content
    this.#dueMs = nowMs + HEARTBEAT_MS
    return true
  }

  /** The last word: this balancer serves nothing any more. */
  async farewell(): Promise<boolean> {
    const report = { ...this.#compose(), sipProxies: [] }
    const [ready] = report.conditions ?? []
    const message = 'stopped in order'
    await this.#write({
      ...report,
      conditions:
        ready === undefined ? [] : [{ ...ready, status: 'False', reason: 'Stopped', message }],
    })
    return true
  }

  #compose(): SipBalancerStatus {
    const { clock, name, version } = this.#options
    const { isReady } = readiness(this.#state)
    const heartbeatAt = clock.iso()
    if (isReady !== this.#isReady) this.#readySince = heartbeatAt
    this.#isReady = isReady
    return composeReport(this.#state, {
      name,
      version,
      heartbeatAt,
      packetsPerSecond: this.#traffic.rates(clock.monotonicMs()),
      readySince: this.#readySince,
    })
  }

  async #write(report: SipBalancerStatus): Promise<void> {
    this.#retryMs = this.#options.clock.monotonicMs() + WRITE_RETRY_MS
    await this.#options.sink.write(report)
    this.#retryMs = -Infinity
  }
}

function contentOf(report: SipBalancerStatus): string {
  return JSON.stringify({ ...report, heartbeatAt: null, packetsPerSecond: null })
}
