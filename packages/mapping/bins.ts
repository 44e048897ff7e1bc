/**
 * The bounds under which slots are dealt out, and the counts so far. A bin is a member as an owner, or a member as
 * one owner's backup.
 *
 *     count │ floor             full; one more if roomy and extras are left
 *           │ floor + roomy     the most a bin may ever hold
 *
 * `extras` is how many more bins may exceed their floor by one; negative: so many bins that do must fall back.
 *
 * Invariant while all slots of the bins are in them: Σ count = Σ floor + extras + (bins above their floor), so a bin
 * that is over always has a counterpart that is open.
 */
export interface Bins {
  readonly count: Int32Array
  readonly floor: Int32Array
  /** 1 where the bin may hold floor + 1, else 0. */
  readonly roomy: Uint8Array
  extras: number
}

/** Bins that hold exactly `floor` at rest. */
export function exactBins(count: Int32Array, floor: Int32Array): Bins {
  return { count, floor, roomy: new Uint8Array(count.length), extras: 0 }
}

export function isOpen(bins: Bins, bin: number): boolean {
  const room = bins.floor[bin]! - bins.count[bin]!
  return room > 0 || (room === 0 && bins.extras > 0 && bins.roomy[bin] === 1)
}

export function isOver(bins: Bins, bin: number): boolean {
  const excess = bins.count[bin]! - bins.floor[bin]!
  return excess > bins.roomy[bin]! || (excess > 0 && bins.extras < 0)
}

export function put(bins: Bins, bin: number): void {
  if (bins.roomy[bin] === 1 && bins.count[bin] === bins.floor[bin]) bins.extras--
  bins.count[bin]!++
}

export function take(bins: Bins, bin: number): void {
  bins.count[bin]!--
  if (bins.roomy[bin] === 1 && bins.count[bin] === bins.floor[bin]) bins.extras++
}

/** Slots that must still change their bin: each move from an over bin to an open one makes it one less. */
export function surplus(bins: Bins): number {
  let sum = Math.max(0, -bins.extras)
  for (let bin = 0; bin < bins.count.length; bin++) {
    sum += Math.max(0, bins.count[bin]! - bins.floor[bin]! - bins.roomy[bin]!)
  }
  return sum
}
