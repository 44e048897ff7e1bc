/**
 * Rules between fields, written once: as a check that runs here (directory mode, and again in the operator) and as
 * the CEL expression that goes into the CRD, so that `kubectl apply` says the same. Not here: the rules themselves. A
 * rule without CEL is one whose cost the API server would refuse; then only the operator enforces it.
 */
import type { z } from 'zod'

export interface Rule<T> {
  /** `x-kubernetes-validations[].rule`; null where CEL cannot say it within the API server's cost limit. */
  readonly cel: string | null
  readonly message: string
  readonly holds: (value: T) => boolean
  /** The field the problem is reported at, relative to the schema. */
  readonly path?: readonly string[]
}

/** The schema with the rules attached: checked after its own shape, and carried into its JSON schema. */
export function withRules<S extends z.ZodType>(
  schema: S,
  rules: readonly Rule<z.output<S>>[],
  meta: Readonly<Record<string, unknown>> = {},
): S {
  let checked: z.ZodType = schema
  for (const rule of rules) {
    checked = checked.refine((value) => rule.holds(value as z.output<S>), {
      error: rule.message,
      path: [...(rule.path ?? [])],
    })
  }
  const validations = rules
    .filter((rule) => rule.cel !== null)
    .map(({ cel, message, path = [] }) => ({
      rule: cel,
      message,
      ...(path.length > 0 ? { fieldPath: path.map((part) => `.${part}`).join('') } : {}),
    }))
  const extensions = validations.length > 0 ? { 'x-kubernetes-validations': validations } : {}
  return checked.meta({ ...extensions, ...meta }) as S
}

/**
 * A rule that compares with the object before the update (CEL `oldSelf`): the operator checks it against its last
 * table.
 */
export function transitionRule(cel: string, message: string): Readonly<Record<string, unknown>> {
  return { 'x-kubernetes-validations': [{ rule: cel, message }] }
}

/** Whether no two items have the same key. */
export function allDistinct<T>(items: readonly T[], keyOf: (item: T) => string): boolean {
  return new Set(items.map(keyOf)).size === items.length
}
