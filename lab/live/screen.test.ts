import { expect, test } from 'vitest'
import { parseLiveConfig } from './config.ts'
import { renderLine, renderScreen } from './screen.ts'
import type { Snapshot } from './snapshot.ts'
import { renderSummary } from './summary.ts'

const snapshot: Snapshot = {
  kind: 'kamailio',
  operator: 'running',
  epoch: 7,
  lastMoves: 1365,
  ready: 'True (Serving)',
  proxies: [
    { name: 'registrar-0', process: 'dead', health: 'Down', slots: 0, users: 0, rttMs: null },
    { name: 'registrar-1', process: 'running', health: 'Up', slots: 2048, users: 6, rttMs: 0.41 },
  ],
  balancers: [
    {
      name: 'balancer-0',
      process: 'running',
      epoch: 7,
      deadMarks: ['registrar-0'],
      packetsPerSecond: 210,
    },
  ],
  phones: 12,
  totals: { tried: 200, failed: 3 },
  recent: { tried: 40, failed: 0 },
  usersMoved: 4,
}

test('the screen shows health, slots, epoch, call success, users per registrar and the keys', () => {
  const screen = renderScreen(snapshot, { selected: 1, events: ['12 s  registrar-0 killed'] })
  for (const part of [
    /epoch 7/,
    /registrar-0 +dead +Down +0 +0/,
    /▶ +2 registrar-1 +running +Up +2048 +6 +0\.4 ms/,
    /98\.5 % good/,
    /registrar-0 killed/,
    /k kill/,
  ]) {
    expect(screen).toMatch(part)
  }
  expect(renderLine(snapshot, 5)).toMatch(/^ +5 s .*epoch 7/)
})

test('the last line of the summary is one JSON object', () => {
  const summary = {
    seconds: 30,
    callsTried: 9,
    callsFailed: 1,
    usersMoved: 2,
    failoverMs: [600],
    unreachablePhones: 0,
  }
  const lines = renderSummary(summary, [{ tried: 9, failed: 1 }], [])
    .trimEnd()
    .split('\n')
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual(summary)
})

test.each([
  [[], true, { kind: 'kamailio', forSeconds: null }],
  [[], false, { kind: 'reference', forSeconds: null }],
  [['--for', '30', '--registrar', 'reference'], true, { kind: 'reference', forSeconds: 30 }],
])('options %j', (args, hasKamailio, expected) => {
  expect(parseLiveConfig(args, hasKamailio)).toMatchObject({ ok: true, value: expected })
})

test.each([
  [['--for', 'ever'], true],
  [['--registrar', 'asterisk'], true],
  [['--registrar', 'kamailio'], false],
  [['--unknown'], true],
])('refused options %j', (args, hasKamailio) => {
  expect(parseLiveConfig(args, hasKamailio)).toMatchObject({ ok: false })
})
