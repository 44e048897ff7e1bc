import type { SipBalancerStatus } from '@sipcast/crds'
import { describe, expect, it } from 'vitest'
import { announceNews } from './announce-news.ts'

const A = '203.0.113.10'
const NOW = '2026-11-23T09:00:00.000Z'

type Session = NonNullable<SipBalancerStatus['bgpSessions']>[number]

const up: Session = { peer: 'tor-a', peerAddress: '192.0.2.1', state: 'Established', since: NOW }
const hold = { ...up, state: 'Active', message: 'Hold timer expired' } as const

function status(change: Partial<SipBalancerStatus> & { readonly announced?: string[] } = {}) {
  const { announced = [A], ...rest } = change
  const entry = {
    namespace: 'default',
    name: 'voice',
    uid: 'uid',
    epoch: 1,
    sha256: 'sha',
    inUseSince: NOW,
    deadMarks: [],
    unanswered: [],
    announced,
    addresses: [],
    problems: [],
  }
  return {
    heartbeatAt: NOW,
    version: '0',
    sipProxies: [entry],
    acceptedKeyIds: [],
    bgpSessions: [up],
    conditions: [announcing('True', 'Announced', A)],
    ...rest,
  }
}

function announcing(state: 'True' | 'False', reason: string, message: string) {
  return { type: 'Announcing', status: state, lastTransitionTime: NOW, reason, message }
}

/** As lines: level, event, about, message. */
function news(last: SipBalancerStatus | null, next: SipBalancerStatus): readonly string[] {
  const before = last === null ? null : { name: 'node-a', status: last }
  return announceNews(before, { name: 'node-a', status: next }).map(
    ({ level, event, key, about, message }) =>
      `${level} ${event} ${key ?? `${about?.kind} ${about?.name}`}: ${message}`,
  )
}

describe('between two reports', () => {
  it('nothing is news where nothing changed, nor what the first one says', () => {
    expect(news(status(), status({ heartbeatAt: '2026-11-23T09:00:30.000Z' }))).toEqual([])
    expect(news(null, status())).toEqual([])
  })

  it('addresses are announced and withdrawn', () => {
    expect(news(status({ announced: [] }), status())).toEqual([
      `info AddressAnnounced default/voice: ${A} is announced by node-a`,
    ])
    expect(news(status(), status({ announced: [] }))).toEqual([
      `warn AddressWithdrawn default/voice: ${A} is announced by node-a no longer`,
    ])
  })

  it('a node that leaves in order is no warning', () => {
    const left = status({
      sipProxies: [],
      bgpSessions: [],
      conditions: [announcing('False', 'Stopped', 'stopped in order')],
    })
    expect(news(status(), left)).toEqual([
      'info Stopped SipBalancer node-a: stopped in order',
      'info BgpSessionDown BgpPeer tor-a: session of node-a with 192.0.2.1 has ended',
      `info AddressWithdrawn default/voice: ${A} is announced by node-a no longer`,
    ])
  })

  it('sessions go down with their reason, and come up', () => {
    expect(news(status(), status({ bgpSessions: [hold] }))).toEqual([
      'warn BgpSessionDown BgpPeer tor-a: session of node-a with 192.0.2.1 is down: Hold timer expired',
    ])
    expect(news(status({ bgpSessions: [hold] }), status())).toEqual([
      'info BgpSessionUp BgpPeer tor-a: session of node-a with 192.0.2.1 is established',
    ])
    expect(news(status({ bgpSessions: [] }), status({ bgpSessions: [hold] }))).toEqual([])
  })

  it('a session that was lost and is back is news', () => {
    const later = { ...up, since: '2026-11-23T09:00:10.000Z' }
    expect(news(status(), status({ bgpSessions: [later] }))).toEqual([
      'info BgpSessionUp BgpPeer tor-a: session of node-a with 192.0.2.1 was lost and is established again',
    ])
  })

  it('a node that does not announce any more says why, once', () => {
    const problem = { reason: 'BirdAbsent', message: 'BIRD does not run' }
    const broken = status({
      bgpSessions: [],
      problems: [problem],
      conditions: [announcing('False', problem.reason, problem.message)],
    })
    expect(news(status(), broken)).toEqual([
      'warn BirdAbsent SipBalancer node-a: BIRD does not run',
      'warn BgpSessionDown BgpPeer tor-a: session of node-a with 192.0.2.1 has ended',
    ])
    expect(news(broken, broken)).toEqual([])
    expect(news(broken, status())).toContain(`info Announced SipBalancer node-a: ${A}`)
  })

  it('a refused configuration is told though the last good one announces', () => {
    const problem = { reason: 'BirdRefused', message: 'line 3: syntax error' }
    expect(news(status(), status({ problems: [problem] }))).toEqual([
      'warn BirdRefused SipBalancer node-a: line 3: syntax error',
    ])
  })

  it('a problem of a SipProxy is told with the SipProxy', () => {
    const problem = { reason: 'AddressOutsidePools', message: A }
    const next = status({ problems: [problem] })
    next.sipProxies[0]!.problems = [problem] as never
    expect(news(status(), next)).toEqual([])
  })
})
