import { expect, test } from 'vitest'
import { faultOf } from './faults.ts'
import { FAULT_KEYS, renderAnycastLine, renderAnycastScreen } from './screen.ts'
import type { AnycastSnapshot } from './snapshot.ts'
import { renderAnycastSummary } from './summary.ts'

const SNAPSHOT: AnycastSnapshot = {
  epoch: 7,
  proxies: '3/3',
  nodes: [
    {
      name: 'balancer-0',
      balancer: 'frozen',
      announcer: 'running',
      bird: 'dead',
      held: 2,
      announced: 0,
      sessions: ['router-a Established/Up'],
      epoch: 7,
      packets: 42,
      faults: ['balancer-frozen'],
    },
  ],
  routers: [{ name: 'router-a', state: 'running', ipv4: ['balancer-1'], ipv6: [] }],
  callsPerSecond: 3,
  calls: 20,
  callsLost: 1,
  requests: 400,
  unanswered: 2,
}

test('the screen shows nodes, routers, calls and what happened', () => {
  const screen = renderAnycastScreen(SNAPSHOT, { selected: 0, events: ['   1 s  frozen'] })
  expect(screen).toMatch(/▶ 1 balancer-0\s+frozen\s+running\s+dead\s+0\/2\s+7\s+42\s+router-a/)
  expect(screen).toMatch(/router-a\s+running\s+balancer-1\s+none/)
  expect(screen).toContain('calls 20, lost 1')
  expect(screen).toContain('   1 s  frozen')
})

test('a line says the same in short', () => {
  expect(renderAnycastLine(SNAPSHOT, 5)).toContain('router-a → 1 (IPv4) 0 (IPv6)')
})

test('every key makes a fault that there is, and the screen names it', () => {
  const screen = renderAnycastScreen(SNAPSHOT, { selected: 0, events: [] })
  for (const [key, name] of Object.entries(FAULT_KEYS)) {
    expect(faultOf(name).name).toBe(name)
    expect(screen).toMatch(
      new RegExp(`\\b${key} (the|kill|freeze|hang|block|drain|main|sil|pull|re)`),
    )
  }
})

test('the summary has a row for each trial, and one line for programs at its end', () => {
  const result = {
    fault: 'drain',
    isPlanned: true,
    node: 'balancer-0',
    avoidedMs: 85.4,
    packets: 3,
    requests: 100,
    unanswered: 4,
    unansweredAt: {},
    outageMs: 0,
    calls: 9,
    callsLost: { '503 Service Unavailable': 2 },
    registrationsLost: 0,
    repeated: 1,
  }
  const lines = renderAnycastSummary([result], 60).trimEnd().split('\n')
  expect(lines[2]).toMatch(/^node drained.* 85 ms +2 of 9 +0 +4 of 100 +1$/)
  expect(JSON.parse(lines.at(-1)!)).toEqual({ seconds: 60, trials: [result] })
})
