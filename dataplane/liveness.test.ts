import { MemberState, SUSPICION_MS, type Table } from '@sipcast/mapping'
import { describe, expect, it } from 'vitest'
import { member, table } from './forward.fixture.ts'
import { FAST_PROBE_MS } from './limits.ts'
import { Liveness, localProbeIntervalMs } from './liveness.ts'

const EARLY = '2026-01-01T00:00:00.000Z'
const LATER = '2026-01-01T00:00:01.000Z'

/** A pool of `count` members a, b, c…; fall 2, rise 3, panic above 50 %. */
function pool(count: number, change: Partial<Table> = {}): Table {
  const members = Array.from({ length: count }, (_, index) =>
    member(index, `10.0.0.${index + 1}:5060`, { id: 'abcdefgh'[index]! }),
  )
  return table({ members, ...change })
}

function livenessOf(of: Table): Liveness {
  const liveness = new Liveness()
  liveness.adopt(of)
  return liveness
}

const at = (ms: number) => ({ ms, iso: `at ${ms}` })

/** One round of probes of the whole pool, `ms` on the clock: members in `silent` time out, the rest answers. */
function round(liveness: Liveness, of: Table, ms: number, silent: string): void {
  for (const { id } of of.members) {
    liveness.observe(id, silent.includes(id) ? 'timeout' : 'accepted', at(ms))
  }
}

describe('a dead mark', () => {
  it('comes with the fall-th miss in a row, not before', () => {
    const liveness = livenessOf(pool(3))
    expect(liveness.observe('a', 'timeout', at(0)).changed).toBe(false)
    expect(liveness.isDead('a')).toBe(false)
    expect(liveness.observe('a', 'timeout', at(2000)).changed).toBe(true)
    expect(liveness.isDead('a')).toBe(true)
    expect(liveness.marks()).toEqual([{ id: 'a', since: 'at 2000' }])
    expect(liveness.unanswered()).toEqual(['a'])
  })

  it('does not come if an answer lies between the misses', () => {
    const liveness = livenessOf(pool(3))
    for (const outcome of ['timeout', 'accepted', 'timeout', 'accepted'] as const) {
      liveness.observe('a', outcome, at(0))
    }
    expect(liveness.isDead('a')).toBe(false)
  })

  it('comes for unwelcome answers as for silence, but not for a proxy that only wants no more work', () => {
    const liveness = livenessOf(pool(3))
    for (const ms of [0, 2000, 4000]) {
      liveness.observe('a', 'rejected', at(ms))
      liveness.observe('b', 'unavailable', at(ms))
    }
    expect(liveness.marks().map((mark) => mark.id)).toEqual(['a'])
  })

  it('is lifted by rise answers in a row', () => {
    const of = pool(3)
    const liveness = livenessOf(of)
    for (const ms of [0, 2000]) round(liveness, of, ms, 'a')
    for (const ms of [4000, 6000]) round(liveness, of, ms, '')
    expect(liveness.isDead('a')).toBe(true)
    expect(liveness.unanswered()).toEqual([])
    round(liveness, of, 8000, '')
    expect(liveness.isDead('a')).toBe(false)
  })

  it('is not lifted by answers with a miss between them', () => {
    const of = pool(3)
    const liveness = livenessOf(of)
    for (const silent of ['a', 'a', '', '', 'a', '', '']) round(liveness, of, 0, silent)
    expect(liveness.isDead('a')).toBe(true)
  })
})

