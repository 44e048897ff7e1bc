/**
 * The chart's queries, where they stand: alerts of the PrometheusRule, panels and variables of the dashboard.
 * Not here: reading PromQL (chart-promql.ts), what is wanted of them (chart-queries.test.ts, chart-series.test.ts).
 */
import { parse } from 'yaml'
import { parseQuery, type Query } from './chart-promql.ts'
import { read } from './repository.ts'

export interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string }
}

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

export interface ChartQuery {
  /** Where it stands, in words. */
  readonly name: string
  readonly query: Query
  /** What people read, with the labels that it names: `{{ $labels.node }}`, `{{node}}`. */
  readonly text: string
}

const FOLDER = 'charts/sipcast/files/monitoring'

const rules = parse(read(`${FOLDER}/alerts.yaml`).text) as {
  groups: readonly { rules: readonly Alert[] }[]
}
export const alerts: readonly Alert[] = rules.groups.flatMap((group) => group.rules)

const dashboard = JSON.parse(read(`${FOLDER}/dashboard.json`).text) as {
  panels: readonly Panel[]
  templating: { list: readonly { name: string; type: string; query: string }[] }
}

/** Grafana's own variables stand for values of labels, never for names. */
const ofPanels = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({
    name: `panel ${title}`,
    query: parseQuery(expr),
    text: legendFormat,
  })),
)

/** `label_values(SELECTOR, LABEL)`: as if aggregated by that label. */
const ofVariables = dashboard.templating.list
  .filter(({ type }) => type === 'query')
  .map(({ name, query }) => {
    const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? []
    return {
      name: `variable ${name}`,
      query: parseQuery(`max by (${label}) (${selector})`),
      text: '',
    }
  })

export const queries: readonly ChartQuery[] = [
  ...alerts.map(({ alert, expr, annotations }) => ({
    name: alert,
    query: parseQuery(expr),
    text: annotations.summary,
  })),
  ...ofPanels,
  ...ofVariables,
]
