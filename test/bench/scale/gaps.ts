/** Times between two probes of one proxy, counted by tens of milliseconds; the thread that counts shares the counts. */

export const GAP_GRAIN_MS = 10
export const GAPS = 1000

export function newGaps(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * GAPS))
}

/** Milliseconds below which that share of all gaps is. */
export function gapPercentile(gaps: Int32Array, share: number): number {
  const total = gaps.reduce((sum, count) => sum + count, 0)
  let met = 0
  const grain = gaps.findIndex((count) => (met += count) >= share * total)
  return (grain + 1) * GAP_GRAIN_MS
}
