/**
 * The Cluster port over the API server: SipProxies, pods and SipBalancers are followed everywhere, tables and keys in
 * the operator's own namespace.
 * Not here: how each is followed (sip-proxies.ts, pod-index.ts, documents.ts), the lease (skin.ts).
 * Invariants: lists answer from memory; a table is written before anything else; nothing is ever removed because
 * the API server could not be asked.
 */
import type { LabelSelector, SipProxyStatus } from '@sipcast/crds'
import { type ApiServer, ListWatch, paths } from '@sipcast/kube'
import { isoTime } from '../../iso-time.ts'
import {
  type BalancerReport,
  type Change,
  type Clock,
  type Cluster,
  type Key,
  type Names,
  type Pod,
  type PodGate,
  type Random,
  type Sighting,
  type Staleness,
  StoreError,
  StoreErrorCode,
  type Stored,
  type Subject,
  type Tell,
} from '../../ports.ts'
import { storeCodeOf } from './api-store-error.ts'
import { sameStatus } from '../../status.ts'
import { KubernetesBgpPeers } from './bgp-peers.ts'
import { BalancerReports } from './balancer-reports.ts'
import { Documents } from './documents.ts'
import { Outbox } from './outbox.ts'
import { type KeptPod, keptPod } from './pod.ts'
import { PodIndex } from './pod-index.ts'
import { SipProxies } from './sip-proxies.ts'
import { gateDocument, statusDocument } from './status-document.ts'
import { Watching } from './watching.ts'
import { WriteRank, WriteRate } from './write-rate.ts'

const KEYS_SECRET = 'sipcast-keys'
const KEYS_FIELD = 'keys.json'
const TABLE_FIELD = 'table.json'
const TABLE_PREFIX = 'sipcast-table-'
const TABLE_LABEL = 'sipcast.io/table'
const MANAGER = 'sipcast-operator'
const GATE_MANAGER = 'sipcast-operator-readiness'

export interface KubernetesClusterOptions {
  readonly api: ApiServer
  /** Where tables and keys live. */
  readonly namespace: string
  readonly clock: Clock
  readonly random: Random
  readonly tell: Tell
  /** Whether nobody else can be writing now. */
  readonly mayWrite: () => boolean
  /** A write that no pass waits for has failed. */
  readonly onFailure: (what: 'statusWrite' | 'gateWrite', code: StoreErrorCode) => void
}

export class KubernetesCluster implements Cluster {
  readonly names: Names
  leaseTransitions: number | null = null
  readonly rate: WriteRate
  readonly bgpPeers: KubernetesBgpPeers
  readonly #options: KubernetesClusterOptions
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #outbox: Outbox
  readonly #sipProxies: SipProxies
  readonly #pods: PodIndex
  readonly #tables: Documents
  readonly #keys: Documents
  readonly #balancers: BalancerReports
  /** Of tables alone, so that a standby knows them when it begins to lead. */
  readonly #tablesWatching: Watching
  readonly #watching: Watching
  /** Of BgpPeers: nothing waits for them. */
  readonly #peersWatching: Watching
  /** Not written yet. */
  readonly #statuses = new Map<Key, SipProxyStatus>()

