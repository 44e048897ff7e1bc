/** Over replies recorded from BIRD 2.0.12: a router that works, one that is not there, one with another ASN. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { takeReply } from './reply.ts'
import { readRoutes, readSessions, readStart, readStatus } from './sessions.ts'

const protocols = recorded('protocols')
const bfd = recorded('bfd-sessions')

test('sessions', () => {
  expect(readSessions(protocols, bfd)).toEqual([
    {
      peer: 'router-a',
      peerAddress: '198.18.1.1',
      state: 'Established',
      since: '2026-11-23T12:24:37.843Z',
      bfd: 'Up',
      bfdSince: '2026-11-23T12:24:37.055Z',
      exported: { ipv4: 2, ipv6: 1 },
      message: null,
      isGivenUp: false,
    },
    {
      peer: 'absent',
      peerAddress: '198.18.1.77',
      state: 'Active',
      since: '2026-11-23T12:24:37.054Z',
      bfd: 'Down',
      bfdSince: '2026-11-23T12:24:37.044Z',
      exported: { ipv4: 0, ipv6: 0 },
      message: 'Socket: No route to host',
      isGivenUp: false,
    },
    {
      peer: 'other-asn',
      peerAddress: '2001:db8:b::1',
      state: 'Active',
      since: '2026-11-23T12:24:37.054Z',
      bfd: 'Up',
      bfdSince: '2026-11-23T12:24:37.805Z',
      exported: { ipv4: 0, ipv6: 0 },
      message: 'Socket: Connection closed',
      isGivenUp: false,
    },
  ])
})

test('without BFD its state is Off', () => {
  expect(readSessions(protocols, []).map((session) => session.bfd)).toEqual(['Off', 'Off', 'Off'])
})

test.each([
  ['Passive', 'Active'],
  ['Close', 'Idle'],
  ['Dreaming', 'Idle'],
])('BIRD says %s: that is %s', (word, state) => {
  const lines = protocols.map((line) => line.replace('Established', word))
  expect(readSessions(lines, bfd)[0]?.state).toBe(state)
})

test('what was not configured by us is not told of', () => {
  const foreign = protocols.map((line) => line.replace(/^:router-a /, 'router-a '))
  expect(readSessions(foreign, bfd).map(({ peer }) => peer)).toEqual(['absent', 'other-asn'])
})

test('a long complaint is cut', () => {
  const lines = protocols.map((line) => line.replace('No route', 'x'.repeat(5_000)))
  expect(readSessions(lines, bfd)[1]?.message).toHaveLength(1024)
})

test('what has no next hop is told to nobody, whatever is counted', () => {
  const exportedWith = (nextHop: string) =>
    readSessions(
      protocols.map((line) => line.replace(/BGP Next hop: +198.*/, nextHop)),
      bfd,
    )[0]?.exported
  expect(exportedWith('BGP Next hop:   ::')).toEqual({ ipv4: 0, ipv6: 1 })
  expect(exportedWith('')).toEqual({ ipv4: 0, ipv6: 1 })
})

test('when BIRD began', () => {
  expect(readStart(protocols)).toBe('2026-11-23T12:16:58.281Z')
  expect(readStart([])).toBeNull()
})

test('status', () => {
  expect(readStatus(recorded('status'))).toEqual({
    version: '2.0.12',
    routerId: '192.0.2.1',
    startedAt: '2026-11-23T12:16:58.281Z',
    configuredAt: '2026-11-23T12:24:37.054Z',
  })
})

test('routes', () => {
  const routes = ['203.0.113.11/32', '203.0.113.10/32', '2001:db8:53::10/128']
  expect(readRoutes(recorded('routes'))).toEqual(routes)
})

function recorded(name: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, 'recorded', `${name}.txt`), 'utf8')
  const taken = takeReply(text)
  expect(taken?.rest).toBe('')
  return taken?.reply.lines ?? []
}
