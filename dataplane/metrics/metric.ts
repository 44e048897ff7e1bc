/** What a metric is: a name, labels, a meaning, and a way to read its values when somebody asks. */

import type { Counters } from '../counters.ts'
import type { BalancerState } from '../state.ts'

export type Labels = Readonly<Record<string, string>>
export type Sample = readonly [Labels, number]

/** @typeParam State what it is read from */
export interface Metric<State = BalancerState> {
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly labels: readonly string[]
  readonly help: string
  /** @param nowMs on the monotonic clock */
  readonly samples: (state: State, nowMs: number) => readonly Sample[]
}

/** Over all workers. */
export function sumOf({ workers }: BalancerState, value: (counters: Counters) => number): number {
  return workers.counters.reduce((sum, counters) => sum + value(counters), 0)
}
