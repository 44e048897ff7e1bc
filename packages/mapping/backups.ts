/**
 * Who takes over each slot if its owner fails (design, section 4, "Assignment", property 3). Per owner: its slots are
 * spread over the other takers in proportion to weight, within one slot, with as few changes as that allows. Which of
 * two bounds a backup gets is left to the scores, so that over many owners nobody is preferred.
 *
 * Invariant: a backup is never the owner, unless nobody else is alive.
 */
import { type Bins, put } from './bins.ts'
import { type Deal, dealFree, dealSurplus, NO_BIN } from './deal.ts'
import { MemberRole, type Roster } from './roster.ts'

/** @param backups bin per slot as in the last table, NO_BIN for none; changed in place. */
export function spreadBackups(roster: Roster, owners: Int32Array, backups: Int32Array): void {
  const size = roster.members.length
  const bins: BackupBins = {
    count: new Int32Array(size),
    floor: new Int32Array(size),
    roomy: new Uint8Array(size),
    extras: 0,
    isCandidate: new Uint8Array(size),
  }
  groupByOwner(roster, owners).forEach((slots, owner) => {
    if (slots.length === 0) return
    boundBins(bins, roster, owner, slots.length)
    spreadSlots(roster, bins, slots, backups)
  })
}

/** Bins of one owner's backups; one set serves all owners in turn. */
interface BackupBins extends Bins {
  readonly isCandidate: Uint8Array
}

/** Empties the bins and sets their bounds: in proportion to weight over whoever may back up this owner. */
function boundBins(bins: BackupBins, roster: Roster, owner: number, slotCount: number): void {
  const { members } = roster
  markCandidates(bins, roster, owner)
  let weightSum = 0
  for (let bin = 0; bin < members.length; bin++) {
    if (bins.isCandidate[bin] === 1) weightSum += roster.weights[bin]!
  }
  bins.extras = slotCount
  let weight = 0
  let floor = 0
  let roomy = 0
  for (let bin = 0; bin < members.length; bin++) {
    // Weights are mostly all the same: one division for a run of them.
    const binWeight = bins.isCandidate[bin] === 1 ? roster.weights[bin]! : 0
    if (binWeight !== weight) {
      weight = binWeight
      floor = Math.floor((slotCount * weight) / weightSum)
      roomy = floor * weightSum === slotCount * weight ? 0 : 1
    }
    bins.count[bin] = 0
    bins.floor[bin] = floor
    bins.roomy[bin] = roomy
    bins.extras -= floor
  }
}

/** The other takers; without any, the others that are alive; without any, the owner itself. */
function markCandidates({ isCandidate }: BackupBins, roster: Roster, owner: number): void {
  const { members, takers } = roster
  isCandidate.fill(0)
  for (const bin of takers) isCandidate[bin] = 1
  isCandidate[owner] = 0
  if (takers.length > 1 || takers[0] !== owner) return
  members.forEach(({ role }, bin) => {
    isCandidate[bin] = role === MemberRole.gone ? 0 : 1
  })
  isCandidate[owner] = 0
  if (!isCandidate.includes(1)) isCandidate[owner] = 1
}

function spreadSlots(
  roster: Roster,
  bins: BackupBins,
  slots: readonly number[],
  backups: Int32Array,
): void {
  const free: number[] = []
  for (const slot of slots) {
    const backup = backups[slot]!
    if (backup !== NO_BIN && bins.isCandidate[backup] === 1) {
      put(bins, backup)
    } else {
      backups[slot] = NO_BIN
      free.push(slot)
    }
  }
  const deal: Deal = { ...roster, bins, binOf: backups }
  dealFree(deal, free)
  dealSurplus(deal, slots, slots.length)
}

function groupByOwner(roster: Roster, owners: Int32Array): number[][] {
  const groups: number[][] = roster.members.map(() => [])
  owners.forEach((owner, slot) => {
    if (owner !== NO_BIN) groups[owner]!.push(slot)
  })
  return groups
}
