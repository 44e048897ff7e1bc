/**
 * Every metric of the balancer, for Prometheus. Not here: HTTP (`io/http.ts`), counting
 * (`counters.ts`, `tallies.ts`). Invariants: label values come from closed sets or from the tables in use;
 * values are sums over workers, read when somebody asks. `docs/metrics.md` has one row for each metric and
 * each verdict, and a test that says so.
 */

import type { Registry } from 'prom-client'
import { announceMetrics } from './metrics/announce-metrics.ts'
import type { Metric } from './metrics/metric.ts'
import { packetMetrics } from './metrics/packet-metrics.ts'
import { proxyMetrics } from './metrics/proxy-metrics.ts'
import { registryOf } from './metrics/registry.ts'
import { tableMetrics } from './metrics/table-metrics.ts'
import type { BalancerState } from './state.ts'

export const metrics: readonly Metric[] = [
  ...packetMetrics,
  ...proxyMetrics,
  ...tableMetrics,
  ...announceMetrics,
]

/** @param nowMs the monotonic clock */
export function createRegistry(state: BalancerState, nowMs: () => number): Registry {
  return registryOf(metrics, state, nowMs)
}
