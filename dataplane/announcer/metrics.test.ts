import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { registryOf } from '../metrics/registry.ts'
import type { BgpSession } from './bird/sessions.ts'
import { BirdState } from './bird/state.ts'
import { NO_COPIES } from './copies.ts'
import { HoldRefusal } from './hold.ts'
import { metrics } from './metrics.ts'
import { AnnouncerState, IpFailure } from './state.ts'

const SESSION: BgpSession = {
  peer: 'router-a',
  peerAddress: '192.0.2.1',
  state: 'Established',
  since: null,
  bfd: 'Up',
  bfdSince: null,
  exported: { ipv4: 1, ipv6: 0 },
  message: null,
  isGivenUp: false,
}

const document = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')

function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = document.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const rows = section.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)
  return [...rows].map(([, name, rest]) => [name!, ...rest!.split(' | ')])
}

it('docs/metrics.md has one row for each metric of the announcer, with its kind and labels', () => {
  const real = metrics.map(({ name, kind, labels }) => [
    name,
    kind,
    labels.map((label) => `\`${label}\``).join(', ') || '–',
  ])
  expect(rowsUnder('Announcer').map((row) => row.slice(0, 3))).toEqual(real)
})

it('docs/metrics.md has one row for each reason not to hold an address', () => {
  const reasons = rowsUnder('Reasons not to hold an address').map(([reason]) => reason)
  expect(reasons).toEqual(Object.values(HoldRefusal))
})

it('a scrape shows what is held and what is not', async () => {
  const state = new AnnouncerState()
  const refused = [{ address: '198.51.100.1', reason: HoldRefusal.outsidePools }]
  state.refused = refused
  state.changed({ add: ['203.0.113.1'], remove: [] }, NO_COPIES)
  state.changed({ add: ['203.0.113.2'], remove: [] }, { ...NO_COPIES, add: ['203.0.113.1'] })
  state.failed(IpFailure.add)
  state.isBalancerAlive = true
  const bird = new BirdState()
  bird.known = [
    { peer: 'router-a', peerAddress: '192.0.2.1' },
    { peer: 'router-b', peerAddress: '192.0.2.2' },
  ]
  bird.sessions = [SESSION]
  bird.watch.observe([SESSION], '')
  bird.watch.observe([{ ...SESSION, bfd: 'Down' }], '')
  const text = await registryOf(metrics, { node: state, bird }, () => 0).metrics()
  for (const line of [
    'sipcast_announcer_address_held{address="203.0.113.1"} 1',
    'sipcast_announcer_address_held{address="198.51.100.1"} 0',
    'sipcast_announcer_address_announced{address="203.0.113.1"} 1',
    'sipcast_announcer_address_announced{address="203.0.113.2"} 0',
    'sipcast_announcer_lapses_total{cause="late"} 0',
    'sipcast_announcer_addresses_refused{reason="AddressOutsidePools"} 1',
    'sipcast_announcer_addresses_refused{reason="AddressForeign"} 0',
    'sipcast_announcer_failures_total{action="add"} 1',
    'sipcast_announcer_balancer_alive 1',
    'sipcast_announcer_bgp_session_up{peer="router-a"} 1',
    'sipcast_announcer_bgp_session_up{peer="router-b"} 0',
    'sipcast_announcer_bgp_session_changes_total{peer="router-a"} 0',
    'sipcast_announcer_bfd_changes_total{peer="router-a"} 1',
    'sipcast_announcer_bird_configurations_total{outcome="refused"} 0',
  ]) {
    expect(text.split('\n')).toContain(line)
  }
})
