/**
 * From the owners of the last table to the next ones (design, section 4, "Assignment", properties 1, 2, 4 and 5):
 * first the slots that lost their owner, the orphans, which cannot wait, then of the others what is above quota.
 *
 *     orphans ─┬─> the waiting   up to their share; then it is settled how many slots they have
 *              └─> the takers    up to their quotas at rest
 *     surplus ───> the takers    up to the same quotas, as far as the budget allows
 *
 * Invariants: no slot moves twice, since a taker that is to give slots away inherits none. The moves of all calls
 * together, until nothing is outstanding, are those of one call without a budget: neither what takers inherit within
 * their quotas nor planned moves change the quotas, since ⌈share⌉ is first for those that hold it already.
 */
import { exactBins, isOpen, put, surplus } from './bins.ts'
import { type Deal, dealFree, dealSurplus, NO_BIN, score } from './deal.ts'
import { MemberRole, type Roster } from './roster.ts'
import { quotasAtRest, quotasWithWaiting } from './shares.ts'

export interface OwnerMoves {
  readonly voluntary: number
  /** Voluntary moves that wait for more budget. */
  readonly outstanding: number
}

/**
 * @param owners bin of each slot's owner, NO_BIN for none; changed in place.
 * @param backups likewise, as in the last table.
 */
export function moveOwners(
  roster: Roster,
  owners: Int32Array,
  backups: Int32Array,
  budgetSlots: number,
): OwnerMoves {
  const homeless = giveToWaiting(roster, owners, backups, disown(roster, owners))
  const deal = dealWithin(quotasAtRest, roster, owners)
  inherit(deal, backups, homeless)
  if (!roster.atRest) return { voluntary: 0, outstanding: 0 }
  const wanted = surplus(deal.bins)
  const budget = Math.min(wanted, Math.max(0, Math.floor(budgetSlots)))
  const voluntary = budget === 0 ? 0 : dealSurplus(deal, [...owners.keys()], budget)
  return { voluntary, outstanding: wanted - voluntary }
}

/** Takes from the gone all they have. Returns every slot without owner. */
function disown(roster: Roster, owners: Int32Array): number[] {
  const orphans: number[] = []
  for (let slot = 0; slot < owners.length; slot++) {
    const bin = owners[slot]!
    if (bin !== NO_BIN && roster.members[bin]!.role !== MemberRole.gone) continue
    owners[slot] = NO_BIN
    orphans.push(slot)
  }
  return orphans
}

/**
 * The waiting take their share of the orphans. All are dealt out under quotas that leave room for that share, so a
 * taker that is an orphan's backup and not yet full goes first. But only what falls to the waiting stays; returns the
 * others, since the takers' quotas at rest depend on how many those are.
 */
function giveToWaiting(
  roster: Roster,
  owners: Int32Array,
  backups: Int32Array,
  orphans: readonly number[],
): readonly number[] {
  if (roster.waiting.length === 0) return orphans
  inherit(dealWithin(quotasWithWaiting, roster, owners), backups, orphans)
  return orphans.filter((slot) => {
    if (roster.members[owners[slot]!]!.role === MemberRole.waiting) return false
    owners[slot] = NO_BIN
    return true
  })
}

/** Bins as full as they are now, with room up to their quotas. */
function dealWithin(quotasOf: typeof quotasAtRest, roster: Roster, owners: Int32Array): Deal {
  const count = new Int32Array(roster.members.length)
  for (const bin of owners) {
    if (bin !== NO_BIN) count[bin]!++
  }
  const bins = exactBins(count, quotasOf(roster, count, owners.length))
  return { ...roster, bins, binOf: owners }
}

/** Every orphan gets a new owner: its backup if that has room, else who wants it most. */
function inherit(deal: Deal, backups: Int32Array, orphans: readonly number[]): void {
  dealFree(deal, sendToBackups(deal, orphans, backups))
}

/** Property 3: an orphan goes to its backup unless that is full, or takes no slots. Returns the others. */
function sendToBackups(deal: Deal, orphans: readonly number[], backups: Int32Array): number[] {
  const { bins, binOf } = deal
  const gain = new Map<number, number>()
  const homeless: number[] = []
  for (const slot of orphans) {
    const backup = backups[slot]!
    if (backup !== NO_BIN && isOpen(bins, backup)) gain.set(slot, score(deal, slot, backup))
    else homeless.push(slot)
  }
  // Where more orphans want a backup than it has room for, those that score it highest win.
  const best = [...gain.keys()].sort((a, b) => gain.get(b)! - gain.get(a)! || a - b)
  for (const slot of best) {
    const backup = backups[slot]!
    if (isOpen(bins, backup)) {
      put(bins, backup)
      binOf[slot] = backup
    } else {
      homeless.push(slot)
    }
  }
  return homeless
}
