/**
 * The operator as one living thing: takes changes from its ports, keeps one Pool per SipProxy, and runs passes over
 * them. Knows no skin.
 * Not here: the pass (reconcile.ts); the process (main.ts).
 * Invariants: events only mark work; every table is read before any SipProxy may claim an address; whatever a pass
 * throws, the others go on.
 */
import type { ProbeResult } from '@sipcast/net'
import type { AddressPools } from './address-pools.ts'
import { admit, claim } from './admission.ts'
import { announceNews } from './announce-news.ts'
import { Balancers } from './balancers.ts'
import { BgpPeers } from './bgp-peers.ts'
import { Claims } from './claims.ts'
import type { Context } from './context.ts'
import { KeyKeeper } from './key-keeper.ts'
import { HOUSEKEEPING_PERIOD_MS, RESYNC_PERIOD_MS, STRAYS_AT_ONCE_MAX } from './limits.ts'
import { makeMetrics, type Metrics, type PoolSample } from './metrics.ts'
import { makePool, type Pool } from './pool.ts'
import type { BalancerReport, Change, Key, Ports } from './ports.ts'
import { Probes } from './probes.ts'
import { type PassEnd, Queue } from './queue.ts'
import { Readiness } from './readiness.ts'
import { readTable, reconcile } from './reconcile.ts'

export interface OperatorOptions {
  /** Null: every address may be used. */
  readonly addressPools?: AddressPools | null
}

export class Operator {
  readonly metrics: Metrics
  readonly #ports: Ports
  readonly #pools = new Map<Key, Pool>()
  readonly #balancers = new Balancers()
  readonly #probes: Probes
  readonly #queue: Queue
  readonly #keeper: KeyKeeper
  readonly #bgpPeers: BgpPeers
  readonly #context: Context
  /** Keys with news that have not been looked at yet. */
  #news = new Set<Key>()
  #isTakingNews = false
  #unwatch: (() => void) | null = null
  #cancelHousekeeping: (() => void) | null = null
  #housekeptMs: number
  #isReady = false

