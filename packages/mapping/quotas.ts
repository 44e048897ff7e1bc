/**
 * How many slots each taker holds at rest: ⌊share⌋ or ⌈share⌉ (design, section 4, "Assignment", property 1). Only
 * numbers; which slots is decided elsewhere.
 *
 * Takers come in the order of their ids, so that the last tie-break is "the lower index".
 */

/**
 * Which takers get ⌈share⌉: first those that already hold more than ⌊share⌋, since each of them saves a move; then by
 * largest remainder; then by id.
 *
 * @param counts slots that each taker holds now. @returns one quota per taker, `total` in sum.
 */
export function ownerQuotas(
  total: number,
  weights: readonly number[],
  counts: ArrayLike<number>,
): Int32Array {
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0)
  const quotas = Int32Array.from(weights, (weight) => Math.floor((total * weight) / weightSum))
  const remainder = (i: number): number => (total * (weights[i] ?? 0)) % weightSum
  const holdsMore = (i: number): number => ((counts[i] ?? 0) > (quotas[i] ?? 0) ? 1 : 0)
  const extras = total - quotas.reduce((sum, quota) => sum + quota, 0)
  weights
    .map((_, i) => i)
    .filter((i) => remainder(i) > 0)
    .sort((a, b) => holdsMore(b) - holdsMore(a) || remainder(b) - remainder(a) || a - b)
    .slice(0, extras)
    .forEach((i) => {
      quotas[i] = (quotas[i] ?? 0) + 1
    })
  return quotas
}
