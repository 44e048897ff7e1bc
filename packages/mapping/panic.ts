/**
 * The panic guard: if more than `panicPercent` of a pool falls silent within one window, the prober is the likelier
 * culprit, and the proxies it finds dead keep their slots (design, section 4, "Panic guard").
 *
 * Silence alone is doubtful. A refusal, an unwelcome answer, a deletion or a lost readiness is hard evidence: it is
 * believed even during a panic, and it never adds to one. The guard counts a proxy from its first unanswered probe, not
 * from its `fall`th, so that a cut-off prober is recognised before the first proxy is taken for dead. Proxies that were
 * already silent and believed dead before the window say nothing new and are left out.
 *
 * Stateless: called with the same facts it says the same, so it ends when the share drops, or when most balancers find
 * the same proxies dead.
 */
export interface PanicMember {
  readonly id: string
  /** Of its Health; null for one with hard evidence. */
  readonly silentSinceMs: number | null
  /** Its machine says Down. */
  readonly isDown: boolean
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
  /** Somebody is held: `Degraded/ProbePanic`. */
  readonly isPanic: boolean
  /** Found dead by probes, but not believed: they stay in the table as they are. */
  readonly held: ReadonlySet<string>
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
  const pool = input.members.filter((member) => isNews(member, input))
  const silent = pool.filter(({ silentSinceMs }) => silentSinceMs !== null)
  if (silent.length * 100 <= input.panicPercent * pool.length)
    return { isPanic: false, held: NOBODY }
  const held = silent.filter(({ isDown, isBelieved }) => isDown && !isBelieved)
  return { isPanic: held.length > 0, held: new Set(held.map(({ id }) => id)) }
}

const NOBODY: ReadonlySet<string> = new Set()

/** Not long dead, and not found dead by most balancers, who look from elsewhere. */
function isNews(member: PanicMember, input: PanicInput): boolean {
  const { id, silentSinceMs, isBelieved } = member
  if (silentSinceMs === null) return true
  if (isBelieved && silentSinceMs < input.nowMs - input.windowMs) return false
  const reports = input.balancerReports
  return reports.filter((report) => report.has(id)).length * 2 <= reports.length
}
