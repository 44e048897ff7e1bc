import { expect, test } from 'vitest'
import { exactBins } from './bins.ts'
import { type Deal, dealFree, NO_BIN, score } from './deal.ts'
import { makeRoster } from './roster.ts'
import { assignTo, makePool } from './pool.fixture.ts'

test('in a first table no slot and member would both rather have each other', () => {
  const pool = makePool(20).map((member, i) => ({ ...member, weight: 1 + (i % 4) }))
  const { owners, ids } = assignTo(pool, null, 2048)
  const roster = makeRoster(pool)
  const deal: Deal = { ...roster, bins: noBins(20), binOf: new Int32Array(0) }
  const bins = Array.from(owners, (index) => roster.binOf.get(ids[index] ?? '') ?? NO_BIN)
  const own = bins.map((bin, slot) => score(deal, slot, bin))
  const worst = pool.map((_, bin) => Math.min(...own.filter((_score, slot) => bins[slot] === bin)))
  const unhappy = bins.filter((_, slot) =>
    worst.some((least, bin) => score(deal, slot, bin) > Math.max(own[slot]!, least)),
  )
  expect(unhappy).toEqual([])
})

test('most slots of a first table belong to the member that scores them highest', () => {
  const pool = makePool(10)
  const { owners } = assignTo(pool, null, 4096)
  const roster = makeRoster(pool)
  const deal: Deal = { ...roster, bins: noBins(10), binOf: new Int32Array(0) }
  const favourites = owners.filter((index, slot) => {
    const scores = pool.map((_, bin) => score(deal, slot, bin))
    return scores.indexOf(Math.max(...scores)) === index
  })
  expect(favourites.length / 4096).toBeGreaterThan(0.95)
})

test('dealing stops when no bin is open', () => {
  const roster = makeRoster(makePool(2))
  const binOf = new Int32Array(5).fill(NO_BIN)
  dealFree(
    { ...roster, bins: exactBins(new Int32Array(2), Int32Array.of(1, 2)), binOf },
    [0, 1, 2, 3, 4],
  )
  expect(binOf.toSorted()).toEqual(Int32Array.of(NO_BIN, NO_BIN, 0, 1, 1))
})

function noBins(size: number) {
  return exactBins(new Int32Array(size), new Int32Array(size))
}
