/**
 * Which members of one pool this balancer finds dead by its own probes (design 5.5): it bridges the seconds until the
 * operator decides, and the hours in which it can't.
 * Not here: sending probes (`@sipcast/net`), what is done with a mark (`target.ts`). Pure: time comes as an argument.
 *
 *     unmarked ──`fall` misses, no panic──► marked dead ──`rise` answers, or a table with a later `since`──► unmarked
 *
 * Invariants: a worker's ICMP refusal marks nothing, it starts a fast probe; under the panic guard silence marks nobody,
 * but the unanswered are reported; an unrelated epoch lifts no mark.
 */

import { guardAgainstPanic, MemberState, panicWindowMs, type Table } from '@sipcast/mapping'
import { ProbeOutcome } from '@sipcast/net'
import { FAST_PROBE_MS, PROBE_INTERVAL_FACTOR, PROBE_INTERVAL_MIN_MS } from './limits.ts'

/** Now, as a duration's end and as others read it. */
export interface Moment {
  /** Monotonic milliseconds. */
  readonly ms: number
  /** ISO-8601. */
  readonly iso: string
}

export interface DeadMark {
  readonly id: string
  readonly since: string
}

/** What an observation changed, and what the caller is to do. */
export interface Observed {
  /** Marks, unanswered members or the panic guard differ: write the marks, report. */
  readonly changed: boolean
  /** Probe this member again after FAST_PROBE_MS. */
  readonly probeSoon: boolean
}

/** How often this balancer probes a pool's members: the operator decides, so a balancer looks less often. */
export function localProbeIntervalMs(table: Table): number {
  return Math.max(PROBE_INTERVAL_MIN_MS, PROBE_INTERVAL_FACTOR * table.probe.intervalMs)
}

interface Member {
  readonly id: string
  readonly address: string
  readonly port: number
  /** Of the table in use. */
  since: string
  /** The table in use says Down. */
  isDownInTable: boolean
  /** In a row. */
  misses: number
  answers: number
  /** When the first of the latest timeouts in a row came; null if the latest result was anything else. */
  silentSinceMs: number | null
  inFastSeries: boolean
  fastProbeMs: number
  mark: Mark | null
}

interface Mark {
  readonly at: Moment
  /** The member's `since` in the table the mark was made under. */
  readonly tableSince: string
}

export class Liveness {
  readonly #members = new Map<string, Member>()
  #fall = 1
  #rise = 1
  #panicPercent = 100
  #windowMs = 0
  #isPanicking = false

  /** So much of the pool falls silent at once that our own network is the likelier culprit. */
  get isPanicking(): boolean {
    return this.#isPanicking
  }

  /** Follows a newly used table: its members and settings; lifts the marks it answers. */
  adopt(table: Table): void {
    const { fall, rise, timeoutMs } = table.probe
    this.#fall = fall
    this.#rise = rise
    this.#panicPercent = table.panicPercent
    this.#windowMs = panicWindowMs({ intervalMs: localProbeIntervalMs(table), timeoutMs, fall })
    const ids = new Set(table.members.map((member) => member.id))
    for (const id of this.#members.keys()) if (!ids.has(id)) this.#members.delete(id)
    for (const member of table.members) {
      const known = this.#members.get(member.id)
      if (known === undefined || known.address !== member.address || known.port !== member.port) {
        this.#members.set(member.id, newMember(member))
        continue
      }
      if (known.mark !== null && member.since > known.mark.tableSince) forget(known)
      known.since = member.since
      known.isDownInTable = member.state === MemberState.down
    }
  }

  /** Takes the result of one probe. */
  observe(id: string, outcome: ProbeOutcome, now: Moment): Observed {
    const member = this.#members.get(id)
    if (member === undefined) return { changed: false, probeSoon: false }
    const before = this.#fingerprint(member)
    const isAnswer = outcome === ProbeOutcome.accepted || outcome === ProbeOutcome.unavailable
    if (isAnswer) this.#answered(member)
    else this.#missed(member, outcome, now)
    if (this.#isPanicking || !isAnswer) this.#guard(now.ms)
    if (member.inFastSeries) member.fastProbeMs = now.ms
    return { changed: this.#fingerprint(member) !== before, probeSoon: member.inFastSeries }
  }

  /**
   * An ICMP refusal came back for what a worker sent to this endpoint: the members to probe at once. Anybody can forge
   * one, so it is no miss.
   */
  refused(address: string, port: number, nowMs: number): readonly string[] {
    const suspects: string[] = []
    for (const member of this.#members.values()) {
      if (member.address !== address || member.port !== port || member.mark !== null) continue
      if (nowMs - member.fastProbeMs < FAST_PROBE_MS) continue
      member.fastProbeMs = nowMs
      member.inFastSeries = member.misses < this.#fall
      suspects.push(member.id)
    }
    return suspects
  }

  isDead(id: string): boolean {
    const mark = this.#members.get(id)?.mark ?? null
    return mark !== null
  }

  marks(): readonly DeadMark[] {
    return [...this.#members.values()].flatMap(({ id, mark }) =>
      mark === null ? [] : [{ id, since: mark.at.iso }],
    )
  }

  /** Members that missed `fall` probes in a row, marked or not. */
  unanswered(): readonly string[] {
    return [...this.#members.values()].filter((m) => m.misses >= this.#fall).map((m) => m.id)
  }

  #answered(member: Member): void {
    member.misses = 0
    member.silentSinceMs = null
    member.inFastSeries = false
    member.answers++
    if (member.answers >= this.#rise) member.mark = null
  }

  #missed(member: Member, outcome: ProbeOutcome, now: Moment): void {
    member.answers = 0
    member.misses++
    member.silentSinceMs =
      outcome === ProbeOutcome.timeout ? (member.silentSinceMs ?? now.ms) : null
    if (outcome === ProbeOutcome.refused) member.inFastSeries = true
    if (member.misses < this.#fall) return
    member.inFastSeries = false
    member.mark ??= { at: now, tableSince: member.since }
  }

  /** Withdraws the marks that the operator's guard would not believe, among them those made too early to see the wave. */
  #guard(nowMs: number): void {
    const members = [...this.#members.values()]
    const { isPanic, held } = guardAgainstPanic({
      members: members.map(({ id, silentSinceMs, misses, mark, isDownInTable }) => ({
        id,
        silentSinceMs,
        isDown: misses >= this.#fall,
        isBelieved: isDownInTable || (mark !== null && mark.at.ms < nowMs - this.#windowMs),
      })),
      balancerReports: [],
      panicPercent: this.#panicPercent,
      windowMs: this.#windowMs,
      nowMs,
    })
    this.#isPanicking = isPanic
    for (const member of members) if (held.has(member.id)) member.mark = null
  }

  #fingerprint(member: Member): string {
    return `${this.#isPanicking} ${member.misses >= this.#fall} ${member.mark !== null}`
  }
}

function newMember({ id, address, port, since, state }: Table['members'][number]): Member {
  return {
    id,
    address,
    port,
    since,
    isDownInTable: state === MemberState.down,
    misses: 0,
    answers: 0,
    silentSinceMs: null,
    inFastSeries: false,
    fastProbeMs: -Infinity,
    mark: null,
  }
}

function forget(member: Member): void {
  member.mark = null
  member.misses = 0
  member.answers = 0
  member.silentSinceMs = null
}
