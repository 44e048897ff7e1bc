/**
 * The slow obvious twin of assign: the same rules, as sentences over ids, looking at everything again before every
 * single move. For tests only, on small instances.
 */
import type { AssignInput } from './assign.ts'
import { memberTag } from './hash.ts'
import { rendezvousScore } from './rendezvous.ts'
import { type AssignMember, MemberRole } from './roster.ts'
import { NO_MEMBER } from './table.ts'

export interface TwinTable {
  /** Ids per slot; null for nobody. */
  readonly owners: Ids
  readonly backups: Ids
  readonly voluntary: number
}

type Ids = (string | null)[]

export function assignObviously(input: AssignInput): TwinTable {
  const members = inIdOrder(input.members)
  const owners = lastIds(input, input.last?.owners)
  const backups = lastIds(input, input.last?.backups)
  const takers = takersOf(members)
  if (takers.length === 0) {
    return { owners: owners.map((id, slot) => id ?? backups[slot] ?? null), backups, voluntary: 0 }
  }

  const gone = new Set(members.filter(({ role }) => role === MemberRole.gone).map(({ id }) => id))
  owners.forEach((id, slot) => {
    if (id !== null && gone.has(id)) owners[slot] = null
  })
  giveToWaiting(members, takers, owners, backups)
  const rest = quotasObviously(members, takers, owners, keptOf(members, owners))
  inheritObviously(members, takers, rest, owners, backups).forEach((id, slot) => {
    owners[slot] = id
  })

  const quotas = quotasObviously(members, takers, owners, keptOf(members, owners))
  const takersWithRoom = (): string[] => withRoom(takers, quotas, owners)
  const hasTooMany = (id: string | null): boolean =>
    id !== null && held(owners, id) > (quotas.get(id) ?? 0)
  const mayPlan = takers.every(({ role }) => role === MemberRole.eligible)
  let voluntary = 0
  while (
    mayPlan &&
    voluntary < input.budgetSlots &&
    moveBest(owners, members, hasTooMany, takersWithRoom)
  ) {
    voluntary++
  }
  spreadObviously(members, takers, owners, backups)
  return { owners, backups, voluntary }
}

/** It takes a share of orphans, but nothing else. */
function waitsFor(takers: readonly AssignMember[], { role }: AssignMember): boolean {
  return role === MemberRole.waiting && takers.some((one) => one.role === MemberRole.eligible)
}

/** Who waits takes an orphan where it would if all who wait were to have their share; the others stay orphans. */
function giveToWaiting(
  members: readonly AssignMember[],
  takers: readonly AssignMember[],
  owners: Ids,
  backups: Ids,
): void {
  const waiting = members.filter((member) => waitsFor(takers, member))
  if (waiting.length === 0) return
  const shares = sharesObviously(members, takers, waiting, owners)
  const heirs = inIdOrder([...takers, ...waiting])
  inheritObviously(members, heirs, shares, owners, backups).forEach((heir, slot) => {
    if (waiting.some(({ id }) => id === heir)) owners[slot] = heir
  })
}

/** The owners once every orphan has one: its own backup as long as that has room, else who wants it most. */
function inheritObviously(
  members: readonly AssignMember[],
  heirs: readonly AssignMember[],
  quotas: ReadonlyMap<string, number>,
  before: Ids,
  backups: Ids,
): Ids {
  const owners = [...before]
  const isOrphan = (id: string | null): boolean => id === null
  const roomy = (): string[] => withRoom(heirs, quotas, owners)
  const ownBackup = (slot: number): string[] => roomy().filter((id) => id === backups[slot])
  while (moveBest(owners, members, isOrphan, ownBackup)) continue
  while (moveBest(owners, members, isOrphan, roomy)) continue
  return owners
}

/** What each may have while the waiting take their share. Who has more keeps that; the others share the rest. */
function sharesObviously(
  members: readonly AssignMember[],
  takers: readonly AssignMember[],
  waiting: readonly AssignMember[],
  owners: Ids,
): Map<string, number> {
  const kept = keptOf(members, owners)
  const shares = quotasObviously(members, inIdOrder([...takers, ...waiting]), owners, kept)
  const within = waiting.filter(({ id }) => held(owners, id) <= (shares.get(id) ?? 0))
  if (within.length < waiting.length) return sharesObviously(members, takers, within, owners)
  for (const { id } of waiting) kept.set(id, shares.get(id) ?? 0)
  return quotasObviously(members, takers, owners, kept)
}

/** What stays where it is, whoever takes. */
function keptOf(members: readonly AssignMember[], owners: Ids): Map<string, number> {
  const keeping = members.filter(
    ({ role }) => role === MemberRole.held || role === MemberRole.waiting,
  )
  return new Map(keeping.map(({ id }) => [id, held(owners, id)]))
}

