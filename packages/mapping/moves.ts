/**
 * Moves: slots whose owner differs between two tables. Members are told apart by id, since indices change when the
 * pool does. A slot that nobody owned has not moved when it gets its first owner.
 */
import { NO_MEMBER } from './table.ts'

export interface Owned {
  readonly ids: readonly string[]
  readonly owners: Uint16Array
}

export interface MemberMoves {
  readonly id: string
  /** Slots it owns in the newer table. */
  readonly slots: number
  readonly gained: number
  readonly lost: number
}

export interface Moves {
  readonly moved: number
  /** Of every member of either table, in the order of ids. */
  readonly members: readonly MemberMoves[]
}

export function countMoves(last: Owned | null, next: Owned): Moves {
  const tallies = new Map<string, { slots: number; gained: number; lost: number }>()
  for (const id of [...(last?.ids ?? []), ...next.ids].sort(byCodeUnits)) {
    tallies.set(id, { slots: 0, gained: 0, lost: 0 })
  }
  let moved = 0
  next.owners.forEach((index, slot) => {
    const to = ownerId(next, index)
    const from = last === null ? null : ownerId(last, last.owners[slot] ?? NO_MEMBER)
    const receiver = to === null ? undefined : tallies.get(to)
    const giver = from === null ? undefined : tallies.get(from)
    if (receiver !== undefined) receiver.slots++
    if (from === to) return
    if (receiver !== undefined) receiver.gained++
    if (giver === undefined) return
    giver.lost++
    moved++
  })
  return { moved, members: Array.from(tallies, ([id, tally]) => ({ id, ...tally })) }
}

function ownerId({ ids }: Owned, index: number): string | null {
  return index === NO_MEMBER ? null : (ids[index] ?? null)
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a === b ? 0 : 1
}
