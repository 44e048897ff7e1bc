/**
 * The panic guard: if more than `panicPercent` of a pool falls silent within one window, the prober is the likelier
 * culprit, and the proxies it finds dead keep their slots (design, section 4, "Panic guard").
 *
 * Silence alone is doubtful. A refusal, an unwelcome answer, a deletion or a lost readiness is hard evidence: it
 * is believed even during a panic, and it never adds to one. The guard counts a proxy from its first unanswered
 * probe, not from its `fall`th, so that a cut-off prober is recognised before the first proxy is taken for dead;
 * and for one window after its first answer, so that its neighbours are asked again before they are. Proxies that
 * were dead already, or never answered, say nothing new and are left out.
 *
 * A proxy that is not yet believed dead and answers again is not believed dead, panic or not.
 *
 * Stateless: called with the same facts it says the same, so it ends when the share drops, or when most balancers
 * find the same proxies dead.
 */
import type { Health } from './health.ts'
import { MemberState } from './table.ts'

export interface PanicMember {
  readonly id: string
  readonly health: Health
  /** The last table says Down. */
  readonly isBelieved: boolean
}

export interface PanicInput {
  /** Without deleted pods and those that are not ready. */
  readonly members: readonly PanicMember[]
  /** One set per fresh balancer: what it marked dead or finds unanswered. */
  readonly balancerReports: readonly ReadonlySet<string>[]
  /** 0…100; the pool panics above it. */
  readonly panicPercent: number
  /** See panicWindowMs. */
  readonly windowMs: number
  readonly nowMs: number
}

export interface PanicVerdict {
  /** `Degraded/ProbePanic`. */
  readonly isPanic: boolean
  /** Down by their machines, but not believed: they stay in the table as they are. */
  readonly held: ReadonlySet<string>
  /** When time alone may end a panic, without any news; null if it can't. */
  readonly nextMs: number | null
}

/** How long a pool that fell silent at one moment takes to show it. */
export function panicWindowMs(probe: {
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly fall: number
}): number {
  return probe.intervalMs * probe.fall + probe.timeoutMs
}

export function guardAgainstPanic(input: PanicInput): PanicVerdict {
  const { members, panicPercent, windowMs } = input
  const pool = members.filter((member) => isNews(member, input))
  const wave = pool.filter(({ health }) => isSilent(health) || isJustBack(health, input))
  const isWide = wave.length * 100 > panicPercent * pool.length
  const doubtful = isWide ? wave : []
  const held = members
    .filter(({ health, isBelieved }) => health.state === MemberState.down && !isBelieved)
    .filter((member) => doubtful.includes(member) || isRecovering(member.health))
  const backMs = wave.flatMap(({ health }) => health.answeringSinceMs ?? [])
  const isPanic = isWide && held.length > 0
  return {
    isPanic,
    held: new Set(held.map(({ id }) => id)),
    nextMs: isPanic && backMs.length > 0 ? Math.min(...backMs) + windowMs : null,
  }
}

/** Not long dead, and not found dead by most balancers, who look from elsewhere. */
function isNews({ id, health, isBelieved }: PanicMember, input: PanicInput): boolean {
  const { silentSinceMs } = health
  if (silentSinceMs === null) return true
  if (silentSinceMs === Number.NEGATIVE_INFINITY) return false
  if (isBelieved && health.sinceMs < input.nowMs - input.windowMs) return false
  const reports = input.balancerReports
  return reports.filter((report) => report.has(id)).length * 2 <= reports.length
}

function isSilent({ silentSinceMs }: Health): boolean {
  return silentSinceMs !== null
}

function isJustBack({ answeringSinceMs }: Health, { nowMs, windowMs }: PanicInput): boolean {
  return answeringSinceMs !== null && nowMs - answeringSinceMs < windowMs
}

/** The last of its probes was answered well, though not yet `rise` of them. */
function isRecovering({ goodInRow }: Health): boolean {
  return goodInRow > 0
}
