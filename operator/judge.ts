/**
 * From what probes, people and balancers say of a pool's proxies to a state and a role for each: the health step of
 * the pass. Pure.
 * Not here: counting probes (@sipcast/mapping's health.ts) and dealing slots (plan.ts).
 * Invariants: what cannot be known yet changes nothing; a proxy of the last table keeps its state until there is
 * evidence against it.
 */
import {
  guardAgainstPanic,
  HandBack,
  type HandBackConfig,
  type Health,
  isHandBackDue,
  type Member,
  MemberRole,
  MemberState,
  memberRole,
  memberState,
  Observation,
  type PanicMember,
  panicWindowMs,
  type Standing,
  startHealth,
  type TableProbe,
} from '@sipcast/mapping'
import { timeMs } from './iso-time.ts'
import type { Tracked } from './probes.ts'
import type { Candidate } from './snapshot.ts'

/** Why a proxy is in its state; the `reason` in status. */
export const Reason = {
  answers: 'Answers',
  noAnswer: 'NoAnswer',
  refused: 'Refused',
  statusRejected: 'StatusRejected',
  unavailable: 'Unavailable',
  downBefore: 'DownBefore',
  notProbed: 'NotProbed',
  drainRequested: 'DrainRequested',
  deleting: 'Deleting',
  notReady: 'NotReady',
  awaitingHandBack: 'AwaitingHandBack',
  probePanic: 'ProbePanic',
} as const
export type Reason = (typeof Reason)[keyof typeof Reason]

/** What must be known of a member's past. */
export interface MemberMemory {
  readonly state: MemberState
  readonly sinceMs: number
  /** When it last became usable; null while it is not. */
  readonly usableSinceMs: number | null
  /**
   * It failed after it was usable and has no slots since, so a return is a hand-back; a newcomer, or one that a
   * person drained, just joins.
   */
  readonly hasLeft: boolean
}

export interface Judgement {
  readonly candidate: Candidate
  readonly state: MemberState
  readonly sinceMs: number
  readonly role: MemberRole
  readonly reason: string
  readonly isEligible: boolean
  readonly isNewcomer: boolean
  /** What probes alone say; null: nothing yet. */
  readonly probed: { readonly isUp: boolean; readonly reason: string } | null
  readonly rttMs: number | null
}

export interface JudgeInput {
  readonly candidates: readonly Candidate[]
  readonly trackedOf: (id: string) => Tracked | null
  readonly lastMembers: ReadonlyMap<string, Member>
  readonly slotsOf: ReadonlyMap<string, number>
  readonly memories: ReadonlyMap<string, MemberMemory>
  /** As status says of those that were Down, for a state that was found in the table. */
  readonly reasonsDownBefore: ReadonlyMap<string, string>
  readonly probe: TableProbe
  readonly panicPercent: number
  readonly handBack: HandBackConfig
  /** A person released what came back before this (Manual). */
  readonly releasedMs: number
  readonly balancerReports: readonly ReadonlySet<string>[]
  readonly nowMs: number
}

export interface Verdict {
  readonly judgements: readonly Judgement[]
  readonly memories: ReadonlyMap<string, MemberMemory>
  readonly isPanic: boolean
  /** Some are Down by their machines, but stay as they were: an answer or a silence alone matters then. */
  readonly isHolding: boolean
  /** Some have not been heard of for the first time. */
  readonly isPending: boolean
  /**
   * When time alone changes the verdict: a wait for hand-back or a panic is over; null if nothing waits for a time.
   */
  readonly nextMs: number | null
}

export function judge(input: JudgeInput): Verdict {
  const { candidates, nowMs } = input
  const panic = guardAgainstPanic({
    members: panicMembers(input),
    balancerReports: input.balancerReports,
    panicPercent: input.panicPercent,
    windowMs: panicWindowMs(input.probe),
    nowMs,
  })
  const memories = new Map<string, MemberMemory>()
  const judgements: Judgement[] = []
  const waits: number[] = panic.nextMs === null ? [] : [panic.nextMs]
  for (const candidate of candidates) {
    const { judgement, memory, dueMs } = judgeOne(candidate, panic.held.has(candidate.id), input)
    judgements.push(judgement)
    memories.set(candidate.id, memory)
    if (dueMs !== null) waits.push(dueMs)
  }
  return {
    judgements,
    memories,
    isPanic: panic.isPanic,
    isHolding: panic.held.size > 0,
    isPending: candidates.some(({ id }) => input.trackedOf(id)?.health.isNew ?? true),
    nextMs: waits.length === 0 ? null : Math.min(...waits),
  }
}

/** Hard evidence of a pod's end is not the prober's business. */
function panicMembers({ candidates, trackedOf, lastMembers }: JudgeInput): PanicMember[] {
  return candidates.flatMap(({ id, ready, deleting }) => {
    const health = trackedOf(id)?.health
    if (health === undefined || !ready || deleting) return []
    return [{ id, health, isBelieved: lastMembers.get(id)?.state === MemberState.down }]
  })
}

