import type { Bins } from './bins.ts'
import { dealFree, dealSurplus, NO_BIN } from './deal.ts'
import { MemberRole, type Roster } from './roster.ts'

/**
 * Who takes over each slot if its owner fails (design, section 4, "Assignment", property 3). Per owner: its slots are
 * spread over the other takers in proportion to weight, within one slot, with as few changes as that allows. Which of
 * two bounds a backup gets is left to the scores, so that over many owners nobody is preferred.
 *
 * Invariant: a backup is never the owner, unless nobody else is alive.
 */

/** @param backups bin per slot as in the last table, NO_BIN for none; changed in place. */
export function spreadBackups(roster: Roster, owners: Int32Array, backups: Int32Array): void {
  for (const [owner, slots] of groupByOwner(roster, owners).entries()) {
    if (slots.length > 0) spreadOne(roster, owner, slots, backups)
  }
}

function spreadOne(
  roster: Roster,
  owner: number,
  slots: readonly number[],
  backups: Int32Array,
): void {
  const bins = backupBins(roster, candidatesFor(roster, owner), slots.length)
  const free: number[] = []
  for (const slot of slots) {
    const backup = backups[slot]!
    if (backup === NO_BIN || bins.limit[backup] === 0) {
      backups[slot] = NO_BIN
      free.push(slot)
    } else {
      if (bins.count[backup] === bins.floor[backup]) bins.extras -= bins.roomy[backup]!
      bins.count[backup]!++
    }
  }
  const deal = { ...roster, bins, binOf: backups }
  dealFree(deal, free)
  dealSurplus(deal, slots, slots.length)
}

/** Bins of one owner's backups; `limit` 0 marks the ones that may hold none at all. */
interface BackupBins extends Bins {
  readonly limit: Uint8Array
}

function backupBins(roster: Roster, candidates: readonly number[], slotCount: number): BackupBins {
  const size = roster.members.length
  const floor = new Int32Array(size)
  const roomy = new Uint8Array(size)
  const limit = new Uint8Array(size)
  let weightSum = 0
  for (const bin of candidates) weightSum += roster.members[bin]!.weight
  let extras = slotCount
  for (const bin of candidates) {
    const share = slotCount * roster.members[bin]!.weight
    floor[bin] = Math.floor(share / weightSum)
    roomy[bin] = share % weightSum === 0 ? 0 : 1
    limit[bin] = 1
    extras -= floor[bin]!
  }
  return { count: new Int32Array(size), floor, roomy, extras, limit }
}

/** The other takers; without any, the others that are alive; without any, the owner itself. */
function candidatesFor(roster: Roster, owner: number): readonly number[] {
  const takers = roster.takers.filter((bin) => bin !== owner)
  if (takers.length > 0) return takers
  const alive = [...roster.members.keys()].filter(
    (bin) => bin !== owner && roster.members[bin]!.role !== MemberRole.gone,
  )
  return alive.length > 0 ? alive : [owner]
}

function groupByOwner(roster: Roster, owners: Int32Array): number[][] {
  const groups: number[][] = roster.members.map(() => [])
  owners.forEach((owner, slot) => {
    if (owner !== NO_BIN) groups[owner]!.push(slot)
  })
  return groups
}
