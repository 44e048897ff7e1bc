/**
 * Rendezvous scores: how much a slot wants a member, from nothing but the slot's number and the member's id (as
 * memberTag), so that tables made from scratch on different days resemble each other.
 *
 * The score is Gumbel noise, −ln(−ln u), plus ln(weight), in fixed point. The member with the largest score then wins
 * a slot with a probability in proportion to its weight (it is the logarithm of the usual weighted rendezvous score
 * −w/ln u), and among fixed quotas the weight is only a constant per member.
 *
 * Not the slot hash of users (hash.ts), and not part of the table's format: balancers use it only to agree about
 * slots whose owner and backup are both dead.
 *
 * Invariant: scores are integers from 0 to 2^26, the same on every machine.
 */

/** Larger is better. @param tag memberTag of the member's id. @param weight 1…WEIGHT_MAX. */
export function rendezvousScore(slot: number, tag: number, weight = 1): number {
  return noise(slotKey(slot) ^ tag) + weightScore(weight)
}

/** Spreads slot numbers over 32 bits: 2^32 divided by the golden ratio, made odd. */
export function slotKey(slot: number): number {
  return Math.imul(slot, 0x9e3779b1)
}

/** What a weight adds to a score. */
export function weightScore(weight: number): number {
  return Math.round(Math.log(weight) * ONE)
}

/** Gumbel noise of slotKey(slot) ^ tag, in units of 1/ONE, shifted so that it is never negative. */
export function noise(pair: number): number {
  // The finaliser of MurmurHash3 (Appleby, public domain): every bit of the input reaches every bit of u.
  let u = pair ^ (pair >>> 16)
  u = Math.imul(u, 0x85ebca6b)
  u ^= u >>> 13
  u = Math.imul(u, 0xc2b2ae35)
  u = (u ^ (u >>> 16)) >>> 0
  const cell = u >>> CELL_BITS
  if (cell === 0 || cell === CELLS - 1) return gumbel((u + 0.5) / 2 ** 32)
  const low = CELL_EDGES[cell]!
  const high = CELL_EDGES[cell + 1]!
  return (low + ((high - low) * (u & (2 ** CELL_BITS - 1))) / 2 ** CELL_BITS) | 0
}

const ONE = 2 ** 20
/** −ln(−ln 2^−33) is −3.13. */
const SHIFT = 4

/** Straight lines between CELLS + 1 points replace two logarithms; the two outer cells are infinitely high. */
const CELL_BITS = 20
const CELLS = 2 ** (32 - CELL_BITS)
const CELL_EDGES = Int32Array.from({ length: CELLS }, (_, i) => gumbel(Math.max(i, 1) / CELLS))

function gumbel(u: number): number {
  return Math.round((SHIFT - Math.log(-Math.log(u))) * ONE)
}
