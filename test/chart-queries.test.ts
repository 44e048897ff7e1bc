/**
 * Every alert and every query of the dashboard, held against the programs' own registries: names, labels, values,
 * and what kind of series is asked for what. Not here: series of running programs (chart-series.test.ts).
 */
import { describe, expect, test } from 'vitest'
import { metrics as ofAnnouncer } from '../dataplane/announcer/metrics.ts'
import { metrics as ofBalancer } from '../dataplane/metrics.ts'
import { makeMetrics } from '../operator/metrics.ts'
import { type Matcher, parseQuery, type Selector } from './chart-promql.ts'
import { alerts, type ChartQuery, queries } from './chart-queries.ts'
import { read } from './repository.ts'

interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
}

/** What Prometheus adds by the PodMonitor. */
const OF_TARGETS = ['namespace', 'node', 'pod', 'container', 'job', 'instance', 'endpoint']
/** prom-client's own. */
const OF_PROCESSES: readonly (readonly [string, Metric])[] = [
  ['process_resident_memory_bytes', { kind: 'gauge', labels: [] }],
  ['process_cpu_seconds_total', { kind: 'counter', labels: [] }],
]
const metrics: ReadonlyMap<string, Metric> = new Map([
  ...[...ofBalancer, ...ofAnnouncer].map(
    ({ name, kind, labels }) => [name, { kind, labels }] as const,
  ),
  ...ofOperator(),
  ...OF_PROCESSES,
])
const documented = new Map(
  [...read('docs/metrics.md').text.matchAll(/^\| `(\w+)` \| \w+ \|.*$/gm)].map((row) => [
    row[1]!,
    row[0],
  ]),
)

describe.each(queries.map((one) => [one.name, one] as const))('%s', (_name, chartQuery) => {
  const { selectors } = chartQuery.query

  test('asks for metrics that there are', () => {
    expect(selectors.length).toBeGreaterThan(0)
    expect(selectors.filter((one) => metricOf(one) === undefined)).toEqual([])
  })

  test('names labels that the series have', () => {
    const strange = selectors.flatMap((one) =>
      one.matchers.map(({ label }) => label).filter((label) => !labelsOf(one).includes(label)),
    )
    expect(strange).toEqual([])
    for (const { labels, of } of chartQuery.query.groupings) {
      for (const selector of of.selectors) {
        expect(labels.filter((label) => !labelsOf(selector).includes(label))).toEqual([])
      }
    }
  })

  test('names values that docs/metrics.md has', () => {
    expect(
      selectors.flatMap((one) => one.matchers.filter((matcher) => !isDocumented(one, matcher))),
    ).toEqual([])
  })

  test('takes rates of counters, and of nothing else', () => {
    const isCounted = (one: Selector) => metricOf(one)?.kind !== 'gauge'
    expect(selectors.filter((one) => isCounted(one) !== one.isRange)).toEqual([])
  })

  test('tells only what is left of the labels', () => {
    const told = [...chartQuery.text.matchAll(/\{\{ ?(?:\$labels\.)?(\w+) ?\}\}/g)].map(
      ([, label]) => label!,
    )
    expect(told.filter((label) => !resultLabels(chartQuery).includes(label))).toEqual([])
  })
})

test('alerts have a name, a weight and a sentence', () => {
  for (const { alert, labels, annotations } of alerts) {
    expect(alert).toMatch(/^Sipcast[A-Z]\w+$/)
    expect(labels.severity).toMatch(/^(critical|warning)$/)
    expect(annotations.summary).toMatch(/^\S.{20,}[.?)]$/)
  }
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length)
})

test.each([
  'sum by (a (x)',
  'rate(x[5m]',
  'sum(x) by',
  'x{a=b}',
  'x == ',
  'unknown(x)',
  'x y',
  '{a="b"}',
])('%s is no query that this test could read', (text) => {
  expect(() => parseQuery(text)).toThrow(SyntaxError)
})

function metricOf({ metric }: Selector): Metric | undefined {
  const exact = metrics.get(metric)
  if (exact !== undefined) return exact.kind === 'histogram' ? undefined : exact
  const [, base = '', part = ''] = /^(.+)_(bucket|sum|count)$/.exec(metric) ?? []
  const histogram = metrics.get(base)
  if (histogram?.kind !== 'histogram') return undefined
  return { kind: 'counter', labels: [...histogram.labels, ...(part === 'bucket' ? ['le'] : [])] }
}

function labelsOf(selector: Selector): readonly string[] {
  return [...(metricOf(selector)?.labels ?? []), ...OF_TARGETS]
}

/** Names of objects are anybody's; all other values come from closed sets, which the metric's row lists. */
function isDocumented({ metric }: Selector, { label, value }: Matcher): boolean {
  if (value.startsWith('$')) return true
  if (label === 'container') return true
  const row = documented.get(metric) ?? ''
  if (label === 'verdict') return verdictsLike(value).length > 0
  return value
    .split('|')
    .every((one) => row.includes(`\`${one}\``) || sharedSets(label).includes(one))
}

function verdictsLike(value: string): readonly string[] {
  const all = [...read('docs/metrics.md').text.matchAll(/^\| `(\w+)` \| /gm)].map(
    ([, name]) => name!,
  )
  return all.filter((name) => new RegExp(`^(?:${value})$`).test(name))
}

/** Told once for several metrics. */
function sharedSets(label: string): readonly string[] {
  return label === 'state' ? ['Unknown', 'Up', 'Down', 'Draining', 'NotReady'] : []
}

function resultLabels({ query }: ChartQuery): readonly string[] {
  const outermost = query.groupings.at(-1)
  if (outermost !== undefined) return outermost.labels
  return query.selectors.flatMap(labelsOf)
}

function ofOperator(): readonly (readonly [string, Metric])[] {
  const none = {
    pools: () => [],
    queueDepth: () => 0,
    freshBalancers: () => 0,
    staleness: () => [],
  }
  return makeMetrics(none)
    .registry.getMetricsAsArray()
    .map((metric) => {
      // What prom-client knows of them and does not declare.
      const { name, type, labelNames } = metric as unknown as {
        readonly name: string
        readonly type: Metric['kind']
        readonly labelNames: readonly string[]
      }
      return [name, { kind: type, labels: labelNames }]
    })
}
