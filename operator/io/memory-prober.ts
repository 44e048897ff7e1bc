/**
 * The Prober port over proxies that only exist in memory: each does what it was told, at the times of a real prober.
 * For tests and simulation.
 * Not here: sockets and SIP (@sipcast/net).
 */
import type { ProbeResult, ProbeTarget } from '@sipcast/net'
import type { Clock, Prober } from '../ports.ts'

export const Behaviour = {
  answers: 'answers',
  /** Frozen: takes the probe, says nothing. */
  silent: 'silent',
  /** Killed: the host answers with ICMP. */
  refuses: 'refuses',
  /** 503 with Retry-After. */
  busy: 'busy',
  /** Answers 500. */
  fails: 'fails',
} as const
export type Behaviour = (typeof Behaviour)[keyof typeof Behaviour]

const RTT_MS = 1

export class MemoryProber implements Prober {
  /** By address; others answer. */
  readonly behaviours = new Map<string, Behaviour>()
  probes = 0
  listener: (result: ProbeResult) => void = () => undefined
  readonly #clock: Clock
  readonly #targets = new Map<string, ProbeTarget>()
  readonly #cancels = new Map<string, () => void>()
  readonly #underWay = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get targets(): readonly ProbeTarget[] {
    return [...this.#targets.values()]
  }

  setTarget(target: ProbeTarget): boolean {
    const { id, intervalMs } = target
    const isNew = !this.#targets.has(id)
    this.#targets.set(id, target)
    if (isNew) this.#wait(id, intervalMs / 2)
    return true
  }

  dropTarget(id: string): void {
    this.#cancels.get(id)?.()
    this.#targets.delete(id)
    this.#underWay.delete(id)
  }

  probeNow(id: string): boolean {
    if (this.#underWay.has(id)) return true
    this.#cancels.get(id)?.()
    this.#probe(id)
    return true
  }

  #wait(id: string, delayMs: number): void {
    this.#cancels.set(
      id,
      this.#clock.after(delayMs, () => this.#probe(id)),
    )
  }

  #probe(id: string): void {
    const target = this.#targets.get(id)
    if (target === undefined) return
    this.probes++
    this.#underWay.add(id)
    const behaviour = this.behaviours.get(target.address) ?? Behaviour.answers
    const afterMs = behaviour === Behaviour.silent ? target.timeoutMs : RTT_MS
    const cancel = this.#clock.after(afterMs, () => {
      this.#underWay.delete(id)
      this.#wait(id, target.intervalMs - afterMs)
      this.listener(resultOf(id, behaviour))
    })
    this.#cancels.set(id, cancel)
  }
}

function resultOf(id: string, behaviour: Behaviour): ProbeResult {
  const nothing = { id, statusCode: null, rttMs: null, retryAfterSeconds: null }
  switch (behaviour) {
    case Behaviour.answers:
      return { ...nothing, outcome: 'accepted', statusCode: 200, rttMs: RTT_MS }
    case Behaviour.silent:
      return { ...nothing, outcome: 'timeout' }
    case Behaviour.refuses:
      return { ...nothing, outcome: 'refused' }
    case Behaviour.busy:
      return {
        ...nothing,
        outcome: 'unavailable',
        statusCode: 503,
        rttMs: RTT_MS,
        retryAfterSeconds: 5,
      }
    case Behaviour.fails:
      return { ...nothing, outcome: 'rejected', statusCode: 500, rttMs: RTT_MS }
  }
}
