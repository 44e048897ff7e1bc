/**
 * Everything the balancer's main thread knows. `balancer.ts` changes it; the report, the metrics and the
 * health endpoints read it. Not here: any decision. Invariant: plain memory, rebuilt from the outside after a
 * restart.
 */

import type { Table } from '@sipcast/mapping'
import type { HeardAnnouncement } from './announcement.ts'
import type { Lost } from './claims.ts'
import type { Counters } from './counters.ts'
import { Generations, type GenerationsOptions } from './generations.ts'
import { Keys } from './keys.ts'
import type { Orders, Proof } from './proof.ts'
import { SelfTest } from './self-test.ts'
import type { ServedPool } from './served-pool.ts'
import { Sockets } from './sockets.ts'
import { Tables } from './tables.ts'
import { Tallies } from './tallies.ts'
import type { Trouble } from './troubles.ts'

/** A table that every running worker uses. */
export interface InUse {
  readonly table: Table
  /** ISO-8601 */
  readonly since: string
  /** The same on the monotonic clock. */
  readonly sinceMs: number
}

/** The workers as the readers of the state see them. */
export interface Workforce {
  readonly count: number
  readonly counters: readonly Counters[]
  readonly restarts: number
  isRunning(index: number): boolean
}

export class BalancerState {
  readonly inside: GenerationsOptions['inside']
  /** Serve only these addresses; null: all. */
  readonly addresses: GenerationsOptions['addresses']
  readonly workers: Workforce
  readonly keys = new Keys()
  readonly tables = new Tables()
  /** Ids of the documents found at the last look; null: never looked with success. */
  listed: ReadonlySet<string> | null = null
  /** Every document of one look was read since the start: until then there may be SipProxies nobody knows here. */
  isCaughtUp = false
  /** Since when changes of tables may not have been heard of, on the monotonic clock; null: they are. */
  staleSinceMs: number | null = null
  /** Addresses that a SipProxy asks for and another one holds. */
  lost: ReadonlyMap<string, readonly Lost[]> = new Map()
  /** What the workers were told to serve, by NAMESPACE.NAME. */
  readonly pools = new Map<string, ServedPool>()
  readonly generations: Generations
  readonly sockets = new Sockets()
  inUse: ReadonlyMap<string, InUse> = new Map()
  readonly selfTest = new SelfTest()
  /** The last proof that somebody asked for. */
  proof: Proof | null = null
  readonly tallies = new Tallies()
  /** What the cluster wants of the announcer beside us; null: not known yet, or there is no cluster. */
  orders: Orders | null = null
  /** Why they may not be what there is; null: they are. */
  ordersTrouble: Trouble | null = null
  /** What the announcer beside us said last; null: there was none yet. */
  announcement: HeardAnnouncement | null = null
  /** How often it said something. */
  announcements = 0
  /** It has said nothing for a while: what it announced has lapsed. */
  isAnnouncerSilent = false
  /** Somebody takes this node out of service by hand; null: it is not known whether somebody does. */
  isInMaintenance: boolean | null = null
  /** The end is near: what is under way is served, then nothing. */
  isStopping = false

  constructor(options: Omit<GenerationsOptions, 'workers'>, workers: Workforce) {
    this.inside = options.inside
    this.addresses = options.addresses
    this.workers = workers
    this.generations = new Generations({ ...options, workers: workers.count })
  }
}