  constructor(options: KubernetesClusterOptions) {
    this.#options = options
    const { api, clock, tell, random, namespace, mayWrite } = options
    this.names = namesIn(namespace)
    this.rate = new WriteRate(clock)
    this.#outbox = new Outbox({
      clock,
      random,
      tell,
      rate: this.rate,
      mayWrite,
      onFailure: (error, rank) =>
        options.onFailure(
          rank === WriteRank.gate ? 'gateWrite' : 'statusWrite',
          storeCodeOf(error),
        ),
    })
    const watchingOptions = { clock, random, tell, onRecovery: () => this.retry() }
    this.#watching = new Watching(watchingOptions)
    this.#tablesWatching = new Watching(watchingOptions)
    this.#peersWatching = new Watching(watchingOptions)
    const watched = { api, watching: this.#watching }
    this.#tables = this.#followTables()
    this.#keys = this.#followKeys()
    this.#pods = this.#followPods()
    this.#sipProxies = new SipProxies({
      ...watched,
      onChange: (key) => this.#emit({ what: 'sipProxy', key }),
      onStatus: (key, status) => {
        // What we are writing, brought by the watch before the answer.
        if (status !== null && sameStatus(this.#statuses.get(key) ?? null, status)) return
        this.#statuses.delete(key)
        this.#emit({ what: 'status', key })
      },
      onGone: (key) => {
        this.#statuses.delete(key)
        this.#pods.deselect(key)
      },
    })
    this.#balancers = new BalancerReports({
      ...watched,
      tell,
      onChange: (name) => this.#emit({ what: 'balancer', name }),
    })
    this.bgpPeers = new KubernetesBgpPeers({
      api,
      watching: this.#peersWatching,
      outbox: this.#outbox,
      fieldManager: MANAGER,
      onChange: () => this.#emit({ what: 'bgpPeers' }),
    })
  }

  /** Resolves when the tables are known. */
  async startStandby(): Promise<void> {
    await this.#tablesWatching.start()
  }

  /** The highest number of lease transitions that any table has; −1 if there is none. */
  leaseTransitionsMet(): number {
    let highest = -1
    for (const { text } of this.#tables.texts()) {
      const met = /"leaseTransitions":\s*([0-9]{1,15})\b/.exec(text)
      highest = Math.max(highest, Number(met?.[1] ?? -1))
    }
    return highest
  }

  /** Resolves when everything has been listed. */
  async start(leaseTransitions: number): Promise<void> {
    this.leaseTransitions = leaseTransitions
    void this.#peersWatching.start()
    await this.#watching.start()
  }

  /** Resolves when what was to be written has been, or has failed. */
  async stop(): Promise<void> {
    this.#tablesWatching.stop()
    this.#watching.stop()
    this.#peersWatching.stop()
    await this.#outbox.stop()
  }

  /** Everything that failed is tried now. */
  retry(): void {
    this.#outbox.retryNow()
    this.#emit({ what: 'recovery' })
  }

  staleness(): readonly Staleness[] {
    const watchings = [this.#watching, this.#tablesWatching, this.#peersWatching]
    return watchings.flatMap((watching) => watching.staleness())
  }

  /** Of a SipProxy by its key, or of another object. Null: there is none. */
  uidOf(subject: Key | Subject): string | null {
    if (typeof subject === 'string') return this.#sipProxies.uidOf(subject)
    const objects = subject.kind === 'BgpPeer' ? this.bgpPeers : this.#balancers
    return objects.uidOf(subject.name)
  }

  keys(): ReadonlySet<Key> {
    return new Set([...this.#sipProxies.keys(), ...[...this.#tables.names()].flatMap(keyOfTable)])
  }

  sighting(key: Key): Sighting {
    return this.#sipProxies.sighting(key)
  }

  pods(key: Key, selector: LabelSelector | undefined): readonly Pod[] {
    if (selector !== undefined) return this.#pods.select(key, selector)
    this.#pods.deselect(key)
    return []
  }

  balancers(): readonly BalancerReport[] {
    return this.#balancers.all()
  }

  balancer(name: string): BalancerReport | null {
    return this.#balancers.get(name)
  }

  async readTable(key: Key): Promise<Stored | null> {
    return await this.#tables.read(tableName(key))
  }

  async writeTable(key: Key, text: string, ifVersion: string | null): Promise<string> {
    await this.#mayWrite()
    return await this.#tables.write(tableName(key), text, ifVersion)
  }

  async deleteTable(key: Key): Promise<void> {
    await this.#mayWrite()
    await this.#tables.delete(tableName(key))
  }

  async readStatus(key: Key): Promise<SipProxyStatus | null> {
    return this.#statuses.get(key) ?? this.#sipProxies.status(key)
  }

  async writeStatus(key: Key, status: SipProxyStatus): Promise<void> {
    this.#statuses.set(key, status)
    this.#outbox.put({
      id: `status ${key}`,
      rank: WriteRank.status,
      name: `status of ${key}`,
      key,
      write: () => this.#applyStatus(key, status),
    })
  }

  async deleteStatus(key: Key): Promise<void> {
    // It is a part of the object, and goes with it.
    this.#statuses.delete(key)
  }

  async readKeys(): Promise<Stored | null> {
    return await this.#keys.read(KEYS_SECRET)
  }

  async writeKeys(text: string, ifVersion: string | null): Promise<string> {
    await this.#mayWrite()
    return await this.#keys.write(KEYS_SECRET, text, ifVersion)
  }

  setGate(namespace: string, pod: Pod, gate: PodGate): void {
    const { clock } = this.#options
    const now = isoTime(clock.nowMs()).replace(/\.[0-9]+Z$/, 'Z')
    const since = this.#pods.noteGate(namespace, pod, gate, now)
    if (since === null) return
    this.#outbox.put({
      id: `gate ${pod.uid}`,
      rank: WriteRank.gate,
      name: `readiness of pod ${namespace}/${pod.name}`,
      key: null,
      write: () => this.#applyGate(namespace, pod, gate, since),
    })
  }

  watch(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #mayWrite(): Promise<void> {
    await this.rate.token(WriteRank.table)
    if (this.#options.mayWrite()) return
    throw new StoreError(StoreErrorCode.unavailable, 'the lease may be lost')
  }

  async #applyStatus(key: Key, status: SipProxyStatus): Promise<void> {
    const uid = this.#sipProxies.uidOf(key)
    if (uid === null) return
    const { api } = this.#options
    const [namespace = '', name = ''] = key.split('/')
    const path = paths.sipProxyStatus(namespace, name)
    const document = statusDocument({ namespace, name, uid }, status)
    const written = await api.apply(path, document, { fieldManager: MANAGER, force: true })
    this.#sipProxies.noteWritten(key, written)
    if (this.#statuses.get(key) === status) this.#statuses.delete(key)
  }

  async #applyGate(namespace: string, pod: Pod, gate: PodGate, since: string): Promise<void> {
    const document = gateDocument(namespace, pod, gate, since)
    const path = paths.podStatus(namespace, pod.name)
    await this.#options.api.apply(path, document, { fieldManager: GATE_MANAGER, force: true })
  }

  #followTables(): Documents {
    const { api, namespace } = this.#options
    return new Documents({
      api,
      watching: this.#tablesWatching,
      kind: 'ConfigMap',
      namespace,
      labels: { [TABLE_LABEL]: '1' },
      labelSelector: `${TABLE_LABEL}=1`,
      field: TABLE_FIELD,
      collectionPath: paths.configMaps(namespace),
      pathOf: (name) => paths.configMap(namespace, name),
      onChange: (name) => {
        for (const key of keyOfTable(name)) this.#emit({ what: 'table', key })
      },
    })
  }

  #followKeys(): Documents {
    const { api, namespace } = this.#options
    return new Documents({
      api,
      watching: this.#watching,
      kind: 'Secret',
      namespace,
      labels: {},
      // By its name alone, so that permission for that one name is enough.
      fieldSelector: `metadata.name=${KEYS_SECRET}`,
      field: KEYS_FIELD,
      collectionPath: paths.secrets(namespace),
      pathOf: (name) => paths.secret(namespace, name),
      onChange: () => this.#emit({ what: 'keys' }),
    })
  }

  #followPods(): PodIndex {
    const { api } = this.#options
    const index = new PodIndex((key) => this.#emit({ what: 'pods', key }))
    const path = paths.pods()
    const watch = new ListWatch<KeptPod | null>({
      api,
      path,
      take: keptPod,
      onChange: (id, pod) => {
        const [namespace = '', name = ''] = id.split('/')
        index.put(namespace, name, pod)
      },
      ...this.#watching.optionsFor(path),
    })
    this.#watching.add(path, watch)
    return index
  }

  #emit(change: Change): void {
    for (const listener of this.#listeners) listener(change)
  }
}

function namesIn(namespace: string): Names {
  return {
    keys: `Secret ${namespace}/${KEYS_SECRET}`,
    keysRemedy: `let the operator's service account get, create and update it`,
    addressPools: `it added to the chart's value addressPools (the operator's --address-pools)`,
  }
}

function tableName(key: Key): string {
  return `${TABLE_PREFIX}${key.replace('/', '.')}`
}

/** Namespaces have no dots. */
function keyOfTable(name: string): readonly Key[] {
  const match = /^sipcast-table-([^.]+)\.(.+)$/.exec(name)
  return match === null ? [] : [`${match[1]}/${match[2]}`]
}
