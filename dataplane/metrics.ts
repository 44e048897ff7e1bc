/**
 * Every metric of the balancer, for Prometheus. Not here: HTTP (`io/http.ts`), counting
 * (`counters.ts`, `tallies.ts`). Invariants: label values come from closed sets or from the tables in use;
 * values are sums over workers, read when somebody asks. `docs/metrics.md` has one row for each metric and
 * each verdict, and a test that says so.
 */

import { Counter, Gauge, Registry } from 'prom-client'
import type { Metric } from './metrics/metric.ts'
import { packetMetrics } from './metrics/packet-metrics.ts'
import { proxyMetrics } from './metrics/proxy-metrics.ts'
import { tableMetrics } from './metrics/table-metrics.ts'
import type { BalancerState } from './state.ts'

export const metrics: readonly Metric[] = [...packetMetrics, ...proxyMetrics, ...tableMetrics]

/** @param nowMs the monotonic clock */
export function createRegistry(state: BalancerState, nowMs: () => number): Registry {
  const registry = new Registry()
  for (const { name, kind, labels, help, samples } of metrics) {
    const options = { name, help, labelNames: labels, registers: [registry] }
    if (kind === 'gauge') {
      new Gauge({
        ...options,
        collect() {
          this.reset()
          for (const [values, value] of samples(state, nowMs())) this.set(values, value)
        },
      })
      continue
    }
    new Counter({
      ...options,
      collect() {
        // The counts live elsewhere and only grow; what prom-client remembers of them is replaced.
        this.reset()
        for (const [values, value] of samples(state, nowMs())) this.inc(values, value)
      },
    })
  }
  return registry
}
