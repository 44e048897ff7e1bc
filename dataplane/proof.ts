/**
 * How this balancer proves to the announcer beside it that it lives, and what for: the addresses that its
 * node should hold, and those at which it really serves. Not here: the socket (`io/proof-socket.ts`), what the
 * announcer makes of it (`announcer/`). Invariants: whoever can ask has asked the main thread, so a proof is
 * never about a hung one; an address counts as served only if every worker turns, has it bound and uses a table with
 * it, and if it has answered the balancer's own test; which of its ports count says `address-readiness.ts`.
 */

import type { Table } from '@sipcast/mapping'
import { AddressReadiness, type SocketStand } from './address-readiness.ts'
import { byAge } from './claims.ts'
import type { Counters } from './counters.ts'
import { isAlive, readiness } from './health.ts'
import { LOOK_GAP_MAX_MS, PROVED_ADDRESSES_MAX, SERVED_FRESH_MS, TURN_FRESH_MS } from './limits.ts'
import type { Moment } from './liveness.ts'
import { isRecord, isText, isTexts, readJson } from './plain-json.ts'
import { socketId } from './self-test.ts'
import { Standstill } from './standstill.ts'
import type { BalancerState } from './state.ts'
import { isServed, verdictNames } from './verdict.ts'
import { type SocketReport, SocketState } from './worker-config.ts'

export interface Proof {
  readonly name: string
  /** ISO-8601 */
  readonly at: string
  readonly isAlive: boolean
  /** To be held: of the tables in use, or waiting for their key; those of older SipProxies first. */
  readonly addresses: readonly string[]
  /** False: there may be more, as long as not all published tables were read; nothing is to be removed yet. */
  readonly isComplete: boolean
  /** At these phones are served, also by a balancer that leaves. */
  readonly ready: readonly string[]
  /**
   * It ends, or somebody wants it out of service: routers are to turn away first. Null: nobody knows whether somebody
   * does, and what is not announced already must wait.
   */
  readonly isLeaving: boolean | null
  /** CamelCase, from a closed set. */
  readonly reason: string
  /** Addresses of the node on the side of the proxies. */
  readonly inside: readonly string[]
  /** What the cluster wants of the announcer; null: not known yet, or there is no cluster. */
  readonly orders: Orders | null
}

export interface Orders {
  /** BgpPeers as the cluster has them: not checked. */
  readonly peers: readonly unknown[]
  readonly nodeLabels: Readonly<Record<string, string>>
}

/** The reason of a balancer that ends in order: its addresses go when it has gone. */
export const STOPPING = 'Stopping'

const NONE: ReadonlySet<string> = new Set()

export class Prover {
  readonly #name: string
  readonly #state: BalancerState
  /** One per worker. */
  readonly #turns: readonly Standstill[]
  readonly #served = new Standstill(LOOK_GAP_MAX_MS)
  /** The same of each outside socket. */
  #servedAt: ReadonlyMap<string, Standstill> = new Map()
  readonly #readiness = new AddressReadiness()

  constructor(name: string, state: BalancerState) {
    this.#name = name
    this.#state = state
    this.#turns = state.workers.counters.map(() => new Standstill(LOOK_GAP_MAX_MS))
  }

  prove({ ms, iso }: Moment): Proof {
    const state = this.#state
    const isTurning = this.#isTurning(ms)
    const tables = tablesByAge(state)
    const addresses = wantedAddresses(tables, state).slice(0, PROVED_ADDRESSES_MAX)
    const sockets = this.#outsideSockets(tables, ms)
    const isAnswering = sockets.every(({ isBound, isProven }) => isProven || !isBound)
    const ready = isTurning ? this.#readiness.look(sockets, ms) : NONE
    const isUsable = usableIn(state)
    return {
      name: this.#name,
      at: iso,
      isAlive: isAlive(state),
      addresses,
      isComplete: state.isCaughtUp,
      ready: addresses.filter((address) => ready.has(address) && isUsable(address)),
      isLeaving: state.isStopping || state.isInMaintenance,
      reason: reasonOf(state, { isTurning, isAnswering }),
      inside: state.inside.map(({ address }) => address),
      orders: state.orders,
    }
  }

