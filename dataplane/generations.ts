/**
 * What the workers are told, numbered, and which number every one of them has taken in use.
 * Not here: posting configs (`io/`), what is in a table. Invariants: a generation differs from the one before; a table
 * counts as in use only when every running worker has acknowledged a generation that holds it.
 */

import type { Table } from '@sipcast/mapping'
import { GENERATIONS_MAX } from './limits.ts'
import { ProxyPackets } from './proxy-packets.ts'
import type { ServedPool } from './served-pool.ts'
import type { InsideAddress, KeyConfig, WorkerConfig } from './worker-config.ts'

export interface GenerationsOptions {
  readonly workers: number
  readonly inside: readonly InsideAddress[]
  /** Serve only these addresses; null: all. */
  readonly addresses: readonly string[] | null
}

interface PoolShare {
  readonly table: Table
  readonly dead: SharedArrayBuffer
  /** One per worker. */
  readonly packets: readonly SharedArrayBuffer[]
}

export class Generations {
  readonly packets: ProxyPackets
  readonly #options: GenerationsOptions
  readonly #acknowledged: number[]
  #shares: ReadonlyMap<string, PoolShare> = new Map()
  #keys: readonly KeyConfig[] = []
  #fingerprint: string | null = null
  /** Tables by generation, oldest first, from the one that every worker has on. */
  #history: { readonly generation: number; readonly tables: ReadonlyMap<string, Table> }[] = []
  current = 0

  constructor(options: GenerationsOptions) {
    this.#options = options
    this.packets = new ProxyPackets(options.workers)
    this.#acknowledged = Array.from({ length: options.workers }, () => 0)
  }

  /** Takes what is to be served now. True if that makes a new generation, for all workers to be told. */
  next(pools: readonly ServedPool[], keys: readonly KeyConfig[]): boolean {
    const fingerprint = fingerprintOf(pools, keys)
    if (fingerprint === this.#fingerprint) return false
    this.#fingerprint = fingerprint
    this.current++
    this.#keys = keys
    const ids = new Set(pools.map((pool) => pool.id))
    for (const id of this.#shares.keys()) if (!ids.has(id)) this.packets.end(id, this.current)
    this.#shares = new Map(pools.map((pool) => [pool.id, this.#share(pool)]))
    const tables = new Map(pools.map(({ id, table }) => [id, table]))
    this.#history = [...this.#history, { generation: this.current, tables }].slice(-GENERATIONS_MAX)
    return true
  }

  /** The current generation as worker `index` gets it. */
  configOf(worker: number): WorkerConfig {
    return {
      generation: this.current,
      pools: [...this.#shares.values()].map(({ table, dead, packets }) => ({
        table,
        dead,
        packets: packets[worker]!,
      })),
      keys: this.#keys,
      inside: this.#options.inside,
      addresses: this.#options.addresses,
    }
  }

  /** False: it has said so before. */
  acknowledge(worker: number, generation: number): boolean {
    const isNew = this.#acknowledged[worker] !== generation
    this.#acknowledged[worker] = generation
    this.packets.acknowledge(worker, generation)
    const oldest = Math.min(...this.#acknowledged)
    this.#history = this.#history.filter((one) => one.generation >= oldest)
    return isNew
  }

  /** The tables that every running worker has in use, by id. */
  inUse(isRunning: (worker: number) => boolean): ReadonlyMap<string, Table> {
    const running = this.#acknowledged.filter((_, worker) => isRunning(worker))
    const oldest = Math.min(...running)
    return this.#history.find(({ generation }) => generation === oldest)?.tables ?? new Map()
  }

  #share(pool: ServedPool): PoolShare {
    const before = this.#shares.get(pool.id)
    if (before?.table === pool.table) return before
    const proxies = pool.table.members.map((member) => member.id)
    const packets = this.packets.begin(pool.id, proxies, this.current)
    return { table: pool.table, dead: pool.dead, packets }
  }
}

function fingerprintOf(pools: readonly ServedPool[], keys: readonly KeyConfig[]): string {
  const tables = pools.map(
    ({ id, table }) => `${id} ${table.uid} ${table.epoch} ${table.addresses.join()}`,
  )
  return [...tables, ...keys.map(({ id, secret }) => `${id} ${secret.toHex()}`)].join('\n')
}
