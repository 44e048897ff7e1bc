/**
 * What the balancer's main thread needs from the world. `io/` holds the skins: a directory today; a cluster fits behind
 * the same ports. Not here: datagrams (the port of `@sipcast/net`), any decision.
 * Invariant: what cannot be read or written just now fails with StoreError; the main thread serves on.
 */

import type { SipBalancerStatus } from '@sipcast/crds'
import type { ProbeResult, ProbeTarget } from '@sipcast/net'
import type { Counters } from './counters.ts'
import type { Orders } from './proof.ts'
import type { Trouble } from './troubles.ts'
import type { SocketReport, WorkerConfig } from './worker-config.ts'

export interface Clock {
  /** Milliseconds with fractions that are never set back: for intervals. */
  monotonicMs(): number
  /** Wall clock, ISO-8601 with milliseconds: for what others read. */
  iso(): string
  /** Calls back once after the delay; the returned function calls it off. */
  after(delayMs: number, callback: () => void): () => void
}

export const StoreErrorCode = {
  /** No permission, or a read-only file system. */
  denied: 'denied',
  /** No space left. */
  full: 'full',
  /** The directory itself is gone. */
  absent: 'absent',
  /** Anything else that may pass. */
  unavailable: 'unavailable',
} as const
export type StoreErrorCode = (typeof StoreErrorCode)[keyof typeof StoreErrorCode]

/** A read or write that did not happen. All are worth trying again; none is worth dying for. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A published table document, not read yet. */
export interface TableListing {
  /** NAMESPACE.NAME: where the document was found, and what it must say inside. */
  readonly id: string
  /** Differs whenever the text may differ. */
  readonly version: string
}

/** Why changes may not have been heard of, and since when. */
export interface Staleness {
  /** On the monotonic clock. */
  readonly sinceMs: number
  readonly message: string
}

export interface TableSource {
  /** Every document there is, as far as is known; null: not known yet. */
  list(): Promise<readonly TableListing[] | null>
  /**
   * Its text; null if it is longer than TABLE_LENGTH_MAX of `@sipcast/mapping`, undefined if it is gone, or not here
   * yet (then a change is told when it is).
   */
  read(id: string): Promise<string | null | undefined>
  /** Null: `list` says what there is now. */
  staleness(): Staleness | null
}

export interface KeySource {
  /** The keys' document; null while there is none, undefined: not known yet. */
  readKeys(): Promise<string | null | undefined>
}

/** What a cluster wants of the announcer, which has no access to it. */
export interface OrderSource {
  /** Null: not known yet, or there is no cluster. */
  orders(): Orders | null
  /** Null: what `orders` says is what there is. */
  trouble(): Trouble | null
}

/** Copies of the tables in use that outlive this process. */
export interface LastGoodStore {
  list(): Promise<readonly string[]>
  /** Its text; null if it is too long, undefined if it is gone. */
  read(id: string): Promise<string | null | undefined>
  /** Replaces the copy whole or not at all. */
  save(id: string, text: string): Promise<void>
  remove(id: string): Promise<void>
}

export interface ReportSink {
  /** Replaces the report whole or not at all. May take as long as it likes. */
  write(report: SipBalancerStatus): Promise<void>
  /** Somebody has removed what was written last. */
  readonly isGone: boolean
  /** Somebody wants this node out of service; null: not known yet. */
  readonly isMaintenanceWanted: boolean | null
  /** Null: that is as it is now. */
  trouble(): Trouble | null
}

/** The packet workers, numbered from 0; started, watched and restarted behind this port. */
export interface PacketWorkers {
  readonly count: number
  /** Of each worker, living on over its restarts. */
  readonly counters: readonly Counters[]
  readonly restarts: number
  /** Gives worker `index` its world: now, and again whenever it is restarted. */
  configure(index: number, config: WorkerConfig): void
  /** Is it there, has it turned, and was it not cut off for hanging? */
  isRunning(index: number): boolean
  /** Stops all in order: what is received is forwarded, then sockets close. */
  stop(): Promise<void>
}

/** What workers have to say. */
export interface WorkerEvents {
  /** A worker serves this generation with these sockets. */
  sockets(worker: number, generation: number, sockets: readonly SocketReport[]): void
  /** An ICMP refusal came back to a worker for this endpoint. */
  refused(address: string, port: number): void
  /** A worker started, ended, or hung. */
  changed(): void
}

export type ProbeListener = (result: ProbeResult) => void

/** OPTIONS probes of the balancer's own; results go to a ProbeListener. */
export interface Prober {
  setTargets(targets: readonly ProbeTarget[]): void
  probeNow(id: string): void
}

/** Something a person may want to know: one log line. */
export interface Notice {
  readonly level: 'info' | 'warn' | 'error'
  /** CamelCase, from a closed set. */
  readonly event: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}

export type Tell = (notice: Notice) => void

export interface Ports {
  readonly clock: Clock
  readonly tables: TableSource
  readonly keys: KeySource
  readonly orders: OrderSource
  readonly lastGood: LastGoodStore
  readonly reports: ReportSink
  readonly workers: PacketWorkers
  readonly prober: Prober
  /** Of the balancer's own addresses. */
  readonly selfTester: Prober
  readonly tell: Tell
  /** Gives garbage back to the system, soon. */
  readonly releaseMemory: () => void
}