  /** Those of older SipProxies first. */
  #outsideSockets(
    tables: readonly Table[],
    nowMs: number,
  ): readonly (SocketStand & { readonly isBound: boolean })[] {
    const { sockets, selfTest, workers } = this.#state
    const isSending = this.#served.look(servedPackets(workers.counters), nowMs) <= SERVED_FRESH_MS
    const before = this.#servedAt
    const servedAt = new Map<string, Standstill>()
    this.#servedAt = servedAt
    const ranks = socketsByAge(tables)
    const rankOf = (socket: SocketReport): number => ranks.get(socketId(socket)) ?? ranks.size
    const outside = sockets.merged().filter(({ role }) => role === 'outside')
    const oldestFirst = outside.toSorted((a, b) => rankOf(a) - rankOf(b))
    return oldestFirst.map(({ address, port, state, served }) => {
      const id = socketId({ address, port })
      const standstill = before.get(id) ?? new Standstill(LOOK_GAP_MAX_MS)
      servedAt.set(id, standstill)
      const isFlowing = standstill.look(served, nowMs) <= SERVED_FRESH_MS && isSending
      const isBound = state === SocketState.bound
      const isProven = isBound && selfTest.isProven({ address, port }, isFlowing)
      return { address, port, isBound, isProven }
    })
  }

  /** Every worker has ended a turn lately, as far as was asked. */
  #isTurning(nowMs: number): boolean {
    const { workers } = this.#state
    const stillMs = this.#turns.map((turns, worker) =>
      turns.look(workers.counters[worker]!.turns, nowMs),
    )
    return stillMs.every((ms, worker) => workers.isRunning(worker) && ms <= TURN_FRESH_MS)
  }
}

/** Reads what the socket said; null if it is no proof. */
export function parseProof(text: string): Proof | null {
  const document = readJson(text)
  return isProof(document) ? document : null
}

function wantedAddresses(
  tables: readonly Table[],
  { addresses }: BalancerState,
): readonly string[] {
  const all = tables.flatMap((table) => table.addresses)
  return [...new Set(all)].filter((address) => addresses?.includes(address) ?? true)
}

/** Socket → its place, by the age of the SipProxy that it is of. */
function socketsByAge(tables: readonly Table[]): ReadonlyMap<string, number> {
  const ids = tables.flatMap(({ addresses, port }) =>
    addresses.map((address) => socketId({ address, port })),
  )
  return new Map([...new Set(ids)].map((id, rank) => [id, rank]))
}

/** The oldest SipProxy's first. */
function tablesByAge({ tables, pools, inUse }: BalancerState): readonly Table[] {
  const all: readonly Table[] = [
    ...Array.from(pools.values(), ({ table }) => table),
    ...Array.from(inUse.values(), ({ table }) => table),
    ...tables.waiting(),
  ]
  const entries = all.map((table) => [`${table.namespace}.${table.name}`, table] as const)
  return entries.toSorted(byAge).map(([, table]) => table)
}

/** In a table that workers use, with a key. By the old one until they have taken up the new one: that is no break. */
function usableIn({ keys, inUse }: BalancerState): (address: string) => boolean {
  const usable = new Set([...inUse.values()].flatMap(({ table }) => table.addresses))
  return (address) => keys.current.length > 0 && usable.has(address)
}

/** That the workers served as they should, less what the kernel did not send. */
function servedPackets(counters: readonly Counters[]): number {
  const verdicts = verdictNames.map((_, verdict) => verdict).filter(isServed)
  return counters.reduce(
    (sum, one) =>
      verdicts.reduce((some, verdict) => some + one.verdicts(verdict), sum) - one.sendErrors,
    0,
  )
}

function reasonOf(
  state: BalancerState,
  { isTurning, isAnswering }: { readonly isTurning: boolean; readonly isAnswering: boolean },
): string {
  if (state.isStopping) return STOPPING
  if (state.isInMaintenance) return 'Maintenance'
  const { isReady, reason } = readiness(state)
  if (isReady && !isTurning) return 'WorkersStale'
  return isReady && !isAnswering ? 'SelfTestUnanswered' : reason
}

function isProof(document: unknown): document is Proof {
  if (!isRecord(document)) return false
  const { isAlive: alive, addresses, isComplete, ready, isLeaving, reason, inside } = document
  const areFlags = [alive, isComplete].every((one) => typeof one === 'boolean')
  const isWhether = isLeaving === null || typeof isLeaving === 'boolean'
  const areLists = [addresses, ready, inside].every(isTexts)
  return areFlags && isWhether && areLists && isText(reason) && isOrders(document['orders'])
}

export function isOrders(value: unknown): value is Orders | null {
  if (value === null) return true
  if (!isRecord(value) || !Array.isArray(value['peers'])) return false
  const labels = value['nodeLabels']
  return isRecord(labels) && Object.values(labels).every(isText)
}