  constructor(ports: Ports, { addressPools = null }: OperatorOptions = {}) {
    const { clock, random, tell, prober } = ports
    this.#ports = ports
    this.#housekeptMs = clock.monotonicMs()
    this.metrics = makeMetrics({
      pools: () => this.#samples(),
      queueDepth: () => this.#queue.depth,
      freshBalancers: () => this.#balancers.acceptedKeyIds().length,
      staleness: () => ports.cluster.staleness(),
    })
    this.#probes = new Probes({
      prober,
      clock,
      tell,
      onNews: (key) => this.#queue.mark(key),
      onResult: (result) => this.#count(result),
    })
    this.#queue = new Queue({ clock, random, run: (key) => this.#run(key) })
    this.#keeper = new KeyKeeper({
      ports,
      balancers: this.#balancers,
      metrics: this.metrics,
      namedByTables: () => this.#namedKeys(),
      onSigningKey: () => this.#markAll(),
    })
    this.#bgpPeers = new BgpPeers({
      store: ports.cluster.bgpPeers,
      balancers: this.#balancers,
      clock,
      tell,
    })
    this.#context = {
      ports,
      claims: new Claims(),
      balancers: this.#balancers,
      probes: this.#probes,
      readiness: new Readiness(),
      addressPools,
      metrics: this.metrics,
      signingKey: () => this.#keeper.signingKey,
      mark: (keys) => this.#markEach(keys),
      forget: (key) => this.#pools.delete(key),
    }
  }

  /** Reads what there is, then lives by changes. */
  async start(): Promise<void> {
    const { cluster } = this.#ports
    this.metrics.leader.set(1)
    this.#housekeptMs = this.#ports.clock.monotonicMs()
    for (const report of cluster.balancers()) this.#takeReport(report.name, report)
    this.#unwatch = cluster.watch((change) => this.#take(change))
    await this.#enlist([...cluster.keys()])
    await this.#keeper.step()
    this.#isReady = true
    this.#markAll()
    this.#keepHouseLater()
  }

  /** Resolves when no pass is under way. */
  async stop(): Promise<void> {
    this.#isReady = false
    this.metrics.leader.set(0)
    this.#unwatch?.()
    this.#cancelHousekeeping?.()
    this.#bgpPeers.stop()
    await this.#queue.stop()
  }

  /** What became of a probe. */
  takeResult(result: ProbeResult): void {
    this.#probes.take(result)
  }

  /** Null = alive. */
  healthProblem(): string | null {
    if (!this.#isReady) return null
    const idleMs = this.#ports.clock.monotonicMs() - this.#housekeptMs
    return idleMs > 6 * HOUSEKEEPING_PERIOD_MS ? `stuck for ${Math.round(idleMs)} ms` : null
  }

  /** Null = everything has been read, and passes run. */
  readinessProblem(): string | null {
    return this.#isReady ? null : 'not everything has been read yet'
  }

  #take(change: Change): void {
    switch (change.what) {
      case 'balancer':
        this.#takeReport(change.name, this.#ports.cluster.balancer(change.name))
        return
      case 'keys':
        void this.#keeper.step()
        return
      case 'bgpPeers':
        this.#bgpPeers.mark()
        return
      case 'status': {
        const pool = this.#pools.get(change.key)
        if (pool !== undefined) pool.isStatusKnown = false
        this.#noteNews([change.key])
        return
      }
      case 'pods':
        this.#markEach([change.key])
        return
      case 'recovery':
        void this.#keeper.step()
        this.#markEach(this.#failingKeys())
        return
      case 'sipProxy':
      case 'table':
        this.#noteNews([change.key])
    }
  }

  /** Changes that come together are looked at together, so that who is first does not depend on their order. */
  #noteNews(keys: readonly Key[]): void {
    for (const key of keys) this.#news.add(key)
    if (this.#isTakingNews) return
    this.#isTakingNews = true
    this.#ports.clock.after(0, () => void this.#takeNews())
  }

  async #takeNews(): Promise<void> {
    while (this.#news.size > 0) {
      const keys = [...this.#news]
      this.#news = new Set()
      await this.#enlist(keys)
      for (const key of keys) this.#queue.mark(key)
    }
    this.#isTakingNews = false
  }

  /** All have said what they have and want before any of them has a pass. */
  async #enlist(keys: readonly Key[]): Promise<void> {
    const nowMs = this.#ports.clock.nowMs()
    const added: Pool[] = []
    for (const key of keys) {
      if (this.#pools.has(key)) continue
      const pool = makePool(key, nowMs)
      this.#pools.set(key, pool)
      added.push(pool)
    }
    await Promise.all(added.map((pool) => readTable(pool, this.#context)))
    for (const pool of added) claim(pool, null, this.#context)
    for (const key of keys.toSorted()) this.#admit(key, nowMs)
  }

  #admit(key: Key, nowMs: number): void {
    const pool = this.#pools.get(key)
    const sighting = this.#ports.cluster.sighting(key)
    if (pool === undefined || !pool.isRecovered || sighting.kind === 'absent') return
    if (pool.removedSinceMs === null) admit(pool, sighting, this.#context, nowMs)
  }

  async #run(key: Key): Promise<PassEnd> {
    const { clock, random, tell } = this.#ports
    const beganMs = clock.monotonicMs()
    const pool = this.#pools.get(key) ?? makePool(key, clock.nowMs())
    this.#pools.set(key, pool)
    try {
      const end = await reconcile(pool, this.#context)
      if (!this.#pools.has(key)) return DONE
      // Not all at the same time.
      const resyncMs = RESYNC_PERIOD_MS * (0.75 + random.fraction() / 2)
      return { ...end, againMs: Math.min(end.againMs ?? resyncMs, resyncMs) }
    } catch (cause) {
      // A bug that one object brings out must not take the service of the others along: it is told, counted and tried
      // again.
      const message = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
      tell({ level: 'error', event: 'PassFailed', key, message })
      this.metrics.passes.inc({ outcome: 'failed' })
      return { failed: true, againMs: null }
    } finally {
      this.metrics.passSeconds.observe((clock.monotonicMs() - beganMs) / 1000)
    }
  }

  #takeReport(name: string, report: BalancerReport | null): void {
    if (report !== null) {
      const last = this.#balancers.lastReport(name)
      for (const notice of announceNews(last, report)) this.#ports.tell(notice)
    }
    this.#bgpPeers.mark()
    const { keys, doubted } = this.#balancers.update(name, report, this.#ports.clock.nowMs())
    for (const { key, id } of doubted) this.#probes.probeNow(key, id)
    this.#markEach(keys)
  }

  #markEach(keys: readonly Key[]): void {
    for (const key of keys) {
      if (this.#pools.has(key)) this.#queue.mark(key)
    }
  }

  #markAll(): void {
    for (const key of this.#pools.keys()) this.#queue.markPatient(key)
  }

  #failingKeys(): readonly Key[] {
    return [...this.#pools.values()]
      .filter(({ failing, isRecovered }) => failing.size > 0 || !isRecovered)
      .map(({ key }) => key)
  }

  /** What balancers serve although there is neither a SipProxy nor a table of it any more. */
  #strays(): readonly Key[] {
    const served = [...this.#balancers.keysWithoutTable()]
    return served.filter((key) => !this.#pools.has(key)).slice(0, STRAYS_AT_ONCE_MAX)
  }

  #keepHouseLater(): void {
    this.#cancelHousekeeping = this.#ports.clock.after(HOUSEKEEPING_PERIOD_MS, () => {
      this.#housekeptMs = this.#ports.clock.monotonicMs()
      this.#markEach(this.#balancers.age(this.#ports.clock.nowMs()))
      this.#noteNews(this.#strays())
      void this.#keeper.step()
      this.#bgpPeers.mark()
      this.#keepHouseLater()
    })
  }

  #count({ outcome, rttMs }: ProbeResult): void {
    this.metrics.probes.inc({ outcome })
    if (rttMs !== null) this.metrics.probeRtt.observe(rttMs / 1000)
  }

  #namedKeys(): ReadonlySet<number> {
    const ids = new Set<number>()
    for (const { table } of this.#pools.values()) {
      if (table !== null) ids.add(table.signingKey)
    }
    return ids
  }

  #samples(): readonly PoolSample[] {
    return [...this.#pools.values()].map(({ namespace, name, key, table, status }) => ({
      namespace,
      name,
      epoch: table?.epoch ?? 0,
      slots: table?.slots ?? 0,
      conditions: (status?.conditions ?? [])
        .filter((condition) => condition.status === 'True')
        .map(({ type }) => type),
      proxies: (status?.proxies ?? []).map(({ name: proxy, state, slots }) => ({
        proxy,
        state,
        slots,
        rttMs: this.#probes.of(key, proxy)?.rttMs ?? null,
      })),
    }))
  }
}

const DONE: PassEnd = { failed: false, againMs: null }
