import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Health, Observation, observe, startHealth } from './health.ts'
import { guardAgainstPanic, type PanicMember, panicWindowMs } from './panic.ts'
import { MemberState } from './table.ts'

const PROBE = { intervalMs: 500, timeoutMs: 400, fall: 2 }
const windowMs = panicWindowMs(PROBE)

const answering = (id: string): PanicMember => ({
  id,
  silentSinceMs: null,
  isDown: false,
  isBelieved: false,
})
const dead = (id: string, silentSinceMs = 9000): PanicMember => ({
  ...answering(id),
  silentSinceMs,
  isDown: true,
})
const believed = (id: string, silentSinceMs: number): PanicMember => ({
  ...dead(id, silentSinceMs),
  isBelieved: true,
})
const refused = (id: string): PanicMember => ({ ...answering(id), isDown: true })
const missed = (id: string): PanicMember => ({ ...dead(id), isDown: false })

function guard(members: readonly PanicMember[], ...reports: (readonly string[])[]): string[] {
  const balancerReports = reports.map((ids) => new Set(ids))
  const input = { members, balancerReports, panicPercent: 50, windowMs, nowMs: 10_000 }
  const { isPanic, held } = guardAgainstPanic(input)
  expect(isPanic).toBe(held.size > 0)
  return [...held]
}

describe('the panic guard holds', () => {
  test.each<readonly [string, readonly PanicMember[], readonly string[]]>([
    ['nobody while all answer', [answering('a'), answering('b')], []],
    ['nobody at just half the pool', [dead('a'), answering('b')], []],
    ['the silent, if they are more', [dead('a'), dead('b'), answering('c')], ['a', 'b']],
    ['only who is found dead', [dead('a'), missed('b'), answering('c')], ['a']],
    ['nobody for first misses alone', [missed('a'), missed('b'), missed('c')], []],
    ['nobody who refused: the network works', [refused('a'), refused('b'), dead('c')], []],
    ['the silent beside a refused one', [dead('a'), dead('b'), refused('c')], ['a', 'b']],
    [
      'nobody for the sake of the long dead',
      [believed('a', 0), believed('b', 0), dead('c'), answering('d')],
      [],
    ],
    [
      'the rest, if the first were just believed',
      [believed('a', 9000), dead('b'), dead('c')],
      ['b', 'c'],
    ],
    ['all that are left, if they go at once', [believed('a', 0), dead('b'), dead('c')], ['b', 'c']],
  ])('%s', (_, members, held) => {
    expect(guard(members)).toEqual(held)
  })
})

describe('balancers end it', () => {
  const silent = [dead('a'), dead('b'), answering('c')]
  test.each<readonly [string, readonly (readonly string[])[], readonly string[]]>([
    ['if most find the same proxies dead', [['a', 'b'], ['a', 'b'], []], []],
    ['not if only half do', [['a', 'b'], []], ['a', 'b']],
    ['not by finding others dead', [['c'], ['c']], ['a', 'b']],
    ['for those that they agree on', [['a'], ['a', 'b'], ['a']], []],
  ])('%s', (_, reports, held) => {
    expect(guard(silent, ...reports)).toEqual(held)
  })

  test('one proxy at a time', () => {
    const members = [dead('a'), dead('b'), dead('c'), answering('d')]
    expect(guard(members, ['a'])).toEqual(['b', 'c'])
  })
})

test.each([
  [0, 1],
  [100, 0],
])('panicPercent %i: one silent proxy of four, %i held', (panicPercent, count) => {
  const members = [dead('a'), answering('b'), answering('c'), answering('d')]
  const input = { members, balancerReports: [], panicPercent, windowMs, nowMs: 10_000 }
  expect(guardAgainstPanic(input).held.size).toBe(count)
})

describe('a prober that is cut off', () => {
  const config = fc.record({
    size: fc.integer({ min: 3, max: 20 }),
    fall: fc.integer({ min: 1, max: 4 }),
    panicPercent: fc.constantFrom(20, 50, 80),
    phases: fc.array(fc.nat(499), { minLength: 20, maxLength: 20 }),
  })

  test('never takes more than panicPercent of the pool for dead, and nobody at all if fall > 1', () => {
    fc.assert(
      fc.property(config, ({ size, fall, panicPercent, phases }) => {
        const deaths = cutOff({ size, fall, panicPercent, phases, silent: size })
        expect(deaths * 100).toBeLessThanOrEqual(panicPercent * size)
        expect(fall > 1 ? deaths : 0).toBe(0)
      }),
    )
  })

  test('is not suspected while no more proxies than that are really dead', () => {
    fc.assert(
      fc.property(config, ({ size, fall, panicPercent, phases }) => {
        const silent = Math.floor((size * panicPercent) / 100)
        expect(cutOff({ size, fall, panicPercent, phases, silent })).toBe(silent)
      }),
    )
  })
})

/** The first `silent` of `size` proxies answer nothing for ten seconds. Returns how many were believed dead. */
function cutOff(options: {
  readonly size: number
  readonly fall: number
  readonly panicPercent: number
  readonly phases: readonly number[]
  readonly silent: number
}): number {
  const { size, fall, panicPercent, phases, silent } = options
  const { intervalMs, timeoutMs } = PROBE
  const healths = new Map<number, Health>()
  const believedDead = new Set<number>()
  const results: { readonly proxy: number; readonly atMs: number }[] = []
  for (let proxy = 0; proxy < size; proxy++) {
    healths.set(proxy, startHealth(MemberState.up, 0))
    for (let sentMs = phases[proxy] ?? 0; sentMs < 10_000; sentMs += intervalMs) {
      results.push({ proxy, atMs: sentMs + (proxy < silent ? timeoutMs : 1) })
    }
  }
  for (const { proxy, atMs } of results.sort((a, b) => a.atMs - b.atMs)) {
    const outcome = proxy < silent ? Observation.timeout : Observation.accepted
    const before = healths.get(proxy) ?? startHealth(null, 0)
    healths.set(proxy, observe(before, outcome, { fall, rise: 3 }, atMs))
    const members = Array.from(healths, ([id, { state, silentSinceMs }]) => ({
      id: String(id),
      silentSinceMs,
      isDown: state === MemberState.down,
      isBelieved: believedDead.has(id),
    }))
    const { held } = guardAgainstPanic({
      members,
      balancerReports: [],
      panicPercent,
      windowMs: panicWindowMs({ ...PROBE, fall }),
      nowMs: atMs,
    })
    for (const { id, isDown } of members) if (isDown && !held.has(id)) believedDead.add(Number(id))
  }
  return believedDead.size
}
