/**
 * From the last table and the members to the next owners and backups (design, section 4, "Assignment"). Pure, and the
 * same for every order of `members`. The story:
 *
 *     roster     who takes slots                                        roster.ts
 *     owners     orphans to their backups, or to whom they want;
 *                then planned moves, as many as the budget allows       owners.ts, shares.ts, quotas.ts
 *     backups    each owner's slots spread over the others              backups.ts
 *
 * Both deal slots to members by rendezvous score under bounds: deal.ts, bins.ts, rendezvous.ts.
 *
 * Not here: who is eligible (health.ts, hand-back.ts), and whether to believe it (panic.ts).
 */
import { assert } from './assert.ts'
import { spreadBackups } from './backups.ts'
import { NO_BIN } from './deal.ts'
import { SLOTS_MAX } from './limits.ts'
import { moveOwners } from './owners.ts'
import { type AssignMember, makeRoster, type Roster } from './roster.ts'
import { NO_MEMBER } from './table.ts'

export interface AssignInput {
  /** A power of two, SLOTS_MIN…SLOTS_MAX in tables; any positive number here. */
  readonly slotCount: number
  readonly last: LastAssignment | null
  readonly members: readonly AssignMember[]
  /** Planned moves allowed now; what failures force is never throttled. Infinity: all. */
  readonly budgetSlots: number
}

/** The last table's owners and backups: indices of `ids`, or NO_MEMBER. */
export interface LastAssignment {
  readonly ids: readonly string[]
  readonly owners: Uint16Array
  readonly backups: Uint16Array
}

export interface Assignment {
  /** Indices of `members`, or NO_MEMBER, per slot. */
  readonly owners: Uint16Array
  readonly backups: Uint16Array
  /** Slots that had an owner and now have another: forced + voluntary. */
  readonly moved: number
  readonly forced: number
  readonly voluntary: number
  /** Planned moves that wait for budget. */
  readonly outstanding: number
}

export function assign(input: AssignInput): Assignment {
  const { slotCount, last, members, budgetSlots } = input
  assert(slotCount >= 1 && slotCount <= SLOTS_MAX, 'the slot count is in range')
  const roster = makeRoster(members)
  const owners = lastBins(roster, slotCount, last?.ids, last?.owners)
  const backups = lastBins(roster, slotCount, last?.ids, last?.backups)
  if (roster.takers.length === 0) return keepAll(roster, owners, backups, last)
  const moves = moveOwners(roster, owners, backups, budgetSlots)
  spreadBackups(roster, owners, backups)
  return finish(roster, owners, backups, last, moves)
}

/** The last table's indices as bins: NO_BIN where a slot had nobody, or somebody who is no member any more. */
function lastBins(
  roster: Roster,
  slotCount: number,
  ids: readonly string[] = [],
  indices: Uint16Array = new Uint16Array(slotCount).fill(NO_MEMBER),
): Int32Array {
  assert(indices.length === slotCount, 'the slot count never changes')
  const binOf = ids.map((id) => roster.binOf.get(id) ?? NO_BIN)
  const bins = new Int32Array(slotCount)
  indices.forEach((index, slot) => {
    bins[slot] = index === NO_MEMBER ? NO_BIN : binOf[index]!
  })
  return bins
}

/** All down: the last table stays. Only slots whose owner is no member any more fall to a backup that still is. */
function keepAll(
  roster: Roster,
  owners: Int32Array,
  backups: Int32Array,
  last: LastAssignment | null,
): Assignment {
  for (let slot = 0; slot < owners.length; slot++) {
    if (owners[slot] === NO_BIN) owners[slot] = backups[slot]!
  }
  return finish(roster, owners, backups, last, { voluntary: 0, outstanding: 0 })
}

function finish(
  roster: Roster,
  owners: Int32Array,
  backups: Int32Array,
  last: LastAssignment | null,
  { voluntary, outstanding }: { readonly voluntary: number; readonly outstanding: number },
): Assignment {
  const moved = last === null ? 0 : countMoved(roster, owners, last)
  return {
    owners: memberIndices(roster, owners),
    backups: memberIndices(roster, backups),
    moved,
    forced: moved - voluntary,
    voluntary,
    outstanding,
  }
}

function countMoved(roster: Roster, owners: Int32Array, last: LastAssignment): number {
  const bins = last.ids.map((id) => roster.binOf.get(id) ?? NO_BIN)
  let moved = 0
  for (let slot = 0; slot < owners.length; slot++) {
    const index = last.owners[slot]!
    if (index !== NO_MEMBER && bins[index] !== owners[slot]) moved++
  }
  return moved
}

function memberIndices(roster: Roster, bins: Int32Array): Uint16Array {
  const indices = new Uint16Array(bins.length)
  bins.forEach((bin, slot) => {
    indices[slot] = bin === NO_BIN ? NO_MEMBER : roster.indexOf[bin]!
  })
  return indices
}