function judgeOne(candidate: Candidate, isHeld: boolean, input: JudgeInput) {
  const { id } = candidate
  const { nowMs, handBack } = input
  const tracked = input.trackedOf(id)
  const last = input.lastMembers.get(id) ?? null
  const hasSlots = (input.slotsOf.get(id) ?? 0) > 0
  const health = believedHealth(tracked, last, { isHeld, nowMs })
  const standing = {
    health,
    isReady: candidate.ready,
    isDeleted: candidate.deleting,
    isDrained: candidate.drain,
    isWaiting: false,
  }
  const state = stateOf(candidate, standing, last)
  const isUsable = memberRole(standing) === MemberRole.eligible
  const before = input.memories.get(id) ?? recall(last, nowMs)
  const memory = remember(before, {
    state,
    isUsable,
    isDrained: candidate.drain,
    hasSlots,
    nowMs,
  })
  const usableSinceMs = memory.usableSinceMs ?? nowMs
  const returning = {
    isSettled: hasSlots || !memory.hasLeft,
    usableSinceMs,
    isReleased: usableSinceMs <= input.releasedMs,
  }
  const isWaiting = isUsable && !isHandBackDue(returning, handBack, nowMs)
  const judgement: Judgement = {
    candidate,
    state,
    sinceMs: memory.sinceMs,
    role: memberRole({ ...standing, isWaiting }),
    reason: reasonOf(candidate, { state, tracked, isHeld, isWaiting }, input),
    isEligible: isUsable,
    isNewcomer: !memory.hasLeft && !hasSlots,
    probed: probedOf(health, tracked),
    rttMs: tracked?.rttMs ?? null,
  }
  const waitsForTime = isWaiting && handBack.policy === HandBack.auto
  return { judgement, memory, dueMs: waitsForTime ? usableSinceMs + handBack.afterMs : null }
}

/** During a panic a silent proxy of the table is believed to be as it was. */
function believedHealth(
  tracked: Tracked | null,
  last: Member | null,
  { isHeld, nowMs }: { readonly isHeld: boolean; readonly nowMs: number },
): Health {
  const health = tracked?.health ?? startHealth(last?.state ?? null, nowMs)
  return isHeld && last !== null ? { ...health, state: MemberState.up } : health
}

function stateOf(candidate: Candidate, standing: Standing, last: Member | null): MemberState {
  const state = memberState(standing)
  const stayed = last?.address === candidate.address && last.port === candidate.port
  return state === MemberState.unknown && stayed ? last.state : state
}

/** A member that is only known from the last table. */
function recall(last: Member | null, nowMs: number): MemberMemory {
  if (last === null) {
    return {
      state: MemberState.unknown,
      sinceMs: nowMs,
      usableSinceMs: null,
      hasLeft: false,
    }
  }
  const sinceMs = timeMs(last.since)
  return {
    state: last.state,
    sinceMs,
    usableSinceMs: last.state === MemberState.up ? sinceMs : null,
    hasLeft: last.state !== MemberState.draining && last.state !== MemberState.unknown,
  }
}

function remember(
  before: MemberMemory,
  now: {
    readonly state: MemberState
    readonly isUsable: boolean
    readonly isDrained: boolean
    readonly hasSlots: boolean
    readonly nowMs: number
  },
): MemberMemory {
  const leaves = before.usableSinceMs !== null && !now.isUsable && !now.isDrained
  const hasSettled = now.isUsable && now.hasSlots
  return {
    state: now.state,
    sinceMs: before.state === now.state ? before.sinceMs : now.nowMs,
    usableSinceMs: now.isUsable ? (before.usableSinceMs ?? now.nowMs) : null,
    hasLeft: leaves || (before.hasLeft && !hasSettled),
  }
}

function reasonOf(
  { id, drain, deleting, ready }: Candidate,
  found: {
    readonly state: MemberState
    readonly tracked: Tracked | null
    readonly isHeld: boolean
    readonly isWaiting: boolean
  },
  { reasonsDownBefore }: JudgeInput,
): string {
  const { state, tracked, isHeld, isWaiting } = found
  if (isHeld && state !== MemberState.down && !answersNow(tracked)) return Reason.probePanic
  if (deleting) return Reason.deleting
  if (!ready) return Reason.notReady
  if (state === MemberState.down) {
    return reasonDown(tracked) ?? reasonsDownBefore.get(id) ?? Reason.downBefore
  }
  if (state === MemberState.unknown) return Reason.notProbed
  if (drain) return Reason.drainRequested
  if (state === MemberState.draining) return Reason.unavailable
  return isWaiting ? Reason.awaitingHandBack : Reason.answers
}

function probedOf({ isNew, state }: Health, tracked: Tracked | null): Judgement['probed'] {
  if (isNew || state === MemberState.unknown) return null
  if (state === MemberState.up) return { isUp: true, reason: Reason.answers }
  if (state === MemberState.draining) return { isUp: false, reason: Reason.unavailable }
  return { isUp: false, reason: reasonDown(tracked) ?? Reason.downBefore }
}

function answersNow(tracked: Tracked | null): boolean {
  return (tracked?.health.goodInRow ?? 0) > 0
}

/** Null where the state came from the table and no probe has said anything yet. */
function reasonDown(tracked: Tracked | null): Reason | null {
  switch (tracked?.health.reason) {
    case Observation.refused:
      return Reason.refused
    case Observation.rejected:
      return Reason.statusRejected
    case Observation.timeout:
      return tracked.health.refusedSinceMs === null ? Reason.noAnswer : Reason.refused
    case Observation.accepted:
    case Observation.unavailable:
    case null:
    case undefined:
      return null
  }
}
