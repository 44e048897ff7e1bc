/**
 * A network in memory: hosts that hold addresses, ports on them, datagrams between them.
 *
 * For tests and simulation. Deterministic: nothing is random but what the `fate` hook makes so, and
 * time is the given clock's. Like the real one it may lose, delay and duplicate (only if `fate` says
 * so), prefers a local holder of an address, spreads an anycast address over its holders by flow,
 * and reports ICMP errors to the sender. It has no MTU, no links and no bandwidth.
 *
 *   sender ── fate: copies and delays ──► holder of the address ──► socket ──► inbox
 *                                             │                       └ none: ECONNREFUSED
 *                                             └ none: EHOSTUNREACH after the ARP timeout
 */

import { type Clock, systemClock } from './clock.ts'
import { addressKey } from './endpoint-key.ts'
import { Errno } from './errno.ts'
import { type Flight, flowHash } from './flight.ts'
import { MemoryHost } from './memory-host.ts'
import type { MemorySocket } from './memory-socket.ts'

/** The delays in ms of the copies that arrive: [0] is an undisturbed datagram, [] a lost one. */
export type Fate = (flight: Flight) => readonly number[]

export interface MemoryNetworkOptions {
  readonly clock?: Clock
  readonly fate?: Fate
  /** Whether ICMP errors are reported at all; default true. */
  readonly refuses?: boolean
  /** How long an address that nobody holds stays silent before EHOSTUNREACH. */
  readonly unreachableAfterMs?: number
}

/** Linux gives up on ARP after three requests, one second apart. */
const UNREACHABLE_AFTER_MS = 3060
/** Delayed datagrams at a time; what is beyond is lost and counted. */
const IN_FLIGHT_MAX = 1 << 17

export class MemoryNetwork {
  readonly clock: Clock
  /** May be replaced at any time: what is under way already keeps its fate. */
  fate: Fate
  /** Datagrams lost because too many were under way. */
  overflows = 0
  readonly #refuses: boolean
  readonly #unreachableAfterMs: number
  readonly #holders = new Map<string, readonly MemoryHost[]>()
  #inFlight = 0

  constructor(options: MemoryNetworkOptions = {}) {
    this.clock = options.clock ?? systemClock
    this.fate = options.fate ?? (() => [0])
    this.#refuses = options.refuses ?? true
    this.#unreachableAfterMs = options.unreachableAfterMs ?? UNREACHABLE_AFTER_MS
  }

  /** A machine that holds these addresses, IP literals; several may hold the same one (anycast). */
  host(addresses: readonly string[]): MemoryHost {
    const host = new MemoryHost(this)
    for (const address of addresses) host.hold(address)
    return host
  }

  /** MemoryHost's: `host` holds the address from now on. */
  addHolder(key: string, host: MemoryHost): void {
    this.#holders.set(key, [...(this.#holders.get(key) ?? []), host])
  }

  /** MemoryHost's: and now it doesn't. */
  removeHolder(key: string, host: MemoryHost): void {
    const others = (this.#holders.get(key) ?? []).filter((other) => other !== host)
    if (others.length === 0) this.#holders.delete(key)
    else this.#holders.set(key, others)
  }

  /** MemorySocket's: sends off a datagram, keeping the flight. */
  carry(sender: MemorySocket, flight: Flight): void {
    for (const delayMs of this.fate(flight)) {
      this.#after(delayMs, () => this.#arrive(sender, flight))
    }
  }

  #arrive(sender: MemorySocket, flight: Flight): void {
    const holder = this.#holderFor(sender.host, flight)
    if (holder === undefined) {
      const refuse = () => this.#refuse(sender, flight, Errno.hostUnreachable)
      this.#after(this.#unreachableAfterMs, refuse)
      return
    }
    const socket = holder.socketFor(flight)
    if (socket === undefined) this.#refuse(sender, flight, Errno.refused)
    else socket.deliver(flight)
  }

  /** A local holder first, as the kernel does; else one of all by flow, as routers do. */
  #holderFor(origin: MemoryHost, flight: Flight): MemoryHost | undefined {
    const holders = this.#holders.get(addressKey(flight.target))
    if (holders === undefined) return undefined
    return holders.includes(origin) ? origin : holders[flowHash(flight) % holders.length]
  }

  #refuse(sender: MemorySocket, flight: Flight, errno: number): void {
    if (this.#refuses) sender.refuse(errno, flight.target)
  }

  #after(delayMs: number, action: () => void): void {
    if (delayMs <= 0) {
      action()
      return
    }
    if (this.#inFlight === IN_FLIGHT_MAX) {
      this.overflows++
      return
    }
    this.#inFlight++
    this.clock.setTimer(delayMs, () => {
      this.#inFlight--
      action()
    })
  }
}