describe('a new table', () => {
  const of = pool(3)

  function marked(): Liveness {
    const liveness = livenessOf(of)
    for (const ms of [0, 2000]) round(liveness, of, ms, 'a')
    expect(liveness.isDead('a')).toBe(true)
    return liveness
  }

  it('with a later `since` of the member lifts its mark', () => {
    const liveness = marked()
    const members = of.members.map((one) => (one.id === 'a' ? { ...one, since: LATER } : one))
    liveness.adopt({ ...of, epoch: 2, members })
    expect(liveness.isDead('a')).toBe(false)
    expect(liveness.unanswered()).toEqual([])
  })

  it('that is about other members lifts nothing', () => {
    const liveness = marked()
    const members = of.members.map((one) => (one.id === 'b' ? { ...one, since: LATER } : one))
    liveness.adopt({ ...of, epoch: 2, members })
    expect(liveness.isDead('a')).toBe(true)
  })

  it('is compared with the table that the mark was made under, not with the latest', () => {
    const liveness = livenessOf(of)
    const later = { ...of, members: of.members.map((one) => ({ ...one, since: LATER })) }
    liveness.adopt(later)
    for (const ms of [0, 2000]) round(liveness, of, ms, 'a')
    liveness.adopt({ ...later, epoch: 3 })
    expect(liveness.isDead('a')).toBe(true)
  })

  it('forgets members that it does not name, and those with another address', () => {
    const liveness = marked()
    const moved = of.members.map((one) => (one.id === 'a' ? { ...one, address: '10.0.0.99' } : one))
    liveness.adopt({ ...of, epoch: 2, members: moved })
    expect(liveness.isDead('a')).toBe(false)
    expect(moved[0]!.since).toBe(EARLY)
    liveness.adopt({ ...of, epoch: 3, members: of.members.slice(1) })
    expect(liveness.observe('a', 'timeout', at(0))).toEqual({ changed: false, isNewSuspect: false })
  })
})

describe('the panic guard', () => {
  it('marks nobody when most of the pool falls silent at once, but tells who does not answer', () => {
    const of = pool(4)
    const liveness = livenessOf(of)
    round(liveness, of, 0, '')
    for (const ms of [2000, 4000, 6000]) round(liveness, of, ms, 'abc')
    expect(liveness.isPanicking).toBe(true)
    expect(liveness.marks()).toEqual([])
    expect(liveness.unanswered()).toEqual(['a', 'b', 'c'])
  })

  it('allows exactly panicPercent', () => {
    const of = pool(4)
    const liveness = livenessOf(of)
    for (const ms of [0, 2000]) round(liveness, of, ms, 'ab')
    expect(liveness.isPanicking).toBe(false)
    expect(liveness.marks().map((mark) => mark.id)).toEqual(['a', 'b'])
  })

  it('withdraws the marks of the wave that it came too late for', () => {
    const of = pool(3, { probe: { ...pool(3).probe, fall: 1 } })
    const liveness = livenessOf(of)
    liveness.observe('a', 'timeout', at(0))
    expect(liveness.isDead('a')).toBe(true)
    liveness.observe('b', 'timeout', at(100))
    expect(liveness.isPanicking).toBe(true)
    expect(liveness.marks()).toEqual([])
  })

  it('does not count refusals: they came over a working network', () => {
    const of = pool(3)
    const liveness = livenessOf(of)
    for (const ms of [0, 100]) for (const id of 'abc') liveness.observe(id, 'refused', at(ms))
    expect(liveness.isPanicking).toBe(false)
    expect(liveness.marks()).toHaveLength(3)
  })

  it('does not count what the table knows to be down', () => {
    const members = pool(4).members.map((one, index) =>
      index < 3 ? { ...one, state: MemberState.down } : one,
    )
    const of = pool(4, { members: [...members, member(9, '10.0.0.9:5060', { id: 'z' })] })
    const liveness = livenessOf(of)
    for (const ms of [0, 2000]) round(liveness, of, ms, 'abc')
    expect(liveness.isPanicking).toBe(false)
  })

  it('does not count an old death into a new wave', () => {
    const of = pool(3)
    const liveness = livenessOf(of)
    for (const ms of [0, 2000]) round(liveness, of, ms, 'a')
    for (let ms = 4000; ms <= 60_000; ms += 2000) round(liveness, of, ms, 'a')
    for (const ms of [62_000, 64_000]) round(liveness, of, ms, 'ab')
    expect(liveness.marks().map((mark) => mark.id)).toEqual(['a', 'b'])
  })

  it('ends one window after the others answered, and the silent are marked then', () => {
    const of = pool(4)
    const liveness = livenessOf(of)
    for (const ms of [0, 2000]) round(liveness, of, ms, 'abc')
    for (const ms of [4000, 6000, 8000]) round(liveness, of, ms, 'a')
    expect(liveness.isPanicking).toBe(true)
    expect(liveness.marks()).toEqual([])
    round(liveness, of, 10_000, 'a')
    expect(liveness.isPanicking).toBe(false)
    expect(liveness.marks().map((mark) => mark.id)).toEqual(['a'])
    expect(liveness.unanswered()).toEqual(['a'])
  })
})

