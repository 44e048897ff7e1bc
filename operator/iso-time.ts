/** Times as tables and status have them: ISO-8601 in UTC with milliseconds. Pure; the clock is a port. */

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** Milliseconds since 1970; NaN where the text is no time. */
export function timeMs(iso: string): number {
  return Date.parse(iso)
}
