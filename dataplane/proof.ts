/**
 * How this balancer proves to the announcer beside it that it lives, and what for: the addresses that its
 * node should hold, and those at which it really serves. Not here: the socket (`io/proof-socket.ts`), what the
 * announcer makes of it (`announcer/`). Invariants: whoever can ask has asked the main thread, so a proof is
 * never about a hung one; an address counts as served only if every worker turns, has it bound at every port
 * and uses the table.
 */

import type { Table } from '@sipcast/mapping'
import { isAlive, readiness } from './health.ts'
import { isSameTable } from './in-use.ts'
import { TURN_FRESH_MS } from './limits.ts'
import type { Moment } from './liveness.ts'
import type { BalancerState } from './state.ts'
import { SocketState } from './worker-config.ts'

export interface Proof {
  readonly name: string
  /** ISO-8601 */
  readonly at: string
  readonly isAlive: boolean
  /** To be held: of the tables in use, or waiting for their key. */
  readonly addresses: readonly string[]
  /** At these phones are served. */
  readonly ready: readonly string[]
  /** CamelCase, from a closed set. */
  readonly reason: string
}

/** The reason of a balancer that ends in order: its addresses go when it has gone. */
export const STOPPING = 'Stopping'

interface Turns {
  count: number
  /** When `count` was first seen. */
  sinceMs: number
}

export class Prover {
  readonly #name: string
  readonly #state: BalancerState
  readonly #turns: readonly Turns[]

  constructor(name: string, state: BalancerState) {
    this.#name = name
    this.#state = state
    this.#turns = state.workers.counters.map(() => ({ count: -1, sinceMs: -Infinity }))
  }

  prove({ ms, iso }: Moment): Proof {
    const state = this.#state
    const isTurning = this.#isTurning(ms)
    return {
      name: this.#name,
      at: iso,
      isAlive: isAlive(state),
      addresses: wantedAddresses(state),
      ready: isTurning && !state.isStopping && !state.isInMaintenance ? servedAddresses(state) : [],
      reason: reasonOf(state, isTurning),
    }
  }

  /** Every worker has ended a turn lately, as far as was asked. */
  #isTurning(nowMs: number): boolean {
    const { workers } = this.#state
    this.#turns.forEach((turns, worker) => {
      const count = workers.counters[worker]!.turns
      if (count !== turns.count) Object.assign(turns, { count, sinceMs: nowMs })
    })
    return this.#turns.every(
      ({ sinceMs }, worker) => workers.isRunning(worker) && nowMs - sinceMs <= TURN_FRESH_MS,
    )
  }
}

/** Reads what the socket said; null if it is no proof. */
export function parseProof(text: string): Proof | null {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    // Cut off or foreign: either way it proves nothing.
    return null
  }
  return isProof(document) ? document : null
}

function wantedAddresses(state: BalancerState): readonly string[] {
  const { tables, pools, inUse, addresses } = state
  const wanted: readonly Table[] = [
    ...Array.from(pools.values(), ({ table }) => table),
    ...Array.from(inUse.values(), ({ table }) => table),
    ...tables.waiting(),
  ]
  return [...new Set(wanted.flatMap((table) => table.addresses))].filter(
    (address) => addresses?.includes(address) ?? true,
  )
}

function servedAddresses({ keys, sockets, pools, inUse }: BalancerState): readonly string[] {
  if (keys.current.length === 0) return []
  const outside = sockets.merged().filter(({ role }) => role === 'outside')
  const usable = new Set(
    [...inUse]
      .filter(([id, { table }]) => isSameTable(pools.get(id)?.table ?? table, table))
      .flatMap(([, { table }]) => table.addresses),
  )
  const isBound = (address: string): boolean => {
    const own = outside.filter((socket) => socket.address === address)
    return own.length > 0 && own.every(({ state }) => state === SocketState.bound)
  }
  return [...usable].filter(isBound)
}

function reasonOf(state: BalancerState, isTurning: boolean): string {
  if (state.isStopping) return STOPPING
  if (state.isInMaintenance) return 'Maintenance'
  const { isReady, reason } = readiness(state)
  return isReady && !isTurning ? 'WorkersStale' : reason
}

function isProof(document: unknown): document is Proof {
  if (typeof document !== 'object' || document === null) return false
  const { isAlive: alive, addresses, ready, reason } = document as Record<string, unknown>
  return typeof alive === 'boolean' && isTexts(addresses) && isTexts(ready) && isText(reason)
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}