describe('an ICMP refusal', () => {
  it('of a worker starts a fast probe and marks nothing by itself', () => {
    const liveness = livenessOf(pool(3))
    expect(liveness.refused('10.0.0.1', 5060, 1000)).toEqual(['a'])
    expect(liveness.refused('10.0.0.1', 5061, 1000)).toEqual([])
    expect(liveness.marks()).toEqual([])
    expect(liveness.unanswered()).toEqual([])
  })

  it('of a worker is confirmed by silence, as a burst of requests may have used up all ICMPs', () => {
    const liveness = livenessOf(pool(3, { probe: { ...pool(3).probe, fall: 5 } }))
    liveness.refused('10.0.0.1', 5060, 1000)
    expect(liveness.elapse('a', at(1000 + SUSPICION_MS - 1)).changed).toBe(false)
    expect(liveness.elapse('a', at(1000 + SUSPICION_MS)).changed).toBe(true)
    expect(liveness.marks().map(({ id }) => id)).toEqual(['a'])
  })

  it('of a worker is confirmed by one of a probe', () => {
    const liveness = livenessOf(pool(3, { probe: { ...pool(3).probe, fall: 5 } }))
    liveness.refused('10.0.0.1', 5060, 0)
    expect(liveness.observe('a', 'refused', at(1))).toEqual({ changed: true, isNewSuspect: false })
    expect(liveness.isDead('a')).toBe(true)
  })

  it('of a worker is nothing where the proxy answers: anybody can forge one, again and again', () => {
    const liveness = livenessOf(pool(3, { probe: { ...pool(3).probe, fall: 1 } }))
    for (let ms = 0; ms < 5000; ms += FAST_PROBE_MS) {
      expect(liveness.refused('10.0.0.1', 5060, ms)).toEqual(['a'])
      liveness.observe('a', 'accepted', at(ms + 40))
      liveness.elapse('a', at(ms + SUSPICION_MS))
    }
    expect(liveness.marks()).toEqual([])
  })

  it('starts no second probe within FAST_PROBE_MS, however often it comes', () => {
    const liveness = livenessOf(pool(3))
    liveness.refused('10.0.0.1', 5060, 1000)
    expect(liveness.refused('10.0.0.1', 5060, 1000 + FAST_PROBE_MS - 1)).toEqual([])
    expect(liveness.refused('10.0.0.1', 5060, 1000 + FAST_PROBE_MS)).toEqual(['a'])
  })

  it('of a probe makes a suspect, and a second one the mark, whatever `fall` says', () => {
    const liveness = livenessOf(pool(3, { probe: { ...pool(3).probe, fall: 5 } }))
    expect(liveness.observe('a', 'refused', at(0))).toEqual({ changed: false, isNewSuspect: true })
    expect(liveness.observe('a', 'refused', at(1))).toEqual({ changed: true, isNewSuspect: false })
    expect(liveness.isDead('a')).toBe(true)
  })

  it('is confirmed by silence too: hosts send few ICMPs', () => {
    const liveness = livenessOf(pool(3))
    liveness.observe('a', 'refused', at(0))
    expect(liveness.elapse('a', at(SUSPICION_MS - 1)).changed).toBe(false)
    expect(liveness.elapse('a', at(SUSPICION_MS)).changed).toBe(true)
    expect(liveness.isDead('a')).toBe(true)
  })

  it('is forgotten when the suspect answers', () => {
    const liveness = livenessOf(pool(3))
    liveness.observe('a', 'refused', at(0))
    liveness.observe('a', 'accepted', at(1))
    expect(liveness.elapse('a', at(SUSPICION_MS)).changed).toBe(false)
    expect(liveness.isDead('a')).toBe(false)
  })

  it('of a proxy already marked changes nothing', () => {
    const liveness = livenessOf(pool(3))
    for (const ms of [0, 2000]) liveness.observe('a', 'timeout', at(ms))
    expect(liveness.refused('10.0.0.1', 5060, 9000)).toEqual([])
  })
})

it('probes four times less often than the operator, and never more often than every 2 s', () => {
  const every = (intervalMs: number) =>
    localProbeIntervalMs(table({ probe: { ...table().probe, intervalMs } }))
  expect([every(100), every(500), every(1000)]).toEqual([2000, 2000, 4000])
})
