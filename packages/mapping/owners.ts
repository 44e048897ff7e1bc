/**
 * From the owners of the last table to the next ones (design, section 4, "Assignment", properties 1, 2, 4 and 5):
 * first the slots that lost their owner, which cannot wait, then as many of the others as the budget allows.
 *
 * Invariant: the moves of all calls together, until nothing is outstanding, are those of one call without a budget.
 */
import { exactBins, isOpen, put, surplus } from './bins.ts'
import { type Deal, dealFree, dealSurplus, NO_BIN, score } from './deal.ts'
import { ownerQuotas } from './quotas.ts'
import { MemberRole, type Roster } from './roster.ts'

export interface OwnerMoves {
  readonly forced: number
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
  const orphans = disown(roster, owners)
  const inheriting = dealAmong(roster, roster.heirs, owners)
  const homeless = sendToBackups(inheriting, orphans, backups)
  dealFree(inheriting, homeless)
  if (!roster.atRest) return { forced: orphans.length, voluntary: 0, outstanding: 0 }
  const deal = dealAmong(roster, roster.takers, owners)
  const wanted = surplus(deal.bins)
  const budget = Math.min(wanted, Math.max(0, Math.floor(budgetSlots)))
  const voluntary = budget === 0 ? 0 : dealSurplus(deal, [...owners.keys()], budget)
  return { forced: orphans.length, voluntary, outstanding: wanted - voluntary }
}

/** Bins as full as they are now, with room up to the quotas. */
function dealAmong(roster: Roster, takers: readonly number[], owners: Int32Array): Deal {
  const count = countBins(roster, owners)
  const bins = exactBins(count, quotasAtRest(roster, takers, { count, slotCount: owners.length }))
  return { ...roster, bins, binOf: owners }
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

function countBins(roster: Roster, owners: Int32Array): Int32Array {
  const count = new Int32Array(roster.members.length)
  for (const bin of owners) {
    if (bin !== NO_BIN) count[bin]!++
  }
  return count
}

/**
 * Quotas of the takers, 0 for the leaving and the gone; others keep what they have, and the takers share the rest.
 */
function quotasAtRest(
  { members }: Roster,
  takers: readonly number[],
  { count, slotCount }: { readonly count: Int32Array; readonly slotCount: number },
): Int32Array {
  const floor = new Int32Array(members.length)
  let shared = slotCount
  members.forEach(({ role }, bin) => {
    const keeps = role === MemberRole.held || role === MemberRole.waiting
    if (!keeps || takers.includes(bin)) return
    floor[bin] = count[bin]!
    shared -= count[bin]!
  })
  const quotas = ownerQuotas(
    shared,
    takers.map((bin) => members[bin]!.weight),
    takers.map((bin) => count[bin]!),
  )
  takers.forEach((bin, i) => {
    floor[bin] = quotas[i]!
  })
  return floor
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
