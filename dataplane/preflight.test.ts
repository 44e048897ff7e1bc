import { describe, expect, it } from 'vitest'
import { RECEIVE_BUFFER_BYTES } from './limits.ts'
import { type MachineFacts, type PreflightQuestion, preflight } from './preflight.ts'

const QUESTION: PreflightQuestion = {
  inside: [{ address: '10.0.0.1', port: 5070 }],
  addresses: ['203.0.113.10'],
  port: 5060,
  insideSource: 'Node',
}
const OURS = 65532

function facts(change: Partial<Omit<MachineFacts, 'settings'>> = {}, settings = {}): MachineFacts {
  return {
    settings: new Map(
      Object.entries({ 'net.core.rmem_max': String(RECEIVE_BUFFER_BYTES), ...settings }),
    ),
    addresses: [{ interface: 'eth0', address: '10.0.0.1' }],
    udpSockets: [],
    uid: OURS,
    ...change,
  }
}

function verdictOf(name: string, machine: MachineFacts, question = QUESTION) {
  const checks = preflight(question, machine).filter((check) => check.name === name)
  return checks.find(({ verdict }) => verdict !== 'ok') ?? checks[0]
}

const SHARED: PreflightQuestion = { ...QUESTION, insideSource: 'Shared' }

it('a node without fault passes every check', () => {
  const checks = preflight(QUESTION, facts())
  expect(new Set(checks.map(({ name }) => name))).toEqual(
    new Set([
      'receive-buffer',
      'inside-address',
      'shared-address',
      'port',
      'rp-filter',
      'accept-local',
      'icmp-redirects',
      'conntrack',
    ]),
  )
  expect(checks.filter(({ verdict }) => verdict !== 'ok')).toEqual([])
})

describe('a node fails', () => {
  const rows: readonly [string, string, MachineFacts, PreflightQuestion?][] = [
    ['inside-address', 'an inside address that is not its own', facts({ addresses: [] })],
    [
      'shared-address',
      'a shared address that is its own',
      facts({ addresses: [{ interface: 'eth1', address: '203.0.113.10' }] }),
    ],
    [
      'shared-address',
      'a loopback address to share',
      facts(),
      { ...QUESTION, addresses: ['127.0.0.1'] },
    ],
    [
      'port',
      'a port of somebody else',
      facts({ udpSockets: [{ address: '203.0.113.10', port: 5060, uid: 0 }] }),
    ],
    [
      'port',
      'a port of somebody else on all addresses',
      facts({ udpSockets: [{ address: '::', port: 5070, uid: 0 }] }),
    ],
    ['rp-filter', 'strict for Shared', facts({}, { 'net.ipv4.conf.all.rp_filter': '1' }), SHARED],
    ['accept-local', 'off for Shared', facts(), SHARED],
  ]
  it.each(rows)('%s: %s', (name, _, machine, question) => {
    expect(verdictOf(name, machine, question)).toMatchObject({ verdict: 'fail' })
  })
})

describe('a node is warned', () => {
  const rows: readonly [string, Readonly<Record<string, string>>][] = [
    ['receive-buffer', { 'net.core.rmem_max': '212992' }],
    ['rp-filter', { 'net.ipv4.conf.eth0.rp_filter': '1' }],
    ['icmp-redirects', { 'net.ipv4.conf.eth0.accept_redirects': '1' }],
    ['icmp-redirects', { 'net.ipv6.conf.eth0.accept_redirects': '1' }],
    [
      'conntrack',
      { 'net.netfilter.nf_conntrack_max': '100', 'net.netfilter.nf_conntrack_count': '81' },
    ],
  ]
  it.each(rows)('%s: %o', (name, settings) => {
    expect(verdictOf(name, facts({}, settings))).toMatchObject({ verdict: 'warn' })
  })
})

describe('no fault is', () => {
  const rows: readonly [string, string, MachineFacts, PreflightQuestion?][] = [
    [
      'port',
      'a port of our own user, as of a running balancer',
      facts({ udpSockets: [{ address: '203.0.113.10', port: 5060, uid: OURS }] }),
    ],
    [
      'port',
      'the port on another address',
      facts({ udpSockets: [{ address: '127.0.0.1', port: 5060, uid: 0 }] }),
    ],
    [
      'shared-address',
      'a shared address that is held',
      facts({
        addresses: [
          { interface: 'eth0', address: '10.0.0.1' },
          { interface: 'lo', address: '203.0.113.10' },
        ],
      }),
    ],
    [
      'icmp-redirects',
      'a router that accepts them on one interface only',
      facts({}, { 'net.ipv4.conf.eth0.accept_redirects': '1', 'net.ipv4.ip_forward': '1' }),
    ],
    ['rp-filter', 'loose', facts({}, { 'net.ipv4.conf.eth0.rp_filter': '2' }), SHARED],
    ['accept-local', 'on', facts({}, { 'net.ipv4.conf.eth0.accept_local': '1' }), SHARED],
    ['conntrack', 'a kernel that tracks nothing', facts()],
  ]
  it.each(rows)('%s: %s', (name, _, machine, question) => {
    expect(verdictOf(name, machine, question)).toMatchObject({ verdict: 'ok' })
  })
})
