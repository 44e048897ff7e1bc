import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Health, Observation, observe, startHealth } from './health.ts'
import { guardAgainstPanic, type PanicMember, panicWindowMs } from './panic.ts'
import { MemberState } from './table.ts'

const PROBE = { intervalMs: 500, timeoutMs: 400, fall: 2 }
const windowMs = panicWindowMs(PROBE)
const NOW_MS = 10_000

const member = (id: string, health: Partial<Health>, isBelieved = false): PanicMember => ({
  id,
  health: { ...startHealth(MemberState.up, 0), ...health },
  isBelieved,
})
const down = { state: MemberState.down }
const answering = (id: string) => member(id, { goodInRow: 9 })
const dead = (id: string) => member(id, { ...down, silentSinceMs: 9000 })
const missed = (id: string) => member(id, { silentSinceMs: 9500 })
const refused = (id: string) => member(id, { ...down, refusedSinceMs: 9000 })
const rejecting = (id: string) => member(id, { ...down, badInRow: 2 })
const back = (id: string) => member(id, { ...down, goodInRow: 1, answeringSinceMs: 9900 })
const backForLong = (id: string) => member(id, { ...down, goodInRow: 9, answeringSinceMs: 1000 })
const upAgain = (id: string) => member(id, { goodInRow: 9, answeringSinceMs: 9900 })
const never = (id: string) => member(id, { ...down, silentSinceMs: Number.NEGATIVE_INFINITY })
const justBelieved = (id: string) =>
  member(id, { ...down, sinceMs: 9000, silentSinceMs: 9000 }, true)
const longBelieved = (id: string) =>
  member(id, { ...down, sinceMs: 1000, silentSinceMs: 9000 }, true)

function guard(members: readonly PanicMember[], ...reports: (readonly string[])[]) {
  const balancerReports = reports.map((ids) => new Set(ids))
  const input = { members, balancerReports, panicPercent: 50, windowMs, nowMs: NOW_MS }
  const { isPanic, held, nextMs } = guardAgainstPanic(input)
  return { isPanic, held: [...held], nextMs }
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
    ['nobody who answers wrongly', [dead('a'), dead('b'), rejecting('c')], ['a', 'b']],
    [
      'nobody for the long dead',
      [longBelieved('a'), longBelieved('b'), dead('c'), answering('d')],
      [],
    ],
    [
      'nobody for newcomers that never answered',
      [never('a'), never('b'), dead('c'), answering('d')],
      [],
    ],
    [
      'the rest, if the first were just believed',
      [justBelieved('a'), dead('b'), dead('c')],
      ['b', 'c'],
    ],
    [
      'all that are left, if they go at once',
      [longBelieved('a'), dead('b'), dead('c')],
      ['b', 'c'],
    ],
  ])('%s', (_, members, held) => {
    expect(guard(members)).toEqual({ isPanic: held.length > 0, held, nextMs: null })
  })
})

describe('the end of a panic', () => {
  test('those that answer again are held until they are Up', () => {
    expect(guard([backForLong('a'), answering('b')])).toMatchObject({ isPanic: false, held: ['a'] })
  })

  test('the others are held until they had their turn, too', () => {
    const members = [back('a'), upAgain('b'), dead('c'), answering('d')]
    expect(guard(members)).toEqual({ isPanic: true, held: ['a', 'c'], nextMs: 9900 + windowMs })
  })

  test('then they are believed dead', () => {
    const members = [backForLong('a'), answering('b'), dead('c'), answering('d')]
    expect(guard(members)).toEqual({ isPanic: false, held: ['a'], nextMs: null })
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
    expect(guard(silent, ...reports).held).toEqual(held)
  })

  test('one proxy at a time', () => {
    const members = [dead('a'), dead('b'), dead('c'), answering('d')]
    expect(guard(members, ['a']).held).toEqual(['b', 'c'])
  })
})

test.each([
  [0, 1],
  [100, 0],
])('panicPercent %i: one silent proxy of four, %i held', (panicPercent, count) => {
  const members = [dead('a'), answering('b'), answering('c'), answering('d')]
  const input = { members, balancerReports: [], panicPercent, windowMs, nowMs: NOW_MS }
  expect(guardAgainstPanic(input).held.size).toBe(count)
})

