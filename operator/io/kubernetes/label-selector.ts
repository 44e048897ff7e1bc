/**
 * Whether a pod's labels fit a label selector, as the API server decides it (metav1.LabelSelector). Pure.
 * Invariant: an empty selector fits every pod; all parts must fit.
 */
import type { LabelSelector } from '@sipcast/crds'

export type Labels = Readonly<Record<string, string>>

type Expression = NonNullable<LabelSelector['matchExpressions']>[number]

export function matches(selector: LabelSelector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labels[key] !== value) return false
  }
  return (selector.matchExpressions ?? []).every((expression) => fits(expression, labels))
}

/** One `key=value` that every match has; null where there is no such label. */
export function requiredLabel({ matchLabels, matchExpressions }: LabelSelector): string | null {
  const [first] = Object.entries(matchLabels ?? {})
  if (first !== undefined) return labelText(...first)
  const only = matchExpressions?.find(
    ({ operator, values }) => operator === 'In' && values?.length === 1,
  )
  return only === undefined ? null : labelText(only.key, only.values?.[0] ?? '')
}

export function labelText(key: string, value: string): string {
  return `${key}=${value}`
}

function fits({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}
