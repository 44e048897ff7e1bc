/**
 * Durations as Kubernetes resources spell them: Go's `500ms`, `1m30s`, `1.5h`. Parsed to whole milliseconds at the
 * edge.
 * Not here: microseconds and nanoseconds, which no setting of ours can use, and signs.
 * Invariant: what this accepts, Go's time.ParseDuration and CEL's duration() accept too, with the same value.
 */
import { withRules } from './rules.ts'
import { spelt } from './text.ts'

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }
const DURATION = /^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$/
const WHOLE_SECONDS = /^([0-9]+(h|m|s))+$/
const DURATION_LENGTH_MAX = 32

/** Milliseconds of a Go-style duration, or null where the text is none. */
export function parseDurationMs(text: string): number | null {
  if (text === '0') return 0
  if (text.length > DURATION_LENGTH_MAX || !DURATION.test(text)) return null
  let totalMs = 0
  for (const [, value, , unit] of text.matchAll(/([0-9]+(\.[0-9]+)?)(ms|h|m|s)/g)) {
    totalMs += Number(value) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  }
  return Math.round(totalMs)
}

/** A duration field between two durations, both included; its parsed value is in milliseconds. */
export function duration(min: string, max: string) {
  return between(DURATION, 'a duration such as "500ms", "2s" or "1m30s"', min, max)
}

/** A duration field without fractions of seconds. */
export function wholeSeconds(min: string, max: string) {
  return between(WHOLE_SECONDS, 'a duration in whole seconds such as "9s" or "1m30s"', min, max)
}

function between(pattern: RegExp, spelling: string, min: string, max: string) {
  const [minMs, maxMs] = [parseDurationMs(min) ?? 0, parseDurationMs(max) ?? 0]
  const text = spelt({ pattern, spelling, lengthMax: DURATION_LENGTH_MAX })
  const rule = {
    cel: `duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`,
    message: `must be from ${min} to ${max}`,
    holds: (value: string) => {
      const ms = parseDurationMs(value) ?? Number.NaN
      return ms >= minMs && ms <= maxMs
    },
  }
  return withRules(text, [rule], { spelling: `${spelling}, from ${min} to ${max}` }).transform(
    (value) => parseDurationMs(value) ?? 0,
  )
}
