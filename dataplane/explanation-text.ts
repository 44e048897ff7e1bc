/**
 * An explanation as `explain` prints it: for people, or as one JSON object. Not here: the explanation
 * (`explain.ts`).
 */

import type { Explanation } from './explain.ts'

/** One line; `out` in base64, null where none. */
export function explanationJson(explanation: Explanation): string {
  const { out, ...rest } = explanation
  return JSON.stringify({ ...rest, out: out === null ? null : out.toBase64() })
}

export function explanationText(explanation: Explanation): string {
  const { out, ...facts } = explanation
  const lines = Object.entries(facts).map(
    ([name, value]) => `${`${name}:`.padEnd(10)}${value ?? '-'}`,
  )
  if (out === null) return `${lines.join('\n')}\nout:      -`
  return `${lines.join('\n')}\nout:      ${out.length} bytes\n\n${new TextDecoder().decode(out)}`
}
