/** Metrics of what the main thread reads and writes: tables, keys, copies, reports. */

import { readiness } from '../health.ts'
import { splitId } from '../sip-proxy-id.ts'
import { Refusal } from '../tables.ts'
import { Store } from '../tallies.ts'
import type { Metric } from './metric.ts'

export const tableMetrics: readonly Metric[] = [
  {
    name: 'sipcast_balancer_table_epoch',
    kind: 'gauge',
    labels: ['namespace', 'name'],
    help: 'Epoch of the table that every running worker uses.',
    samples: ({ inUse }) => [...inUse].map(([id, { table }]) => [splitId(id), table.epoch]),
  },
  {
    name: 'sipcast_balancer_table_age_seconds',
    kind: 'gauge',
    labels: ['namespace', 'name'],
    help: 'Time since the table came into use here.',
    samples: ({ inUse }, nowMs) =>
      [...inUse].map(([id, { sinceMs }]) => [splitId(id), (nowMs - sinceMs) / 1000]),
  },
  {
    name: 'sipcast_balancer_tables_stale_seconds',
    kind: 'gauge',
    labels: [],
    help: 'Time for which changes of tables may not have been heard of; 0: they are.',
    samples: ({ staleSinceMs }, nowMs) => [
      [{}, staleSinceMs === null ? 0 : (nowMs - staleSinceMs) / 1000],
    ],
  },
  {
    name: 'sipcast_balancer_tables_refused_total',
    kind: 'counter',
    labels: ['reason'],
    help: 'Table documents refused; the last good table served on.',
    samples: ({ tallies }) =>
      Object.values(Refusal).map((reason) => [{ reason }, tallies.tablesRefused.get(reason) ?? 0]),
  },
  {
    name: 'sipcast_balancer_keys_accepted',
    kind: 'gauge',
    labels: [],
    help: 'Keys whose MACs are accepted.',
    samples: ({ keys }) => [[{}, keys.current.length]],
  },
  {
    name: 'sipcast_balancer_store_failures_total',
    kind: 'counter',
    labels: ['store'],
    help: 'Failed reads of tables or keys and failed writes of last-good copies or the report.',
    samples: ({ tallies }) =>
      Object.values(Store).map((store) => [{ store }, tallies.storeFailures.get(store) ?? 0]),
  },
  {
    name: 'sipcast_balancer_ready',
    kind: 'gauge',
    labels: [],
    help: '1: as /readyz says, this balancer serves.',
    samples: (state) => [[{}, readiness(state).isReady ? 1 : 0]],
  },
]