describe('a prober that is cut off for some seconds', () => {
  const config = fc.record({
    size: fc.integer({ min: 3, max: 20 }),
    fall: fc.integer({ min: 1, max: 4 }),
    rise: fc.integer({ min: 1, max: 3 }),
    panicPercent: fc.constantFrom(20, 50, 80),
    phases: fc.array(fc.nat(PROBE.intervalMs - 1), { minLength: 20, maxLength: 20 }),
    cutMs: fc.integer({ min: 1, max: 8000 }),
  })

  test('never takes more than panicPercent of the pool for dead, and nobody at all if fall > 1', () => {
    fc.assert(
      fc.property(config, ({ cutMs, ...pool }) => {
        const { deadMax } = probeAll(pool, (_, sentMs) => sentMs > 2000 && sentMs < 2000 + cutMs)
        expect(deadMax * 100).toBeLessThanOrEqual(pool.panicPercent * pool.size)
        expect(pool.fall > 1 ? deadMax : 0).toBe(0)
      }),
    )
  })

  test('finds those dead that really died meanwhile, and only those', () => {
    fc.assert(
      fc.property(config, ({ cutMs, ...pool }) => {
        const died = Math.floor((pool.size * pool.panicPercent) / 100)
        const fall = Math.max(2, pool.fall)
        const { deadLast } = probeAll(
          { ...pool, fall },
          (proxy, sentMs) => sentMs > 2000 && (proxy < died || sentMs < 2000 + cutMs),
        )
        expect(deadLast).toEqual(Array.from({ length: died }, (_, proxy) => proxy))
      }),
    )
  })
})

test('as many dead as panicPercent allows are no panic', () => {
  const phases = Array.from({ length: 10 }, (_, i) => (i * 137) % PROBE.intervalMs)
  const pool = { size: 10, fall: 2, rise: 3, panicPercent: 50, phases }
  const { deadLast } = probeAll(pool, (proxy, sentMs) => proxy < 5 && sentMs > 2000)
  expect(deadLast).toEqual([0, 1, 2, 3, 4])
})

interface ProbedPool {
  readonly size: number
  readonly fall: number
  readonly rise: number
  readonly panicPercent: number
  readonly phases: readonly number[]
}

/** Probes a pool for 20 s and believes what the guard lets through, as the operator does after every result. */
function probeAll(pool: ProbedPool, isSilenced: (proxy: number, sentMs: number) => boolean) {
  const { size, fall, rise, panicPercent, phases } = pool
  const { intervalMs, timeoutMs } = PROBE
  const results: { readonly proxy: number; readonly atMs: number; readonly isSilent: boolean }[] =
    []
  for (let proxy = 0; proxy < size; proxy++) {
    for (let sentMs = phases[proxy] ?? 0; sentMs < 20_000; sentMs += intervalMs) {
      const silenced = isSilenced(proxy, sentMs)
      results.push({ proxy, atMs: sentMs + (silenced ? timeoutMs : 1), isSilent: silenced })
    }
  }
  const healths = Array.from({ length: size }, () => startHealth(MemberState.up, 0))
  const believed = new Set<number>()
  let deadMax = 0
  for (const { proxy, atMs, isSilent } of results.sort((a, b) => a.atMs - b.atMs)) {
    const observation = isSilent ? Observation.timeout : Observation.accepted
    healths[proxy] = observe(
      healths[proxy] ?? startHealth(null, 0),
      observation,
      { fall, rise },
      atMs,
    )
    const { held } = guardAgainstPanic({
      members: healths.map((health, id) => ({
        id: String(id),
        health,
        isBelieved: believed.has(id),
      })),
      balancerReports: [],
      panicPercent,
      windowMs: panicWindowMs({ ...PROBE, fall }),
      nowMs: atMs,
    })
    healths.forEach(({ state }, id) => {
      if (state !== MemberState.down) believed.delete(id)
      else if (!held.has(String(id))) believed.add(id)
    })
    deadMax = Math.max(deadMax, believed.size)
  }
  return { deadMax, deadLast: [...believed].sort((a, b) => a - b) }
}
