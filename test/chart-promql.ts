/**
 * What a PromQL query asks for: its selectors, and the labels that it aggregates or joins by. Reads all of the
 * language that the chart's queries use, and refuses what it cannot read. Not here: which series there are, and
 * evaluating.
 */

export interface Selector {
  readonly metric: string
  readonly matchers: readonly Matcher[]
  /** `[5m]`: only counters and gauges over time are asked for so. */
  readonly isRange: boolean
}

export interface Matcher {
  readonly label: string
  readonly operator: '=' | '!=' | '=~' | '!~'
  readonly value: string
}

export interface Query {
  readonly selectors: readonly Selector[]
  /** Of aggregations, inner ones first, each with the selectors below it. */
  readonly groupings: readonly { readonly labels: readonly string[]; readonly of: Query }[]
}

const AGGREGATIONS = ['sum', 'min', 'max', 'avg', 'count', 'topk', 'bottomk', 'quantile']
const FUNCTIONS = ['rate', 'increase', 'absent', 'histogram_quantile', 'time', 'delta']
const OPERATORS = /^(==|!=|>=|<=|>|<|\+|-|\*|\/|and|or|unless)$/
const TOKEN =
  /\s*(?:(?<duration>\[(?:\d+(?:ms|[smhd])|\$__rate_interval)\])|(?<text>"[^"\\]*")|(?<number>\d+(?:\.\d+)?)|(?<name>[a-zA-Z_:][\w:]*)|(?<sign>=~|!~|==|!=|>=|<=|[-+*/<>=(){},]))/y

/** @throws SyntaxError */
export function parseQuery(text: string): Query {
  const tokens = tokensOf(text)
  const query = expression(tokens)
  if (tokens.length > 0) throw new SyntaxError(`unexpected ${tokens[0]} in ${text}`)
  return query
}

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (match === null) throw new SyntaxError(`cannot read ${text.slice(at, at + 20)} in ${text}`)
    tokens.push(match[0].trim())
  }
  return tokens
}

/** Operators bind as they like: who asks for what does not depend on it. */
function expression(tokens: string[]): Query {
  const parts = [operand(tokens)]
  while (OPERATORS.test(tokens[0] ?? '')) {
    tokens.shift()
    parts.push(operand(tokens))
  }
  return joined(parts)
}

function operand(tokens: string[]): Query {
  const token = tokens.shift()
  if (token === undefined) throw new SyntaxError('the query ends early')
  if (/^\d/.test(token)) return joined([])
  if (token === '(') return closed(tokens)
  if (AGGREGATIONS.includes(token)) return aggregation(tokens)
  if (FUNCTIONS.includes(token)) {
    expect(tokens, '(')
    return closed(tokens)
  }
  if (!/^[a-z_]/i.test(token) || tokens[0] === '(') throw new SyntaxError(`unknown: ${token}`)
  return selector(token, tokens)
}

/** The arguments up to the closing bracket. */
function closed(tokens: string[]): Query {
  const parts = [expression(tokens)]
  while (tokens[0] === ',') {
    tokens.shift()
    parts.push(expression(tokens))
  }
  expect(tokens, ')')
  return joined(parts)
}

function aggregation(tokens: string[]): Query {
  let labels: readonly string[] = []
  if (tokens[0] === 'by') {
    tokens.shift()
    labels = names(tokens)
  }
  expect(tokens, '(')
  const of = closed(tokens)
  return { ...of, groupings: [...of.groupings, { labels, of }] }
}

function selector(metric: string, tokens: string[]): Query {
  const matchers = tokens[0] === '{' ? matchersOf(tokens) : []
  const isRange = tokens[0]?.startsWith('[') === true
  if (isRange) tokens.shift()
  return { selectors: [{ metric, matchers, isRange }], groupings: [] }
}

function matchersOf(tokens: string[]): Matcher[] {
  const matchers: Matcher[] = []
  do {
    tokens.shift()
    const [label = '', operator = '', value = ''] = tokens.splice(0, 3)
    if (!/^(=~?|!=|!~)$/.test(operator) || !value.startsWith('"')) {
      throw new SyntaxError(`no matcher: ${label}${operator}${value}`)
    }
    matchers.push({
      label,
      operator: operator as Matcher['operator'],
      value: value.slice(1, -1),
    })
  } while (tokens[0] === ',')
  expect(tokens, '}')
  return matchers
}

function names(tokens: string[]): string[] {
  const found: string[] = []
  do {
    tokens.shift()
    found.push(tokens.shift() ?? '')
  } while (tokens[0] === ',')
  expect(tokens, ')')
  return found
}

function expect(tokens: string[], wanted: string): void {
  const token = tokens.shift()
  if (token !== wanted) throw new SyntaxError(`${wanted} is missing before ${token}`)
}

function joined(parts: readonly Query[]): Query {
  return {
    selectors: parts.flatMap(({ selectors }) => selectors),
    groupings: parts.flatMap(({ groupings }) => groupings),
  }
}
