/**
 * Deals slots to bins by rendezvous score: of all moves that the bins still allow, the one with the largest gain
 * comes first, then the next. For slots without a bin the gain is the score itself, and the outcome is the one
 * table in which no slot and member would both rather have each other; for others it is the new bin's score less
 * the old one's.
 *
 * Invariants: a bin that has closed stays closed during one deal, so a slot's best offer can only get worse, and
 * looking for another is needed only when its bin has closed. Stopping after any number of moves and dealing again
 * later gives the same moves in the same order.
 */
import { type Bins, isOpen, isOver, put, take } from './bins.ts'
import { Offers } from './offers.ts'
import { noise, slotKey } from './rendezvous.ts'

export interface Deal {
  readonly bins: Bins
  /** Bin of each slot of the table, or NO_BIN; changed in place. */
  readonly binOf: Int32Array
  /** memberTag and weightScore of each bin's member. */
  readonly tags: Int32Array
  readonly weightScores: Int32Array
}

export const NO_BIN = -1

/** Puts every one of `slots`, which have no bin, into one. Stops early only when no bin is open. */
export function dealFree(deal: Deal, slots: readonly number[]): void {
  const { bins, binOf } = deal
  const market = openMarket(deal, slots)
  const { offers } = market
  while (offers.size > 0) {
    const { slot, bin } = offers
    if (isOpen(bins, bin)) {
      put(bins, bin)
      binOf[slot] = bin
      offers.pop()
    } else {
      offerAgain(deal, market, 0)
    }
  }
}

/** Moves slots from bins that are over to open ones, at most `movesMax` times. Returns how many it moved. */
export function dealSurplus(deal: Deal, slots: readonly number[], movesMax: number): number {
  const { bins, binOf } = deal
  const movable = slots.filter((slot) => isOver(bins, binOf[slot]!))
  const market = openMarket(deal, movable)
  const { offers } = market
  let moves = 0
  while (offers.size > 0 && moves < movesMax) {
    const { slot, bin } = offers
    const from = binOf[slot]!
    if (!isOver(bins, from)) {
      offers.pop()
    } else if (isOpen(bins, bin)) {
      take(bins, from)
      put(bins, bin)
      binOf[slot] = bin
      offers.pop()
      moves++
    } else {
      offerAgain(deal, market, score(deal, slot, from))
    }
  }
  return moves
}

export function score(deal: Deal, slot: number, bin: number): number {
  return noise(slotKey(slot) ^ deal.tags[bin]!) + deal.weightScores[bin]!
}

/** The offers, and the bins that were open when last looked at, in ascending order. */
interface Market {
  readonly offers: Offers
  readonly open: Int32Array
  openCount: number
}

function openMarket(deal: Deal, slots: readonly number[]): Market {
  const offers = new Offers(slots.length)
  const open = new Int32Array(slots.length === 0 ? 0 : deal.tags.length)
  let openCount = 0
  for (let bin = 0; bin < open.length; bin++) {
    if (isOpen(deal.bins, bin)) open[openCount++] = bin
  }
  if (openCount === 0) return { offers, open, openCount }
  for (const slot of slots) {
    const bin = bestBin(deal, slot, open, openCount)
    const from = deal.binOf[slot]!
    offers.push(slot, bin, score(deal, slot, bin) - (from === NO_BIN ? 0 : score(deal, slot, from)))
  }
  return { offers, open, openCount }
}

/** The best offer's bin has closed: look for the slot's next best, or give up if none is open. */
function offerAgain(deal: Deal, market: Market, oldScore: number): void {
  const { offers, open } = market
  let kept = 0
  for (let i = 0; i < market.openCount; i++) {
    const bin = open[i]!
    if (isOpen(deal.bins, bin)) open[kept++] = bin
  }
  market.openCount = kept
  if (kept === 0) {
    offers.pop()
    return
  }
  const bin = bestBin(deal, offers.slot, open, kept)
  offers.replace(bin, score(deal, offers.slot, bin) - oldScore)
}

/** The bin with the largest score, the lowest of equals. The hot loop of a first table: slots × members. */
function bestBin(deal: Deal, slot: number, open: Int32Array, openCount: number): number {
  const { tags, weightScores } = deal
  const key = slotKey(slot)
  let best = NO_BIN
  let bestScore = NO_BIN
  for (let i = 0; i < openCount; i++) {
    const bin = open[i]!
    const binScore = noise(key ^ tags[bin]!) + weightScores[bin]!
    if (binScore > bestScore) {
      best = bin
      bestScore = binScore
    }
  }
  return best
}
