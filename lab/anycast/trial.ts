/**
 * One fault under live traffic, and what came of it: until when routers sent packets to the node, what was lost, what
 * had to be repeated. Not here: which faults there are (faults.ts), sums over many trials.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { byOutcome, isFailed, Load } from '../phone/load.ts'
import type { Phone } from '../phone/phone.ts'
import { RFC_TIMERS } from '../sip/timers.ts'
import { Arrivals } from './arrivals.ts'
import type { BalancerNode } from './balancer-node.ts'
import type { NodeFault } from './faults.ts'
import { Stream } from './stream.ts'
import type { AnycastSystem } from './system.ts'

export interface TrialResult {
  readonly fault: string
  readonly isPlanned: boolean
  readonly node: string
  /** From the fault until the last packet that a router sent to the node. */
  readonly avoidedMs: number
  /** Sent there in that time. */
  readonly packets: number
  /** Requests that nobody repeats, of the stream. */
  readonly requests: number
  readonly unanswered: number
  /** How many of these routers had sent to which node; `none`: they had no route. */
  readonly unansweredAt: Readonly<Record<string, number>>
  readonly outageMs: number
  readonly calls: number
  /** By what came of them instead. */
  readonly callsLost: Readonly<Record<string, number>>
  readonly registrationsLost: number
  /** Messages that phones had to send again. */
  readonly repeated: number
}

/** A fault that was made and not mended yet. */
export interface Struck {
  readonly fault: NodeFault
  readonly node: BalancerNode
  readonly struckMs: number
  /** When packets still went there. */
  readonly packets: readonly number[]
}

/** So long without a packet to the node, and routers have turned away from it. */
const QUIET_MS = 700
const AVOIDED_MAX_MS = 12_000
/** Everybody is well again, and was for a moment. */
const SETTLED_MS = 1_500
const PHONES = 12
const REGISTER_EVERY_MS = 2_000
const PAUSE_MS = 700
const RING_MS = 200
/** INVITEs are repeated after 0.5, 1.5, 3.5 and 7.5 s. */
const PATIENCE_MS = 12_000

export class Trials {
  readonly system: AnycastSystem
  readonly load: Load
  readonly stream: Stream
  readonly arrivals: Arrivals
  readonly #phones: readonly Phone[]

  static async start(system: AnycastSystem, phones = PHONES): Promise<Trials> {
    const before = system.phones.length
    const users = Array.from({ length: phones }, (_, index) => `user-${index}`)
    // Every other phone in each home speaks IPv6.
    const homes = system.network.centres.flatMap((centre) => centre.homes).length
    const source = {
      phone: async (user: string) => {
        const place = system.phones.length - before
        const version = Math.floor(place / homes) % 2 === 0 ? 'ipv4' : 'ipv6'
        return await system.openPhone(user, { home: place % homes, version })
      },
    }
    const load = await Load.start(source, users, {
      timers: RFC_TIMERS,
      ringMs: RING_MS,
      patienceMs: PATIENCE_MS,
      registerEveryMs: REGISTER_EVERY_MS,
      pauseMs: PAUSE_MS,
    })
    const arrivals = await Arrivals.start(system)
    const stream = await Stream.start(system)
    const trials = new Trials({ system, load, stream, arrivals, before })
    await sleep(SETTLED_MS)
    return trials
  }

  constructor(parts: {
    readonly system: AnycastSystem
    readonly load: Load
    readonly stream: Stream
    readonly arrivals: Arrivals
    readonly before: number
  }) {
    this.system = parts.system
    this.load = parts.load
    this.stream = parts.stream
    this.arrivals = parts.arrivals
    this.#phones = parts.system.phones.slice(parts.before)
  }

  /** Resolves when it is mended, and what was under way has come to its end. */
  async run(fault: NodeFault, node: BalancerNode): Promise<TrialResult> {
    return await this.mend(await this.strike(fault, node))
  }

  /** Resolves when routers have turned away from the node. */
  async strike(fault: NodeFault, node: BalancerNode): Promise<Struck> {
    for (const phone of this.#phones) phone.log.clear()
    const strike = await fault.arm(this.system, node)
    const struckMs = performance.now()
    await strike()
    return { fault, node, struckMs, packets: await this.#untilAvoided(fault, node, struckMs) }
  }

  /** Resolves when all is as before, and what was under way meanwhile has ended. */
  async mend(struck: Struck): Promise<TrialResult> {
    await struck.fault.mend(this.system, struck.node)
    await this.system.untilServing()
    await this.system.untilRouted()
    await sleep(SETTLED_MS)
    const untilMs = performance.now()
    await this.load.untilEnded()
    return this.#result(struck, untilMs)
  }

  async stop(): Promise<void> {
    this.stream.stop()
    await this.arrivals.stop()
    await this.load.stop()
  }

  /** @returns the times of those that still went there */
  async #untilAvoided(
    { name, isRouters = false }: NodeFault,
    node: BalancerNode,
    struckMs: number,
  ): Promise<readonly number[]> {
    if (isRouters) return []
    for (;;) {
      const times = this.arrivals.since(node.name, struckMs)
      const nowMs = performance.now()
      if (nowMs - (times.at(-1) ?? struckMs) > QUIET_MS) return times
      if (nowMs - struckMs > AVOIDED_MAX_MS) {
        throw new Error(`${name}: after ${AVOIDED_MAX_MS} ms packets still go to ${node.name}`)
      }
      await sleep(20)
    }
  }

  #nodesOf(requests: readonly number[]): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const request of requests) {
      const node = this.arrivals.nodeOf(request) ?? 'none'
      counts[node] = (counts[node] ?? 0) + 1
    }
    return counts
  }

  #result({ fault, node, packets, struckMs }: Struck, untilMs: number): TrialResult {
    const calls = this.load.calls.filter(({ endedMs }) => endedMs >= struckMs)
    const registrations = this.load.registrations.filter(({ endedMs }) => endedMs >= struckMs)
    const repeated = this.#phones.flatMap(({ log }) => log.retransmissions('out'))
    const { asked, unanswered, outageMs } = this.stream.losses(struckMs, untilMs - SETTLED_MS)
    return {
      fault: fault.name,
      isPlanned: fault.isPlanned,
      node: node.name,
      avoidedMs: (packets.at(-1) ?? struckMs) - struckMs,
      packets: packets.length,
      requests: asked,
      unanswered: unanswered.length,
      unansweredAt: this.#nodesOf(unanswered),
      outageMs,
      calls: calls.length,
      callsLost: byOutcome(calls.filter(isFailed)),
      registrationsLost: registrations.filter(({ status }) => status !== 200).length,
      repeated: repeated.length,
    }
  }
}

/** How many calls came to nothing. */
export function lostCalls({ callsLost }: TrialResult): number {
  return Object.values(callsLost).reduce((sum, count) => sum + count, 0)
}
