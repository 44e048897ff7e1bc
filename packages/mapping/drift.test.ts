/**
 * Property 4's measure: what share of the slots differs between a table that lived through 100 random ups and
 * downs and one rebuilt from scratch for the proxies that are up at the end. test/bench/assign.bench.ts reports
 * larger pools.
 */
import { expect, test } from 'vitest'
import { afterStep, assignTo, makePool, ownersOf, PoolEvent, stepOf } from './pool.fixture.ts'
import { MemberRole } from './roster.ts'

function drift(size: number, slotCount: number, seed: number): number {
  let random = seed
  let pool = makePool(size).map((member) => ({ ...member, id: `${member.id}-of-${seed}` }))
  let table = assignTo(pool, null, slotCount)
  for (let event = 0; event < 100; event++) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0
    const pick = (random >>> 16) % size
    const isUp = pool[pick]?.role === MemberRole.eligible
    const upCount = pool.filter(({ role }) => role === MemberRole.eligible).length
    if (isUp && upCount === 1) continue
    const step = { ...stepOf(0), event: isUp ? PoolEvent.fail : PoolEvent.return, pick }
    pool = afterStep(pool, step, size)
    table = assignTo(pool, table, slotCount)
  }
  const rebuilt = ownersOf(assignTo(pool, null, slotCount))
  return ownersOf(table).filter((id, slot) => id !== rebuilt[slot]).length / slotCount
}

test.each([2, 3, 5, 8, 10])(
  'a lost table of %i equal proxies, rebuilt, differs in at most 15 % of its slots (median of seeds)',
  { timeout: 30_000 },
  (size) => {
    const drifts = Array.from({ length: 7 }, (_, i) => drift(size, 1024, i + 1)).sort(
      (a, b) => a - b,
    )
    expect(drifts[3]).toBeLessThanOrEqual(0.15)
  },
)
