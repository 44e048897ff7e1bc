/**
 * The copying of short ranges that the packet path is made of. A loop over bytes takes a nanosecond for each, and
 * `copyWithin` or `set` twenty before they begin; eight bytes at once take one. Not here: long ranges, where
 * `copyWithin` wins (edit.ts).
 *
 * The BigInts exist in the source only: compiled, a DataView's 64 bits go from load to store in a register.
 */

/** Bytes of one step. */
const STEP = 8

/** Copies [start, end) of `source` to `target` at `at`. Where both are the same memory, the ranges must not overlap. */
export function copyBytes(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  at: number,
): void {
  // One running index: with two, the engine checks both for overflow at every step.
  const shift = at - start
  const last = end - STEP
  if (last < start) {
    for (let i = start; i < end; i++) target.setUint8(i + shift, source.getUint8(i))
    return
  }
  for (let i = start; i < last; i += STEP) {
    target.setBigUint64(i + shift, source.getBigUint64(i, true), true)
  }
  // The last step may write some bytes a second time.
  target.setBigUint64(last + shift, source.getBigUint64(last, true), true)
}
