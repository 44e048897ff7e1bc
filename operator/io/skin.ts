/**
 * What main.ts needs of a skin: the Cluster port, and when this process may begin and must end. Both skins have one
 * story: open, start (which may mean to wait for one's turn), serve, stop.
 */
import type { AddressPools } from '../address-pools.ts'
import type { Metrics } from '../metrics.ts'
import type { Cluster, Tell } from '../ports.ts'

export interface Skin {
  readonly cluster: Cluster
  /** Where notices go. */
  readonly tell: Tell
  /** Null: every address may be used. */
  readonly addressPools: AddressPools | null
  /** For people: what is served. */
  readonly place: string
  /** Another process leads; this one waits. */
  readonly isStandby: boolean
  /** Resolves when this process may write and everything is known. @throws the signal's reason */
  start(signal: AbortSignal, metrics: Metrics): Promise<void>
  stop(): Promise<void>
}

export interface SkinPorts {
  readonly tell: Tell
  /** This process must not write any more. */
  readonly deposed: (why: string) => void
  /** A name for this process that no other has at the same time. */
  readonly process: string
}

/** A configuration of good form that cannot be served. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}
