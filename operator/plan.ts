/**
 * From the verdict on a pool's proxies to the table it should have: who owns what, within the hand-back budget. Pure.
 * Not here: the algorithm (@sipcast/mapping), epochs and writing (publish.ts).
 * Invariants: all down, the last owners and states stay; without a change the planned content equals the last table's.
 */
import {
  type AssignInput,
  type AssignMember,
  type Assignment,
  assign,
  HASH_NAME,
  handBackBudget,
  type Member,
  MemberRole,
  TABLE_SCHEMA,
  type Table,
  type TableContent,
} from '@sipcast/mapping'
import type { Identity } from './identity.ts'
import { isoTime } from './iso-time.ts'
import type { Judgement, Verdict } from './judge.ts'
import { ASSIGN_HERE_MAX, FORMER_AGE_MAX_MS, FORMER_MAX } from './limits.ts'
import type { Pool } from './pool.ts'
import type { AssignElsewhere } from './ports.ts'
import { formerOf, type Wanted } from './snapshot.ts'

export interface PlanInput {
  readonly pool: Pool
  readonly identity: Identity
  readonly wanted: Wanted
  readonly verdict: Verdict
  readonly signingKey: number
  readonly leaseTransitions: number
  readonly nowMs: number
  readonly monotonicMs: number
  readonly assignElsewhere: AssignElsewhere
}

export interface Plan {
  /** Without an epoch: that is given when it is written. */
  readonly content: Omit<TableContent, 'epoch'>
  readonly assignment: Assignment
  /** Nobody takes users: the last owners stay. */
  readonly isAllDown: boolean
  /** To recognise the same question next time; null while something is outstanding. */
  readonly settledRoles: string | null
}

export async function planTable(input: PlanInput): Promise<Plan> {
  const { pool, wanted, verdict } = input
  const last = lastTable(pool, wanted)
  const isAllDown = isNobodyUsable(verdict)
  const members = verdict.judgements.map(({ candidate, role }) => ({
    id: candidate.id,
    weight: candidate.weight,
    // Before anybody ever was up, all share: when they come, as few as can be move.
    role: isAllDown && last === null ? MemberRole.eligible : role,
  }))
  const roles = JSON.stringify(members)
  const assignment = await assignSlots(input, members, last, roles)
  const isSettled = assignment.outstanding === 0
  return {
    content: contentOf(input, assignment, isAllDown ? last : null),
    assignment,
    isAllDown,
    settledRoles: isSettled ? roles : null,
  }
}

/** Whether none of the proxies could have a slot now. */
export function isNobodyUsable({ judgements }: Verdict): boolean {
  return judgements.every(({ role }) => role === MemberRole.gone)
}

/** The table to begin from. One of a removed object of the same name is as good: its users are still where it says. */
function lastTable({ table }: Pool, wanted: Wanted): Table | null {
  return table !== null && table.slots === wanted.fields.slots ? table : null
}

async function assignSlots(
  { pool, wanted, verdict, nowMs, monotonicMs, assignElsewhere }: PlanInput,
  members: readonly AssignMember[],
  last: Table | null,
  roles: string,
): Promise<Assignment> {
  if (last !== null && pool.settled?.sha256 === last.sha256 && pool.settled.roles === roles) {
    return unchanged(last)
  }
  const { slots } = wanted.fields
  const isGathering =
    pool.gatheringUntilMs !== null &&
    monotonicMs < pool.gatheringUntilMs &&
    verdict.judgements.some((judgement) => isFirstTimer(pool, judgement))
  const question: AssignInput = {
    slotCount: slots,
    last:
      last === null
        ? null
        : { ids: last.members.map(({ id }) => id), owners: last.owners, backups: last.backups },
    members,
    budgetSlots: isGathering
      ? Number.POSITIVE_INFINITY
      : handBackBudget(pool.spending, wanted.handBack, slots, nowMs),
  }
  // An event takes milliseconds; the first table of a large pool seconds.
  const isLarge = last === null && slots * members.length > ASSIGN_HERE_MAX
  return isLarge ? await assignElsewhere(question) : assign(question)
}

function isFirstTimer(
  { everOwners }: Pool,
  { candidate, isNewcomer, isEligible }: Judgement,
): boolean {
  return isNewcomer && isEligible && everOwners?.has(candidate.id) === false
}

function unchanged({ owners, backups }: Table): Assignment {
  return { owners, backups, moved: 0, forced: 0, voluntary: 0, outstanding: 0 }
}

function contentOf(
  input: PlanInput,
  { owners, backups }: Assignment,
  /** Whose states stay, too. */
  frozen: Table | null,
): Omit<TableContent, 'epoch'> {
  const { pool, identity, wanted, verdict, signingKey, leaseTransitions, nowMs } = input
  const frozenMembers = new Map(frozen?.members.map((member) => [member.id, member]))
  return {
    schema: TABLE_SCHEMA,
    uid: identity.uid,
    namespace: pool.namespace,
    name: pool.name,
    generation: pool.specGeneration || (pool.table?.generation ?? identity.generation),
    objectCreated: identity.objectCreated,
    leaseTransitions,
    removed: false,
    hash: HASH_NAME,
    signingKey,
    ...wanted.fields,
    members: verdict.judgements.map((judgement) =>
      memberOf(judgement, frozenMembers.get(judgement.candidate.id)),
    ),
    former: formerOf({
      last: pool.table,
      candidates: wanted.candidates,
      now: isoTime(nowMs),
      until: isoTime(nowMs + FORMER_AGE_MAX_MS),
      max: FORMER_MAX,
    }),
    owners,
    backups,
  }
}

function memberOf({ candidate, state, sinceMs }: Judgement, frozen: Member | undefined): Member {
  const { id, address, port, hostAddresses, weight } = candidate
  return {
    id,
    name: id,
    address,
    port,
    hostAddresses,
    weight,
    state: frozen?.state ?? state,
    since: frozen?.since ?? isoTime(sinceMs),
  }
}
