/**
 * Text fields of one spelling, which the check, `kubectl explain` and docs/api-reference.md tell in the same words.
 * Not here: rules that need more than a pattern (rules.ts).
 */
import { z } from 'zod'

export interface Spelling {
  readonly pattern: RegExp
  /** What follows "must be": `a duration such as "500ms"`. */
  readonly spelling: string
  readonly lengthMax: number
}

export function spelt({ pattern, spelling, lengthMax }: Spelling) {
  return z
    .string()
    .max(lengthMax)
    .regex(pattern, { error: `must be ${spelling}` })
    .meta({ spelling })
}

/** A regular expression as CEL's string literal. */
export function celPattern(pattern: RegExp): string {
  return `'${pattern.source.replaceAll('\\', '\\\\')}'`
}
