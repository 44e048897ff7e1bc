import { describe, expect, it } from 'vitest'
import { SessionWatch } from './session-watch.ts'
import type { BgpSession } from './sessions.ts'

const UP: BgpSession = {
  peer: 'router-a',
  peerAddress: '192.0.2.1',
  state: 'Established',
  since: '2026-01-01T00:00:00.000Z',
  bfd: 'Up',
  bfdSince: '2026-01-01T00:00:00.000Z',
  exported: { ipv4: 1, ipv6: 0 },
  message: null,
  isGivenUp: false,
}
const DOWN: BgpSession = { ...UP, state: 'Connect', bfd: 'Down', message: 'Received: Cease' }
const AT = '2026-01-01T00:01:00.000Z'
const AFTER = '2026-01-01T00:01:00.500Z'
const LATER = '2026-01-01T00:01:01.000Z'

function watch(...looks: readonly (readonly BgpSession[])[]) {
  const watching = new SessionWatch()
  const changes = looks.map((sessions, index) =>
    watching.observe(sessions, [AT, LATER][index % 2]!),
  )
  const last = changes.at(-1)!.map(({ protocol, isUp }) => `${protocol} ${isUp ? 'up' : 'down'}`)
  return { last, bgp: watching.counts('BGP')[0]?.[1], bfd: watching.counts('BFD')[0]?.[1] }
}

describe('sessions', () => {
  const rows: readonly [string, BgpSession[][], ReturnType<typeof watch>][] = [
    ['found up: news, no change', [[UP]], { last: ['BGP up', 'BFD up'], bgp: 0, bfd: 0 }],
    ['found down: no news', [[DOWN]], { last: [], bgp: 0, bfd: 0 }],
    ['gone down', [[UP], [DOWN]], { last: ['BGP down', 'BFD down'], bgp: 1, bfd: 1 }],
    ['come up', [[DOWN], [UP]], { last: ['BGP up', 'BFD up'], bgp: 1, bfd: 1 }],
    ['as before', [[UP], [UP]], { last: [], bgp: 0, bfd: 0 }],
    [
      'down and up between two looks: two changes',
      [[UP], [{ ...UP, since: AFTER }]],
      { last: ['BGP down', 'BGP up'], bgp: 2, bfd: 0 },
    ],
    [
      'BFD alone: down and up between two looks',
      [[UP], [{ ...UP, bfdSince: AFTER }]],
      { last: ['BFD down', 'BFD up'], bgp: 0, bfd: 2 },
    ],
    [
      'another time of long ago: the clock was set',
      [[UP], [{ ...UP, since: '2026-01-01T00:00:30.000Z' }]],
      { last: [], bgp: 0, bfd: 0 },
    ],
    [
      'without BFD',
      [[{ ...UP, bfd: 'Off' }], [{ ...DOWN, bfd: 'Off' }]],
      { last: ['BGP down'], bgp: 1, bfd: 0 },
    ],
    ['forgotten with its BgpPeer', [[UP], []], { last: [], bgp: undefined, bfd: undefined }],
  ]
  it.each(rows)('%s', (_, looks, expected) => {
    expect(watch(...looks)).toEqual(expected)
  })

  it('say what is wrong, and with whom', () => {
    const watching = new SessionWatch()
    watching.observe([UP], AT)
    const messages = watching.observe([DOWN], LATER).map(({ message }) => message)
    expect(messages).toEqual(['router-a 192.0.2.1: Received: Cease', 'router-a 192.0.2.1: Down'])
  })

  it('end with BIRD, once', () => {
    const watching = new SessionWatch()
    watching.observe([UP], AT)
    expect(watching.lose('gone').map(({ isUp }) => isUp)).toEqual([false, false])
    expect(watching.lose('gone')).toEqual([])
    expect(watching.observe([UP], LATER).map(({ isUp, isFirst }) => [isUp, isFirst])).toEqual([
      [true, false],
      [true, false],
    ])
  })
})
