/**
 * What the main thread tells a packet worker, and what it hears back: plain data that survives structured cloning.
 * Not here: how it travels (`io/`). Invariant: one `WorkerConfig` is the worker's whole world; a later one replaces it
 * between two bursts, and a worker that missed one misses nothing.
 */

import type { Table } from '@sipcast/mapping'

/** The shared memory of one table (by its sha256) stays the same for as long as a worker uses the table. */
export interface PoolConfig {
  readonly table: Table
  /** One byte per member, written by the main thread alone: 1 = dead by this balancer's own evidence. */
  readonly dead: SharedArrayBuffer
  /** One float64 per member: packets this worker sent there. */
  readonly packets: SharedArrayBuffer
}

export interface KeyConfig {
  /** 0…255 */
  readonly id: number
  /** 16 bytes */
  readonly secret: Uint8Array
}

export interface InsideAddress {
  readonly address: string
  readonly port: number
}

export interface WorkerConfig {
  /** Grows with every config that the main thread makes. */
  readonly generation: number
  readonly pools: readonly PoolConfig[]
  readonly keys: readonly KeyConfig[]
  readonly inside: readonly InsideAddress[]
  /** Serve only these of the SipProxies' addresses; null: all. */
  readonly addresses: readonly string[] | null
}

export const SocketState = {
  bound: 'Bound',
  portInUse: 'PortInUse',
  addressAbsent: 'AddressAbsent',
  failed: 'Failed',
} as const

export type SocketState = (typeof SocketState)[keyof typeof SocketState]

export interface SocketReport {
  readonly role: 'outside' | 'inside'
  readonly address: string
  readonly port: number
  readonly state: SocketState
  /** The system's own words where state is not Bound; empty otherwise. */
  readonly message: string
  /** Datagrams the kernel dropped on this socket so far. */
  readonly kernelDrops: number
  /** Datagrams that came in there and got what they deserve; begins anew with the worker. */
  readonly served: number
}

/** Main thread → worker. */
export type WorkerOrder =
  | { readonly kind: 'configure'; readonly config: WorkerConfig }
  | { readonly kind: 'stop' }

/** Worker → main thread. */
export type WorkerReport =
  | {
      readonly kind: 'sockets'
      readonly generation: number
      readonly sockets: readonly SocketReport[]
    }
  /** An ICMP refusal came back for this endpoint. */
  | { readonly kind: 'refused'; readonly address: string; readonly port: number }
  | { readonly kind: 'stopped' }
