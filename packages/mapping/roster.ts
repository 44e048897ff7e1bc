/**
 * The members in the order of their ids, and what each may do in this assignment. Everything behind this edge
 * counts in positions of this order ("bins"), so that no result depends on the order of the operator's list.
 */
import { assert } from './assert.ts'
import { memberTag } from './hash.ts'
import { WEIGHT_MAX } from './limits.ts'
import { weightScore } from './rendezvous.ts'

export const MemberRole = {
  /** Takes its share of slots. */
  eligible: 'eligible',
  /** Up, but waits for its hand-back: keeps what it has, takes its share of slots that lost their owner. */
  waiting: 'waiting',
  /** Silent, but not believed to be dead: keeps what it has, takes nothing. */
  held: 'held',
  /** Drained on purpose: gives its slots away within the budget, takes nothing. */
  leaving: 'leaving',
  /** Dead, deleted, not ready or not accepting: loses all its slots at once. */
  gone: 'gone',
} as const
export type MemberRole = (typeof MemberRole)[keyof typeof MemberRole]

export interface AssignMember {
  readonly id: string
  /** 1…WEIGHT_MAX. */
  readonly weight: number
  readonly role: MemberRole
}

export interface Roster {
  readonly members: readonly AssignMember[]
  /** Index in the operator's list, by bin. */
  readonly indexOf: Int32Array
  readonly binOf: ReadonlyMap<string, number>
  readonly weights: Int32Array
  /** memberTag and weightScore: what deal.ts scores with. */
  readonly tags: Int32Array
  readonly weightScores: Int32Array
  /** Bins that take slots: the eligible; without any, the waiting; without any, the leaving; without any, the held. */
  readonly takers: readonly number[]
  /** Bins that take a share of slots that lost their owner, and nothing else: the waiting, if they are no takers. */
  readonly waiting: readonly number[]
  /** There are eligible ones. Otherwise the takers only stand in: nothing moves that need not. */
  readonly atRest: boolean
}

export function makeRoster(list: readonly AssignMember[]): Roster {
  const indexOf = Int32Array.from(list.keys()).sort((a, b) => (list[a]!.id < list[b]!.id ? -1 : 1))
  const members = Array.from(indexOf, (index) => list[index]!)
  const binOf = new Map(members.map(({ id }, bin) => [id, bin]))
  assert(binOf.size === members.length, 'member ids are unique')
  for (const { weight } of members) {
    assert(Number.isInteger(weight) && weight >= 1 && weight <= WEIGHT_MAX, 'weights are in range')
  }
  const eligible = binsWith(members, MemberRole.eligible)
  const waiting = binsWith(members, MemberRole.waiting)
  const standIns = [MemberRole.waiting, MemberRole.leaving, MemberRole.held]
    .map((role) => binsWith(members, role))
    .find((bins) => bins.length > 0)
  return {
    members,
    indexOf,
    binOf,
    weights: Int32Array.from(members, ({ weight }) => weight),
    tags: Int32Array.from(members, ({ id }) => memberTag(id)),
    weightScores: Int32Array.from(members, ({ weight }) => weightScore(weight)),
    takers: eligible.length > 0 ? eligible : (standIns ?? []),
    waiting: eligible.length > 0 ? waiting : [],
    atRest: eligible.length > 0,
  }
}

function binsWith(members: readonly AssignMember[], role: MemberRole): number[] {
  return [...members.keys()].filter((bin) => members[bin]!.role === role)
}
