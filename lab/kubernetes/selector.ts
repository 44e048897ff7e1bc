/** Label and field selectors, as queries carry them: equality and set-based terms; of fields, whatever path. */
import type { ApiObject } from '@sipcast/kube'

export type Selector = (object: ApiObject) => boolean

export function parseSelectors(labels: string | null, fields: string | null): Selector {
  const terms = [
    ...splitTerms(labels).map((term) => labelTerm(term)),
    ...splitTerms(fields).map((term) => fieldTerm(term)),
  ]
  return (object) => terms.every((term) => term(object))
}

/** At commas outside parentheses. */
function splitTerms(selector: string | null): string[] {
  return (selector ?? '').split(/,(?![^(]*\))/).filter((term) => term !== '')
}

function labelTerm(term: string): Selector {
  const set = /^(\S+)\s+(in|notin)\s+\((.*)\)$/.exec(term.trim())
  if (set !== null) {
    const [, key = '', operator, list = ''] = set
    const values = list.split(',').map((value) => value.trim())
    const isWanted = operator === 'in'
    return (object) => values.includes(labelOf(object, key) ?? '\0') === isWanted
  }
  const [key, value, isEqual] = parseEquality(term)
  if (value !== null) return (object) => (labelOf(object, key) === value) === isEqual
  return key.startsWith('!')
    ? (object) => labelOf(object, key.slice(1)) === undefined
    : (object) => labelOf(object, key) !== undefined
}

function fieldTerm(term: string): Selector {
  const [path, value, isEqual] = parseEquality(term)
  return (object) => {
    let field: unknown = object
    for (const step of path.split('.'))
      field = (field as Record<string, unknown> | undefined)?.[step]
    return ((field ?? '') === (value ?? '')) === isEqual
  }
}

function parseEquality(term: string): [key: string, value: string | null, isEqual: boolean] {
  const parts = /^(.*?)\s*(!=|==|=)\s*(.*)$/.exec(term.trim())
  if (parts === null) return [term.trim(), null, true]
  const [, key = '', operator, value = ''] = parts
  return [key, value, operator !== '!=']
}

function labelOf(object: ApiObject, key: string): string | undefined {
  return object.metadata.labels?.[key]
}
