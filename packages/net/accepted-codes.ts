/** Which status codes make a probe a success: patterns like "404" or "2xx" as a set. */

const CODE_PATTERN = /^[1-6](\d\d|xx)$/

export type AcceptedCodes = ReadonlySet<number>

/** Patterns that are none match nothing: the schema of the resource has refused them before. */
export function acceptedCodes(patterns: readonly string[]): AcceptedCodes {
  const codes = new Set<number>()
  for (const pattern of patterns) {
    if (!CODE_PATTERN.test(pattern)) continue
    const first = Number(pattern.replace('xx', '00'))
    const last = pattern.endsWith('xx') ? first + 99 : first
    for (let code = first; code <= last; code++) codes.add(code)
  }
  return codes
}
