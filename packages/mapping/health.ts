/**
 * The health of one proxy as the operator's probes see it: a pure machine of `fall` and `rise` counts.
 *
 *     Unknown ──first result, if in no table yet──► Up, Draining or Down
 *     Unknown ──an answer──► Up or Draining                    Unknown ──`fall` bad──► Down
 *     Up, Draining ──`fall` bad, or a refusal and no answer to the next probe──► Down
 *     Up ──503 with Retry-After──► Draining ──`rise` accepted──► Up
 *     Down ──`rise` answers──► Up, or Draining if the last was such a 503
 *
 * An ICMP refusal is hard evidence, but one packet: hosts send few of them (Linux: one a second to each peer, after a
 * burst of six), and a proxy may just be restarting. So a refusal, of a probe or of anything else, makes a proxy
 * *suspect*: the prober asks again at once, and if that is refused or not answered within SUSPICION_MS, it is Down
 * whatever `fall` says.
 *
 * Not here: readiness, deletion and drain by annotation (standing.ts), and whether to believe that half the pool
 * died at once (panic.ts).
 *
 * Invariants: `sinceMs` changes exactly when `state` does; a proxy is silent only while nothing at all comes back
 * from it, so a refused one never is.
 */
import { MemberState } from './table.ts'

/** What became of one probe: `ProbeResult.outcome` of the prober. */
export const Observation = {
  accepted: 'accepted',
  /** Answered with a status that `acceptedCodes` does not list. */
  rejected: 'rejected',
  /** 503 with Retry-After: alive, but not accepting. */
  unavailable: 'unavailable',
  timeout: 'timeout',
  /** ICMP. */
  refused: 'refused',
} as const
export type Observation = (typeof Observation)[keyof typeof Observation]

export interface HealthConfig {
  readonly fall: number
  readonly rise: number
}

export interface Health {
  /** NotReady never comes from probes. */
  readonly state: Exclude<MemberState, typeof MemberState.notReady>
  readonly sinceMs: number
  /** In no table yet: the first result is believed. */
  readonly isNew: boolean
  /** Results in a row since `state` was entered. */
  readonly goodInRow: number
  readonly badInRow: number
  /**
   * First of the unanswered probes since anything came back; null if something came back last. −Infinity if
   * nothing ever did: it has not fallen silent.
   */
  readonly silentSinceMs: number | null
  /** When it answered again after its last silence; null during the next. */
  readonly answeringSinceMs: number | null
  /** First refusal since the last answer. */
  readonly refusedSinceMs: number | null
  /** What led to `state`; null for the state that came from a table. */
  readonly reason: Observation | null
}

/** How long a suspect has to answer the probe that follows a refusal. */
export const SUSPICION_MS = 150

/**
 * Where the machine starts. @param tableState the member's state in the last table, null if it is in none.
 * A table's Draining and NotReady have other causes than probes, too, so they start Unknown: see memberRole.
 */
export function startHealth(tableState: MemberState | null, sinceMs: number): Health {
  const isKnown = tableState === MemberState.up || tableState === MemberState.down
  return {
    state: isKnown ? tableState : MemberState.unknown,
    sinceMs,
    isNew: tableState === null,
    goodInRow: 0,
    badInRow: 0,
    silentSinceMs: null,
    answeringSinceMs: null,
    refusedSinceMs: null,
    reason: null,
  }
}

/** The machine after one probe's result. */
export function observe(
  health: Health,
  observation: Observation,
  config: HealthConfig,
  nowMs: number,
): Health {
  const counted = count(health, observation, nowMs)
  const state = isGood(observation)
    ? afterGood(health, counted, observation, config)
    : afterBad(health, counted, observation, config)
  return enter({ ...counted, isNew: false }, state, observation, nowMs)
}

/** The machine after a refusal of something else than a probe: no result, as anybody can forge one. */
export function doubt(health: Health, nowMs: number): Health {
  return { ...health, refusedSinceMs: health.refusedSinceMs ?? nowMs }
}

/** The machine after time without a result: a suspect that has not answered is Down. */
export function elapse(health: Health, nowMs: number): Health {
  const { refusedSinceMs } = health
  if (!isSuspect(health) || refusedSinceMs === null || nowMs - refusedSinceMs < SUSPICION_MS) {
    return health
  }
  return enter(health, MemberState.down, Observation.refused, nowMs)
}

/** Refused, and not yet asked again: probe it now, and call elapse after SUSPICION_MS. */
export function isSuspect(health: Health): boolean {
  return health.refusedSinceMs !== null && health.state !== MemberState.down
}

function isGood(observation: Observation): boolean {
  return observation === Observation.accepted || observation === Observation.unavailable
}

function count(health: Health, observation: Observation, nowMs: number): Health {
  const good = isGood(observation)
  // A dead proxy rises by being alive, a draining one only by accepting again.
  const countsAsRise =
    observation === Observation.accepted || (good && health.state === MemberState.down)
  return {
    ...health,
    goodInRow: countsAsRise ? health.goodInRow + 1 : 0,
    badInRow: good ? 0 : health.badInRow + 1,
    ...silence(health, observation, nowMs),
    refusedSinceMs: refusal(health, observation, nowMs),
  }
}

function silence(
  health: Health,
  observation: Observation,
  nowMs: number,
): Pick<Health, 'silentSinceMs' | 'answeringSinceMs'> {
  const { isNew, silentSinceMs, answeringSinceMs, refusedSinceMs } = health
  if (observation === Observation.timeout && refusedSinceMs === null) {
    const beganMs = isNew ? Number.NEGATIVE_INFINITY : nowMs
    return { silentSinceMs: silentSinceMs ?? beganMs, answeringSinceMs: null }
  }
  const isBack = isGood(observation) && silentSinceMs !== null && Number.isFinite(silentSinceMs)
  return { silentSinceMs: null, answeringSinceMs: isBack ? nowMs : answeringSinceMs }
}

/** A timeout after a refusal is still that refusal: hosts limit the rate of their ICMPs. */
function refusal(health: Health, observation: Observation, nowMs: number): number | null {
  if (observation === Observation.refused) return health.refusedSinceMs ?? nowMs
  return observation === Observation.timeout ? health.refusedSinceMs : null
}

function afterGood(
  before: Health,
  counted: Health,
  observation: Observation,
  { rise }: HealthConfig,
): Health['state'] {
  const accepted = observation === Observation.accepted
  const target = accepted ? MemberState.up : MemberState.draining
  switch (before.state) {
    case MemberState.unknown:
      return target
    case MemberState.up:
      return target
    case MemberState.draining:
    case MemberState.down:
      return counted.goodInRow >= rise ? target : before.state
  }
}

function afterBad(
  before: Health,
  counted: Health,
  observation: Observation,
  { fall }: HealthConfig,
): Health['state'] {
  const isConfirmed = before.refusedSinceMs !== null && observation !== Observation.rejected
  const isDead = before.isNew || isConfirmed || counted.badInRow >= fall
  return isDead ? MemberState.down : before.state
}

function enter(health: Health, state: Health['state'], reason: Observation, nowMs: number): Health {
  if (state === health.state) return health
  return { ...health, state, sinceMs: nowMs, reason, goodInRow: 0, badInRow: 0 }
}
