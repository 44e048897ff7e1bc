/**
 * What is probed, and what came of it: the health of every proxy of every SipProxy. The prober asks,
 * @sipcast/mapping's machine counts.
 * Not here: what follows from it (judge.ts). Invariants: a result costs the same whatever the number of proxies; a
 * SipProxy is told exactly when something changed that its pass may decide differently on.
 */
import {
  elapse,
  type Health,
  type HealthConfig,
  isSuspect,
  type MemberState,
  observe,
  startHealth,
  SUSPICION_MS,
  type TableProbe,
} from '@sipcast/mapping'
import type { ProbeResult, ProbeTarget } from '@sipcast/net'
import { PROBE_NOW_MAX } from './limits.ts'
import type { Clock, Key, Prober, Tell } from './ports.ts'
import type { Candidate } from './snapshot.ts'

/** One proxy of one SipProxy under observation. */
export interface Tracked {
  readonly key: Key
  readonly target: ProbeTarget
  readonly config: HealthConfig
  readonly health: Health
  readonly statusCode: number | null
  readonly rttMs: number | null
}

/** Results come by the ten thousand a second, so they are written into what there is. */
type Tracking = { -readonly [Field in keyof Tracked]: Tracked[Field] }

/** Where a member begins: its state in the last table, null if it is in none. */
export type Beginning = (candidate: Candidate) => {
  readonly state: MemberState | null
  readonly sinceMs: number
}

export interface ProbesOptions {
  readonly prober: Prober
  readonly clock: Clock
  readonly tell: Tell
  /** Something changed for this SipProxy. */
  readonly onNews: (key: Key) => void
  readonly onResult: (result: ProbeResult) => void
}

export class Probes {
  readonly #options: ProbesOptions
  readonly #tracked = new Map<string, Tracking>()
  readonly #idsOf = new Map<Key, ReadonlySet<string>>()
  /** SipProxies for which an answer or a silence alone matters, without a change of state. */
  readonly #attentive = new Set<Key>()
  readonly #eager = new Set<string>()
  /** The prober has no room for them. */
  readonly #refused = new Set<string>()
  #refusedTold = 0
  #isSettling = false

  constructor(options: ProbesOptions) {
    this.#options = options
  }

  /** Makes these the proxies that are probed for a SipProxy; those that stay at their address keep their health. */
  setPool(
    key: Key,
    candidates: readonly Candidate[],
    probe: TableProbe,
    beginning: Beginning,
  ): void {
    const last = this.#idsOf.get(key) ?? new Set()
    const next = new Set<string>()
    for (const candidate of candidates) {
      const id = targetId(key, candidate.id)
      next.add(id)
      this.#track(id, key, { candidate, probe, beginning })
    }
    for (const id of last.difference(next)) this.#forget(id)
    this.#idsOf.set(key, next)
  }

  deletePool(key: Key): void {
    const ids = this.#idsOf.get(key)
    if (ids === undefined) return
    for (const id of ids) this.#forget(id)
    this.#idsOf.delete(key)
    this.#attentive.delete(key)
  }

  of(key: Key, memberId: string): Tracked | null {
    return this.#tracked.get(targetId(key, memberId)) ?? null
  }

  setAttentive(key: Key, isAttentive: boolean): void {
    if (isAttentive) this.#attentive.add(key)
    else this.#attentive.delete(key)
  }

