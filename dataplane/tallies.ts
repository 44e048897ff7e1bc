/**
 * What the main thread counts itself. Not here: packets (`counters.ts`), names of metrics (`metrics.ts`).
 * Invariant: keys come from closed sets, but for the round-trip times, which are one per proxy served.
 */

import type { ProbeResult } from '@sipcast/net'

/** What can fail outside this process. */
export const Store = {
  tables: 'tables',
  keys: 'keys',
  lastGood: 'last-good',
  report: 'report',
} as const
export type Store = (typeof Store)[keyof typeof Store]

type Outcome = ProbeResult['outcome']

export const probeOutcomes: readonly Outcome[] = [
  'accepted',
  'rejected',
  'unavailable',
  'timeout',
  'refused',
]

export class Tallies {
  readonly tablesRefused = new Map<string, number>()
  readonly probes = new Map<Outcome, number>()
  readonly selfTests = new Map<Outcome, number>()
  readonly storeFailures = new Map<Store, number>()
  /** By probe target: of the last answer. */
  readonly rttMs = new Map<string, number>()

  tableRefused(reason: string): void {
    increment(this.tablesRefused, reason)
  }

  storeFailed(store: Store): void {
    increment(this.storeFailures, store)
  }

  probed({ id, outcome, rttMs }: ProbeResult): void {
    increment(this.probes, outcome)
    if (rttMs !== null) this.rttMs.set(id, rttMs)
  }

  selfTested({ outcome }: ProbeResult): void {
    increment(this.selfTests, outcome)
  }

  /** Forgets the times of proxies that are probed no more. */
  keepTargets(ids: ReadonlySet<string>): void {
    for (const id of this.rttMs.keys()) if (!ids.has(id)) this.rttMs.delete(id)
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
