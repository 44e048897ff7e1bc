/**
 * Which members of one pool this balancer finds dead by its own probes (design 5.5): it bridges the seconds
 * until the operator decides, and the hours in which it can't. Each member has the operator's own health
 * machine, only probed less often; this file says which of the dead get a mark, and when it goes. Not here:
 * sending probes (`@sipcast/net`), what is done with a mark (`target.ts`). Pure: time comes as an argument.
 *
 *     unmarked ──found down, not doubted by the panic guard──► marked dead
 *     marked dead ──`rise` answers, or a table with a later `since`──► unmarked
 *
 * Invariants: a worker's ICMP refusal alone marks nothing, it makes a member suspect, which is probed at once; under
 * the panic guard silence marks nobody, but the unanswered are reported; an unrelated epoch lifts no mark.
 */

import {
  doubt,
  elapse,
  guardAgainstPanic,
  type Health,
  isSuspect,
  MemberState,
  observe,
  panicWindowMs,
  startHealth,
  type Table,
} from '@sipcast/mapping'
import type { ProbeOutcome } from '@sipcast/net'
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
  /** Refused for the first time: probe it again now, and call `elapse` after SUSPICION_MS. */
  readonly isNewSuspect: boolean
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
  health: Health
  mark: Mark | null
  /** When a refusal last led to a probe. */
  fastProbeMs: number
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
    const config = { fall: this.#fall, rise: this.#rise }
    return this.#update(id, now, (health) => observe(health, outcome, config, now.ms))
  }

  /** SUSPICION_MS are over since a member became suspect. */
  elapse(id: string, now: Moment): Observed {
    return this.#update(id, now, (health) => elapse(health, now.ms))
  }

  /**
   * An ICMP refusal came back for what a worker sent to this endpoint: the members that are suspect for it, to be
   * probed at once. Hosts send few refusals, and a burst of phones' requests may have used them up: silence will do.
   */
  refused(address: string, port: number, nowMs: number): readonly string[] {
    const doubted: string[] = []
    for (const member of this.#members.values()) {
      if (member.address !== address || member.port !== port || member.mark !== null) continue
      if (nowMs - member.fastProbeMs < FAST_PROBE_MS) continue
      member.fastProbeMs = nowMs
      member.health = doubt(member.health, nowMs)
      doubted.push(member.id)
    }
    return doubted
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

  /** Members that do not answer, marked or not. */
  unanswered(): readonly string[] {
    return [...this.#members.values()].filter(isUnanswered).map(({ id }) => id)
  }

  #update(id: string, now: Moment, step: (health: Health) => Health): Observed {
    const member = this.#members.get(id)
    if (member === undefined) return { changed: false, isNewSuspect: false }
    const before = this.#fingerprint(member)
    const wasSuspect = isSuspect(member.health)
    member.health = step(member.health)
    const isDown = member.health.state === MemberState.down
    if (!isDown) member.mark = null
    if (isDown || this.#isPanicking) this.#mark(now)
    return {
      changed: this.#fingerprint(member) !== before,
      isNewSuspect: isSuspect(member.health) && !wasSuspect,
    }
  }

  /** Marks whom the guard does not doubt. */
  #mark(now: Moment): void {
    const members = [...this.#members.values()]
    const { isPanic, held } = guardAgainstPanic({
      members: members.map(({ id, health, mark, isDownInTable }) => {
        return { id, health, isBelieved: isDownInTable || mark !== null }
      }),
      balancerReports: [],
      panicPercent: this.#panicPercent,
      windowMs: this.#windowMs,
      nowMs: now.ms,
    })
    this.#isPanicking = isPanic
    for (const member of members) {
      if (isPanic && this.#isOfThisWave(member, now.ms)) member.mark = null
      else if (member.health.state === MemberState.down && !held.has(member.id)) {
        member.mark ??= { at: now, tableSince: member.since }
      }
    }
  }

  /** Marked for its silence before the guard could see how many others fell silent with it. */
  #isOfThisWave({ mark, health }: Member, nowMs: number): boolean {
    return mark !== null && health.silentSinceMs !== null && mark.at.ms >= nowMs - this.#windowMs
  }

  #fingerprint(member: Member): string {
    return `${this.#isPanicking} ${isUnanswered(member)} ${member.mark !== null}`
  }
}

function newMember({ id, address, port, since, state }: Table['members'][number]): Member {
  return {
    id,
    address,
    port,
    since,
    isDownInTable: state === MemberState.down,
    health: innocent(),
    mark: null,
    fastProbeMs: -Infinity,
  }
}

function forget(member: Member): void {
  member.mark = null
  member.health = innocent()
}

/** Whatever the table says, evidence of our own begins at nothing. */
function innocent(): Health {
  return startHealth(MemberState.up, 0)
}

/** Down, and its latest probe was no answer. */
function isUnanswered({ health }: Member): boolean {
  return health.state === MemberState.down && health.goodInRow === 0
}
