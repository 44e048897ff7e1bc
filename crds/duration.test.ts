import { expect, test } from 'vitest'
import { parseDurationMs } from './mod.ts'

test.each([
  ['500ms', 500],
  ['2s', 2_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['0.0004s', 0],
  ['0', 0],
])('%s is a duration', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms)
})

test.each(['', '500', '5 s', '-1s', '1d', 's', '1s2', '1e3ms', '.5s', '9'.repeat(40) + 's'])(
  '%s is none',
  (text) => {
    expect(parseDurationMs(text)).toBeNull()
  },
)
