/**
 * The Cluster port in memory: for tests and simulation. Says what it was told to, keeps what is written, and fails on
 * demand.
 * Invariant: a version changes with every write, and a write with another version than the stored one is a conflict.
 */
import type { BgpPeerStatus, LabelSelector, SipProxyStatus } from '@sipcast/crds'
import {
  type BalancerReport,
  type BgpPeerStore,
  type Change,
  type Cluster,
  type Key,
  type Names,
  type Origin,
  type Pod,
  type PodGate,
  type SeenBgpPeer,
  type Sighting,
  StoreError,
  StoreErrorCode,
  type Stored,
} from '../ports.ts'

/** What is put there, and what is written of it. */
class MemoryBgpPeers implements BgpPeerStore {
  readonly peers = new Map<string, SeenBgpPeer>()
  writes = 0

  list(): readonly SeenBgpPeer[] {
    return [...this.peers.values()]
  }

  writeStatus(name: string, status: BgpPeerStatus): void {
    this.writes++
    const peer = this.peers.get(name)
    if (peer !== undefined) this.peers.set(name, { ...peer, status })
  }
}

type Written = 'table' | 'status' | 'keys'

export class MemoryCluster implements Cluster {
  readonly names: Names = {
    keys: 'the keys',
    keysRemedy: 'make room for them',
    addressPools: 'the address pools changed',
  }
  leaseTransitions: number | null = null
  readonly bgpPeers: MemoryBgpPeers = new MemoryBgpPeers()
  readonly tables = new Map<Key, Stored>()
  readonly statuses = new Map<Key, SipProxyStatus>()
  keysFile: Stored | null = null
  podList: readonly Pod[] = []
  /** Writes and reads of these fail so. */
  readonly failures = new Map<Written, StoreErrorCode>()
  /** Tables are written, but whoever writes hears of a failure. */
  isDeaf = false
  /** How often each was written. */
  readonly writes = { table: 0, status: 0, keys: 0, gate: 0 }
  /** By `NAMESPACE/POD`. */
  readonly gates = new Map<string, PodGate>()
  readonly #sightings = new Map<Key, Sighting>()
  readonly #reports = new Map<string, BalancerReport>()
  readonly #listeners = new Set<(change: Change) => void>()
  #version = 0

  /** Puts an object there, as a person would. */
  apply(key: Key, object: unknown, origin: Origin | null = null): void {
    this.#sightings.set(key, { kind: 'present', object, origin })
    this.emit({ what: 'sipProxy', key })
  }

  spoil(key: Key, why: string): void {
    this.#sightings.set(key, { kind: 'unreadable', why })
    this.emit({ what: 'sipProxy', key })
  }

  remove(key: Key): void {
    this.#sightings.delete(key)
    this.emit({ what: 'sipProxy', key })
  }

  report(report: BalancerReport): void {
    this.#reports.set(report.name, report)
    this.emit({ what: 'balancer', name: report.name })
  }

  /** Somebody else's hand on a table; null removes it. */
  meddle(key: Key, text: string | null): void {
    if (text === null) this.tables.delete(key)
    else this.tables.set(key, { text, version: this.#nextVersion() })
    this.emit({ what: 'table', key })
  }

  /** Replaces all pods; every SipProxy is told. */
  setPods(pods: readonly Pod[]): void {
    this.podList = pods
    for (const key of this.#sightings.keys()) this.emit({ what: 'pods', key })
  }

  unreport(name: string): void {
    this.#reports.delete(name)
    this.emit({ what: 'balancer', name })
  }

  /** Somebody else's hand on the keys; null removes them. */
  meddleWithKeys(text: string | null): void {
    this.keysFile = text === null ? null : { text, version: this.#nextVersion() }
    this.emit({ what: 'keys' })
  }

  /** Nobody is told any more: its process has ended. */
  unwatch(): void {
    this.#listeners.clear()
  }

  emit(change: Change): void {
    for (const listener of this.#listeners) listener(change)
  }

  keys(): ReadonlySet<Key> {
    return new Set([...this.#sightings.keys(), ...this.tables.keys(), ...this.statuses.keys()])
  }

  sighting(key: Key): Sighting {
    return this.#sightings.get(key) ?? { kind: 'absent' }
  }

  /** Of whatever labels: those of the fixture are all meant. */
  pods(_key: Key, selector: LabelSelector | undefined): readonly Pod[] {
    return selector === undefined ? [] : this.podList
  }

  balancers(): readonly BalancerReport[] {
    return [...this.#reports.values()]
  }

  balancer(name: string): BalancerReport | null {
    return this.#reports.get(name) ?? null
  }

  async readTable(key: Key): Promise<Stored | null> {
    return this.tables.get(key) ?? null
  }

  async writeTable(key: Key, text: string, ifVersion: string | null): Promise<string> {
    this.#mayFail('table')
    if ((this.tables.get(key)?.version ?? null) !== ifVersion) {
      throw new StoreError(StoreErrorCode.conflict, `${key} was changed by somebody else`)
    }
    this.writes.table++
    const version = this.#nextVersion()
    this.tables.set(key, { text, version })
    if (this.isDeaf) throw new StoreError(StoreErrorCode.unavailable, 'no answer')
    return version
  }

  async deleteTable(key: Key): Promise<void> {
    this.#mayFail('table')
    this.tables.delete(key)
  }

  async readStatus(key: Key): Promise<SipProxyStatus | null> {
    return this.statuses.get(key) ?? null
  }

  async writeStatus(key: Key, status: SipProxyStatus): Promise<void> {
    this.#mayFail('status')
    this.writes.status++
    this.statuses.set(key, structuredClone(status))
  }

  async deleteStatus(key: Key): Promise<void> {
    this.statuses.delete(key)
  }

  async readKeys(): Promise<Stored | null> {
    return this.keysFile
  }

  async writeKeys(text: string, ifVersion: string | null): Promise<string> {
    this.#mayFail('keys')
    if ((this.keysFile?.version ?? null) !== ifVersion) {
      throw new StoreError(StoreErrorCode.conflict, 'the keys were changed by somebody else')
    }
    this.writes.keys++
    this.keysFile = { text, version: this.#nextVersion() }
    return this.keysFile.version
  }

  setGate(namespace: string, pod: Pod, gate: PodGate): void {
    this.writes.gate++
    this.gates.set(`${namespace}/${pod.name}`, gate)
    this.podList = this.podList.map((one) => (one.uid === pod.uid ? { ...one, gate } : one))
  }

  staleness(): readonly never[] {
    return []
  }

  watch(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #nextVersion(): string {
    return String(++this.#version)
  }

  #mayFail(what: Written): void {
    const code = this.failures.get(what)
    if (code !== undefined) throw new StoreError(code, `cannot write ${what}: ${code}`)
  }
}
