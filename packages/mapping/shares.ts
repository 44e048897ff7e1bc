/**
 * How many slots each member may own: what it keeps, or its quota of what the others do not keep (design, section 4,
 * "Assignment", property 1). Only numbers; which slots is decided in owners.ts.
 *
 * Counts and quotas are by bin. Orphans are in nobody's count, so the quotas make room for all of them.
 */
import { ownerQuotas } from './quotas.ts'
import { MemberRole, type Roster } from './roster.ts'

/** What each holds once nothing is outstanding. */
export function quotasAtRest(roster: Roster, count: Int32Array, slotCount: number): Int32Array {
  return shareOut(roster, roster.takers, { count, kept: keptSlots(roster, count), slotCount })
}

/**
 * What each would hold at rest if all who wait got their share among themselves and the takers. Who waits and has
 * more than its share keeps that and is set apart: the others share only the rest.
 */
export function quotasWithWaiting(
  roster: Roster,
  count: Int32Array,
  slotCount: number,
): Int32Array {
  const kept = keptSlots(roster, count)
  const within = new Set(roster.waiting)
  // At most once per member that waits: each time but the last sets one apart.
  for (;;) {
    const sharing = [...roster.takers, ...within].sort((a, b) => a - b)
    const shares = shareOut(roster, sharing, { count, kept, slotCount })
    const apart = [...within].filter((bin) => count[bin]! > shares[bin]!)
    if (apart.length === 0) {
      for (const bin of within) kept[bin] = shares[bin]!
      return shareOut(roster, roster.takers, { count, kept, slotCount })
    }
    for (const bin of apart) within.delete(bin)
  }
}

/** Slots that stay where they are unless their owner is a taker: those of the held and the waiting. */
function keptSlots({ members }: Roster, count: Int32Array): Int32Array {
  return count.map((slots, bin) => {
    const { role } = members[bin]!
    return role === MemberRole.held || role === MemberRole.waiting ? slots : 0
  })
}

/** Quotas of those who share what the others do not keep; of the others, what they keep. */
function shareOut(
  { weights }: Roster,
  sharing: readonly number[],
  state: { readonly count: Int32Array; readonly kept: Int32Array; readonly slotCount: number },
): Int32Array {
  const quotas = state.kept.slice()
  for (const bin of sharing) quotas[bin] = 0
  const shared = quotas.reduce((rest, slots) => rest - slots, state.slotCount)
  const shares = ownerQuotas(
    shared,
    sharing.map((bin) => weights[bin]!),
    sharing.map((bin) => state.count[bin]!),
  )
  sharing.forEach((bin, i) => {
    quotas[bin] = shares[i]!
  })
  return quotas
}
