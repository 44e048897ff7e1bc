/** Metrics as prom-client serves them: read from a program's state when somebody asks. Not here: which there are. */

import { Counter, Gauge, Registry } from 'prom-client'
import type { Metric } from './metric.ts'

/** @param nowMs the monotonic clock */
export function registryOf<State>(
  metrics: readonly Metric<State>[],
  state: State,
  nowMs: () => number,
): Registry {
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
