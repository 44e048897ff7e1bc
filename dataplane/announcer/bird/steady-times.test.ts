import { expect, test } from 'vitest'
import type { BgpSession } from './sessions.ts'
import { SteadyTimes } from './steady-times.ts'

const STARTED_AT = '2026-11-23T12:00:00.000Z'
const SESSION: BgpSession = {
  peer: 'tor-a',
  peerAddress: '192.0.2.1',
  state: 'Established',
  since: '2026-11-23T12:24:37.843Z',
  bfd: 'Up',
  bfdSince: '2026-11-23T12:24:37.055Z',
  exported: { ipv4: 1, ipv6: 0 },
  message: null,
  isGivenUp: false,
}

const at = (time: string, shiftMs: number): string =>
  new Date(Date.parse(time) + shiftMs).toISOString()

/** What is told of a session after `SESSION`. */
function next(change: Partial<BgpSession>, first: BgpSession = SESSION, startedAt = STARTED_AT) {
  const times = new SteadyTimes()
  times.take([first], STARTED_AT)
  return times.take([{ ...first, ...change }], startedAt)[0]!
}

test.each([
  ['a hair later', { since: at(SESSION.since!, 7), bfdSince: at(SESSION.bfdSince!, -7) }],
  ['a hair earlier', { since: at(SESSION.since!, -43), bfdSince: at(SESSION.bfdSince!, 43) }],
])('a session that is %s is as it was', (_, change) => {
  expect(next(change)).toEqual(SESSION)
})

test.each([
  ['later', { since: at(SESSION.since!, 160) }],
  ['a hair later in another state', { since: at(SESSION.since!, 7), state: 'Idle' as const }],
  ['without a time', { since: null }],
  ['by BFD later', { bfdSince: at(SESSION.bfdSince!, 160) }],
  ['by BFD in another state', { bfdSince: at(SESSION.bfdSince!, 7), bfd: 'Down' as const }],
])('a session that is %s is news', (_, change) => {
  expect(next(change)).toEqual({ ...SESSION, ...change })
})

test.each([3_600_000, -3_600_000])('a clock that is set by %d ms is no news of anybody', (byMs) => {
  const times = new SteadyTimes()
  times.take([SESSION], STARTED_AT)
  const moved = {
    ...SESSION,
    since: at(SESSION.since!, byMs),
    bfdSince: at(SESSION.bfdSince!, byMs),
  }
  for (let look = 0; look < 3; look++) {
    expect(times.take([moved], at(STARTED_AT, byMs))).toEqual([SESSION])
  }
  const lost = { ...moved, since: at(moved.since, 5_000) }
  expect(times.take([lost], at(STARTED_AT, byMs))[0]?.since).toBe(lost.since)
})

test('one that BIRD has given up stays so since then, however often it is begun again', () => {
  const givenUp: BgpSession = { ...SESSION, state: 'Idle', isGivenUp: true }
  const again = { since: at(SESSION.since!, 5_000) }
  expect(next(again, givenUp)).toEqual(givenUp)
  expect(next({ ...again, isGivenUp: false }, givenUp).since).toBe(again.since)
})