function inIdOrder(members: readonly AssignMember[]): AssignMember[] {
  return members.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

function withRoom(
  takers: readonly AssignMember[],
  quotas: ReadonlyMap<string, number>,
  owners: Ids,
): string[] {
  return takers.map(({ id }) => id).filter((id) => held(owners, id) < (quotas.get(id) ?? 0))
}

/** Every way to hand out the remainders: fewest moves first, then the largest remainders, then the lowest ids. */
function quotasObviously(
  members: readonly AssignMember[],
  takers: readonly AssignMember[],
  owners: Ids,
  kept: ReadonlyMap<string, number>,
): Map<string, number> {
  const quotas = new Map<string, number>(members.map(({ id }) => [id, 0]))
  let shared = owners.length
  for (const [id, count] of kept) {
    if (takers.some((taker) => taker.id === id)) continue
    quotas.set(id, count)
    shared -= count
  }
  const weightSum = takers.reduce((sum, { weight }) => sum + weight, 0)
  const floor = ({ weight }: AssignMember): number => Math.floor((shared * weight) / weightSum)
  const remainder = ({ weight }: AssignMember): number => (shared * weight) % weightSum
  const ranked = takers
    .filter((taker) => remainder(taker) > 0)
    .toSorted((a, b) => remainder(b) - remainder(a) || (a.id < b.id ? -1 : 1))
  const extras = shared - takers.reduce((sum, taker) => sum + floor(taker), 0)
  let fewest = Number.POSITIVE_INFINITY
  // Combinations come in lexicographic order of rank, so the first of the fewest is the one.
  for (const chosen of combinations(ranked, extras)) {
    const quotaOf = (taker: AssignMember): number => floor(taker) + (chosen.includes(taker) ? 1 : 0)
    const moves = takers.reduce(
      (sum, taker) => sum + Math.max(0, held(owners, taker.id) - quotaOf(taker)),
      0,
    )
    if (moves >= fewest) continue
    fewest = moves
    for (const taker of takers) quotas.set(taker.id, quotaOf(taker))
  }
  return quotas
}

function spreadObviously(
  members: readonly AssignMember[],
  takers: readonly AssignMember[],
  owners: Ids,
  backups: Ids,
): void {
  for (const { id: owner } of members) {
    const alive = members.filter(({ role }) => role !== MemberRole.gone)
    const others = [takers, alive, members]
      .map((list, i) => list.filter(({ id }) => (i < 2 ? id !== owner : id === owner)))
      .find((list) => list.length > 0)
    const own = backups.map((id, slot) => {
      if (owners[slot] !== owner) return 'not of this owner'
      return others?.some((other) => other.id === id) ? id : null
    })
    spreadOne(members, others ?? [], held(owners, owner), own)
    own.forEach((id, slot) => {
      if (owners[slot] === owner) backups[slot] = id
    })
  }
}

function spreadOne(
  members: readonly AssignMember[],
  others: readonly AssignMember[],
  slotCount: number,
  own: Ids,
): void {
  const weightSum = others.reduce((sum, { weight }) => sum + weight, 0)
  const floor = ({ weight }: AssignMember): number => Math.floor((slotCount * weight) / weightSum)
  const isWhole = ({ weight }: AssignMember): boolean => (slotCount * weight) % weightSum === 0
  const extras = slotCount - others.reduce((sum, other) => sum + floor(other), 0)
  const aboveFloor = (): number =>
    others.filter((other) => !isWhole(other) && held(own, other.id) > floor(other)).length
  const hasRoom = (other: AssignMember): boolean => {
    const count = held(own, other.id)
    return (
      count < floor(other) || (count === floor(other) && !isWhole(other) && aboveFloor() < extras)
    )
  }
  const hasTooMany = (id: string | null): boolean => {
    const other = others.find((candidate) => candidate.id === id)
    if (other === undefined) return false
    const count = held(own, other.id)
    const ceiling = floor(other) + (isWhole(other) ? 0 : 1)
    return count > ceiling || (count > floor(other) && aboveFloor() > extras)
  }
  const roomy = (): string[] => others.filter(hasRoom).map(({ id }) => id)
  while (moveBest(own, members, (id) => id === null, roomy)) continue
  while (moveBest(own, members, hasTooMany, roomy)) continue
}

/** Of all moves allowed now, does the one with the largest gain: the lower slot and id of equals. */
function moveBest(
  table: Ids,
  members: readonly AssignMember[],
  mayMove: (id: string | null) => boolean,
  targets: (slot: number) => readonly string[],
): boolean {
  const score = (slot: number, id: string): number =>
    rendezvousScore(slot, memberTag(id), members.find((member) => member.id === id)?.weight)
  let best: { slot: number; to: string; gain: number } | null = null
  for (const [slot, from] of table.entries()) {
    if (!mayMove(from)) continue
    for (const to of targets(slot)) {
      const gain = score(slot, to) - (from === null ? 0 : score(slot, from))
      if (best === null || gain > best.gain) best = { slot, to, gain }
    }
  }
  if (best !== null) table[best.slot] = best.to
  return best !== null
}

function takersOf(members: readonly AssignMember[]): readonly AssignMember[] {
  const { eligible, waiting, leaving, held: silent } = MemberRole
  const inOrder = [eligible, waiting, leaving, silent]
  return (
    inOrder
      .map((role) => members.filter((member) => member.role === role))
      .find((list) => list.length > 0) ?? []
  )
}

/** The last table by ids; null where that id is no member any more. */
function lastIds({ slotCount, last, members }: AssignInput, indices?: Uint16Array): Ids {
  const known = new Set(members.map(({ id }) => id))
  return Array.from({ length: slotCount }, (_, slot) => {
    const index = indices?.[slot] ?? NO_MEMBER
    const id = last?.ids[index] ?? ''
    return known.has(id) ? id : null
  })
}

function held(table: Ids, id: string | null): number {
  return table.filter((other) => other === id).length
}

function* combinations<T>(items: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) yield []
  for (let i = from; size > 0 && i < items.length; i++) {
    const item = items[i]
    if (item === undefined) continue
    for (const rest of combinations(items, size - 1, i + 1)) yield [item, ...rest]
  }
}
