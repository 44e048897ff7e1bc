/**
 * Packets per second, for the report. Not here: the counters themselves; the balancer's tests of itself.
 * Invariant: a rate is over at least RATE_PERIOD_MS, so that reports in quick succession do not show noise.
 */

import type { SipBalancerStatus } from '@sipcast/crds'
import { type Counters, packetKinds } from './counters.ts'
import { RATE_PERIOD_MS } from './limits.ts'
import { Verdict, verdictNames } from './verdict.ts'

export type PacketsPerSecond = NonNullable<SipBalancerStatus['packetsPerSecond']>

export class Traffic {
  readonly #counters: readonly Counters[]
  #before: PacketsPerSecond
  #beforeMs: number
  #rates: PacketsPerSecond = { fromOutside: 0, fromInside: 0, dropped: 0 }

  /** @param nowMs the monotonic clock, here and below */
  constructor(counters: readonly Counters[], nowMs: number) {
    this.#counters = counters
    this.#before = totals(counters)
    this.#beforeMs = nowMs
  }

  rates(nowMs: number): PacketsPerSecond {
    const seconds = (nowMs - this.#beforeMs) / 1000
    if (seconds * 1000 < RATE_PERIOD_MS) return this.#rates
    const now = totals(this.#counters)
    const rate = (of: keyof PacketsPerSecond): number =>
      Math.round(((now[of] - this.#before[of]) / seconds) * 10) / 10
    this.#rates = {
      fromOutside: rate('fromOutside'),
      fromInside: rate('fromInside'),
      dropped: rate('dropped'),
    }
    this.#before = now
    this.#beforeMs = nowMs
    return this.#rates
  }
}

const drops = verdictNames.flatMap((name, verdict) => (name.startsWith('drop') ? [verdict] : []))

function totals(counters: readonly Counters[]): PacketsPerSecond {
  const sum = (indices: readonly number[], count: (one: Counters, index: number) => number) =>
    counters.reduce((all, one) => indices.reduce((some, index) => some + count(one, index), all), 0)
  const kinds = packetKinds.map((_, kind) => kind)
  return {
    fromOutside:
      sum(kinds, (one, kind) => one.packetsReceived(false, kind)) -
      sum([Verdict.answerSelfTest], (one, verdict) => one.verdicts(verdict)),
    fromInside: sum(kinds, (one, kind) => one.packetsReceived(true, kind)),
    dropped: sum(drops, (one, verdict) => one.verdicts(verdict)),
  }
}
