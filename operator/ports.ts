/**
 * What the operator needs from the world: a clock, random numbers, a place where SipProxies, tables, status, keys and
 * balancers' reports live, probes, and somebody to tell. The directory skin is in io/; the Kubernetes skin and the
 * simulator implement the same.
 * Not here: any decision. Invariant: reconciling knows these interfaces only, so it does not know which skin it runs
 * on.
 */
import type { BgpPeerStatus, LabelSelector, SipBalancerStatus, SipProxyStatus } from '@sipcast/crds'
import type { AssignInput, Assignment } from '@sipcast/mapping'
import type { ProbeTarget } from '@sipcast/net'

/** `NAMESPACE/NAME` of a SipProxy. */
export type Key = string

export interface Clock {
  /** Wall clock, milliseconds since 1970: for what others read and what outlives the process. */
  nowMs(): number
  /** Milliseconds that are never set back: for intervals. */
  monotonicMs(): number
  /** Calls back once after the delay; the returned function calls it off. */
  after(delayMs: number, callback: () => void): () => void
}

export interface Random {
  /** A random UUID. */
  uuid(): string
  /** Random bytes as lower-case hex, fit for keys. */
  hex(bytes: number): string
  /** From 0 to below 1. */
  fraction(): number
}

/** What is to be seen of one SipProxy. "Unreadable" is never taken for "absent": bad objects never break good ones. */
export type Sighting =
  | {
      readonly kind: 'present'
      readonly object: unknown
      /** What the API server says of the object; null where there is none (directory mode). */
      readonly origin: Origin | null
    }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'absent' }

export interface Origin {
  readonly uid: string
  readonly createdMs: number
  readonly generation: number
}

export interface Pod {
  readonly name: string
  readonly uid: string
  /** Canonical IP literals, the cluster's own IP version first; none before the pod has its network. */
  readonly addresses: readonly string[]
  readonly hostAddresses: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
  /** It has a deletionTimestamp. */
  readonly deleting: boolean
  /** ContainersReady, and every readiness gate but ours is True. */
  readonly ready: boolean
  /** What our readiness gate says now; null: the pod does not declare it. */
  readonly gate: PodGate | null
}

/** The condition of our readiness gate on a pod. */
export interface PodGate {
  /** Null: nobody has said anything yet, which counts as False. */
  readonly status: 'True' | 'False' | 'Unknown' | null
  readonly reason: string
  readonly message: string
}

export interface Stored {
  readonly text: string
  /** Opaque; what a later write compares with. */
  readonly version: string
}

export interface BalancerReport {
  readonly name: string
  readonly status: SipBalancerStatus
}

export interface SeenBgpPeer {
  readonly name: string
  readonly generation: number
  /** As somebody wrote it: not checked. */
  readonly object: unknown
  readonly status: BgpPeerStatus | null
}

/** BgpPeers, where their status has a place. Lists answer from memory; what is written is written a little later. */
export interface BgpPeerStore {
  list(): readonly SeenBgpPeer[]
  writeStatus(name: string, status: BgpPeerStatus): void
}

export const StoreErrorCode = {
  /** Somebody wrote in between: read again. */
  conflict: 'conflict',
  /** No permission, or a read-only file system. */
  denied: 'denied',
  /** No space left. */
  full: 'full',
  /** Anything else that may pass. */
  unavailable: 'unavailable',
} as const
export type StoreErrorCode = (typeof StoreErrorCode)[keyof typeof StoreErrorCode]

/** A read or write that did not happen. All are worth trying again; none is worth dying for. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** What changed; it only marks work. */
export type Change =
  | { readonly what: 'sipProxy' | 'pods' | 'table' | 'status'; readonly key: Key }
  | { readonly what: 'balancer'; readonly name: string }
  | { readonly what: 'keys' }
  | { readonly what: 'bgpPeers' }
  /** What could not be reached can be again: whatever failed is worth trying now. */
  | { readonly what: 'recovery' }

/** What things are called where they live, for messages to people. */
export interface Names {
  readonly keys: string
  /** What to do when they can be neither read nor written. */
  readonly keysRemedy: string
  /** What to change so that an address may be used. */
  readonly addressPools: string
}

/** For how long changes of a resource may have been missed; 0: all is well. */
export interface Staleness {
  readonly resource: string
  readonly seconds: number
}

/**
 * Where things live. Lists answer from memory that the skin keeps current; reads and writes of one thing go through,
 * and throw StoreError. `ifVersion` null means: only if there is none yet.
 */
export interface Cluster {
  readonly names: Names
  /**
   * Of the lease this operator works under: a table with a higher one was written by our successor. Null where there
   * is no lease.
   */
  readonly leaseTransitions: number | null
  /** Null: in a directory nobody asks for their status. */
  readonly bgpPeers: BgpPeerStore | null
  /** Every SipProxy that is present, unreadable, or has a table or a status left. */
  keys(): ReadonlySet<Key>
  sighting(key: Key): Sighting
  /**
   * The pods of the SipProxy's namespace that match, and from now on `pods` changes of them for this SipProxy.
   * Undefined: it selects none.
   */
  pods(key: Key, selector: LabelSelector | undefined): readonly Pod[]
  balancers(): readonly BalancerReport[]
  balancer(name: string): BalancerReport | null
  readTable(key: Key): Promise<Stored | null>
  /** The new version. */
  writeTable(key: Key, text: string, ifVersion: string | null): Promise<string>
  deleteTable(key: Key): Promise<void>
  readStatus(key: Key): Promise<SipProxyStatus | null>
  /** May be written a little later, the last one then; if that fails, it is told and tried again. */
  writeStatus(key: Key, status: SipProxyStatus): Promise<void>
  deleteStatus(key: Key): Promise<void>
  readKeys(): Promise<Stored | null>
  writeKeys(text: string, ifVersion: string | null): Promise<string>
  /**
   * Is written a little later, the last one then, and tried again until it is; never to another pod that has taken the
   * name since. From now on `pods` says so.
   */
  setGate(namespace: string, pod: Pod, gate: PodGate): void
  staleness(): readonly Staleness[]
  /** Tells the listener from now on; the returned function ends it. */
  watch(listener: (change: Change) => void): () => void
}

/** Its results go to Probes.take. */
export interface Prober {
  /** Probes it from now on, or as it says now; costs the same however many there are. False: it cannot be probed. */
  setTarget(target: ProbeTarget): boolean
  dropTarget(id: string): void
  probeNow(id: string): unknown
}

export interface Subject {
  readonly kind: 'BgpPeer' | 'SipBalancer'
  readonly name: string
}

/** Something a person may want to know: a log line everywhere, on Kubernetes an Event on what it is about, too. */
export interface Notice {
  readonly level: 'info' | 'warn' | 'error'
  /** CamelCase, from a closed set. */
  readonly event: string
  readonly key?: Key
  /** Another object that it is about. */
  readonly about?: Subject
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}

export type Tell = (notice: Notice) => void

/** The assignment of @sipcast/mapping, where this thread has no time for it. */
export type AssignElsewhere = (input: AssignInput) => Promise<Assignment>

export interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly cluster: Cluster
  readonly prober: Prober
  readonly tell: Tell
  readonly assignElsewhere: AssignElsewhere
  /** Our successor was met: this process must not write any more. On the machine it does not return. */
  readonly deposed: (why: string) => void
}