  /** Somebody else doubts this proxy: it is asked at once. */
  probeNow(key: Key, memberId: string): void {
    const id = targetId(key, memberId)
    if (this.#tracked.has(id)) this.#options.prober.probeNow(id)
  }

  /** One probe's result. */
  take(result: ProbeResult): void {
    const tracked = this.#tracked.get(result.id)
    // A result of a proxy that has just left.
    if (tracked === undefined) return
    this.#options.onResult(result)
    const { clock, prober } = this.#options
    const { health: before, config } = tracked
    const after = observe(before, result.outcome, config, clock.nowMs())
    tracked.health = after
    tracked.statusCode = result.statusCode
    tracked.rttMs = result.rttMs ?? tracked.rttMs
    if (isSuspect(after) && !isSuspect(before)) {
      clock.after(SUSPICION_MS, () => this.#elapse(result.id))
      prober.probeNow(result.id)
    }
    this.#tellNews(tracked.key, before, after)
  }

  #elapse(id: string): void {
    const tracked = this.#tracked.get(id)
    if (tracked === undefined) return
    const { health: before } = tracked
    tracked.health = elapse(before, this.#options.clock.nowMs())
    if (tracked.health !== before) this.#tellNews(tracked.key, before, tracked.health)
  }

  #tellNews(key: Key, before: Health, after: Health): void {
    const isFirst = before.isNew && !after.isNew
    const isSilenceNews = (before.silentSinceMs === null) !== (after.silentSinceMs === null)
    if (before.state !== after.state || isFirst || (isSilenceNews && this.#attentive.has(key))) {
      this.#options.onNews(key)
    }
  }

  #track(
    id: string,
    key: Key,
    {
      candidate,
      probe,
      beginning,
    }: { candidate: Candidate; probe: TableProbe; beginning: Beginning },
  ): void {
    const last = this.#tracked.get(id)
    const target = targetOf(id, candidate, probe)
    const config = { fall: probe.fall, rise: probe.rise }
    const isAtHome = last?.target.address === target.address && last.target.port === target.port
    if (last !== undefined && isAtHome) {
      last.config = config
      if (JSON.stringify(target) === JSON.stringify(last.target)) return
      last.target = target
      this.#ask(target)
      return
    }
    const { state, sinceMs } = beginning(candidate)
    const health = startHealth(state, sinceMs)
    this.#tracked.set(id, { key, target, config, health, statusCode: null, rttMs: null })
    this.#eager.add(id)
    this.#ask(target)
  }

  #forget(id: string): void {
    this.#tracked.delete(id)
    this.#eager.delete(id)
    this.#refused.delete(id)
    this.#options.prober.dropTarget(id)
    if (this.#refused.size > 0) this.#settleSoon()
  }

  #ask(target: ProbeTarget): void {
    if (this.#options.prober.setTarget(target)) this.#refused.delete(target.id)
    else this.#refused.add(target.id)
    this.#settleSoon()
  }

  /** What a crowd of changes brings is looked at once. */
  #settleSoon(): void {
    if (this.#isSettling) return
    this.#isSettling = true
    this.#options.clock.after(0, () => {
      this.#isSettling = false
      this.#settle()
    })
  }

  #settle(): void {
    const { prober } = this.#options
    // New proxies are asked at once; a crowd of them comes in its turn, or its answers would drown each other.
    for (const id of [...this.#eager].slice(0, PROBE_NOW_MAX)) prober.probeNow(id)
    this.#eager.clear()
    for (const id of this.#refused) {
      const tracked = this.#tracked.get(id)
      if (tracked === undefined || prober.setTarget(tracked.target)) this.#refused.delete(id)
    }
    this.#tellRefused()
  }

  #tellRefused(): void {
    const { size } = this.#refused
    if (size === this.#refusedTold) return
    this.#refusedTold = size
    if (size === 0) return
    const [first] = this.#refused
    const message = `${size} proxies cannot be probed, the first is ${first}: too many targets`
    this.#options.tell({ level: 'error', event: 'TargetsRefused', message })
  }
}

function targetId(key: Key, memberId: string): string {
  return `${key} ${memberId}`
}

function targetOf(id: string, { address, port }: Candidate, probe: TableProbe): ProbeTarget {
  const { requestUri, from, intervalMs, timeoutMs, acceptedCodes } = probe
  return { id, address, port, requestUri, from, intervalMs, timeoutMs, acceptedCodes }
}
