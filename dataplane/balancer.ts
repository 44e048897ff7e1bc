/**
 * The balancer's main thread: the whole story is the body of `#pass`, top to bottom. Events only mark work;
 * one pass reads everything, tells the workers what changed, keeps copies and reports. Not here: packets
 * (`worker.ts`), files, sockets and threads (`io/`). Invariants: nothing outside this process stops service;
 * a failed store is told once and tried again; dead marks reach the workers at once, without a pass.
 */

import { SUSPICION_MS } from '@sipcast/mapping'
import type { ProbeResult } from '@sipcast/net'
import { type Announcement, heard } from './announcement.ts'
import { settleClaims } from './claims.ts'
import { isSameTable, noteInUse } from './in-use.ts'
import { LastOrders } from './last-orders.ts'
import type { Moment } from './liveness.ts'
import { ANNOUNCEMENT_FRESH_MS, PASS_GAP_MAX_MS } from './limits.ts'
import { MarkLog } from './mark-log.ts'
import { PassLoop } from './pass-loop.ts'
import { type Ports, StoreError, type WorkerEvents } from './ports.ts'
import { type Proof, Prover } from './proof.ts'
import { announcerTroubles, insideTroubles, problemsOf } from './report.ts'
import { Reporter } from './reporter.ts'
import { ServedPool } from './served-pool.ts'
import { displayName } from './sip-proxy-id.ts'
import { Standstill } from './standstill.ts'
import { BalancerState } from './state.ts'
import { TableFeed } from './table-feed.ts'
import { Store } from './tallies.ts'
import { type Trouble, Troubles } from './troubles.ts'
import type { InsideAddress, SocketReport } from './worker-config.ts'

export interface BalancerOptions {
  readonly name: string
  readonly version: string
  readonly inside: readonly InsideAddress[]
  /** Serve only these addresses; null: all. */
  readonly addresses: readonly string[] | null
  /** How long it serves on when it is told to end. */
  readonly drainMs: number
}

interface Target {
  readonly pool: ServedPool
  readonly member: string
}

export class Balancer implements WorkerEvents {
  readonly state: BalancerState
  readonly #ports: Ports
  readonly #drainMs: number
  readonly #loop: PassLoop
  readonly #troubles: Troubles
  readonly #feed: TableFeed
  readonly #lastOrders: LastOrders
  readonly #reporter: Reporter
  readonly #prover: Prover
  readonly #silence = new Standstill(PASS_GAP_MAX_MS)
  readonly #markLog: MarkLog
  /** Of maintenance, by a directory. */
  #isAnnouncerTold = false
  /** What could not be read or written at the last attempt. */
  readonly #failures = new Map<Store, Trouble>()
  /** What is probed, by the id of its probes. */
  #targets: ReadonlyMap<string, Target> = new Map()

  constructor(options: BalancerOptions, ports: Ports) {
    const { clock, reports: sink, tables: source, lastGood, releaseMemory } = ports
    this.#ports = ports
    this.#drainMs = options.drainMs
    this.state = new BalancerState(options, ports.workers)
    this.#loop = new PassLoop(clock, () => this.#pass())
    this.#troubles = new Troubles(ports.tell)
    this.#feed = new TableFeed({ source, lastGood, clock, releaseMemory }, this.state)
    this.#lastOrders = new LastOrders(lastGood, clock)
    this.#reporter = new Reporter({ ...options, clock, sink }, this.state)
    this.#prover = new Prover(options.name, this.state)
    this.#markLog = new MarkLog(ports.tell)
  }

  /** Takes up the last good tables, then follows the published ones. */
  async start(): Promise<void> {
    await this.#attempt(Store.keys, () => this.#readKeys())
    await this.#attempt(Store.lastGood, () => this.#lastOrders.recall())
    this.#takeOrders()
    await this.#attempt(Store.lastGood, () => this.#feed.recall())
    this.#tellPeople()
    this.#loop.start()
  }

  /** Not ready from now on, but serves until those who send packets here have learnt of it; then nothing. */
  async stop(): Promise<void> {
    this.state.isStopping = true
    this.#loop.mark()
    await this.#drain()
    await this.#loop.stop()
    this.#ports.prober.setTargets([])
    this.#ports.selfTester.setTargets([])
    await this.#ports.workers.stop()
    await this.#attempt(Store.report, () => this.#reporter.farewell())
    this.#tellPeople()
  }

  /** Tables or keys may have changed. */
  sourceChanged(): void {
    this.#loop.mark()
  }

  probed(result: ProbeResult): void {
    const target = this.#targets.get(result.id)
    if (target === undefined) return
    this.state.tallies.probed(result)
    const { changed, isNewSuspect } = target.pool.observe(
      target.member,
      result.outcome,
      this.#now(),
    )
    if (changed) this.#loop.mark()
    if (isNewSuspect) this.#suspect(target)
  }

  /** Asked at once; without an answer in time it is down. */
  #suspect({ pool, member }: Target): void {
    const { clock, prober } = this.#ports
    prober.probeNow(pool.targetId(member))
    clock.after(SUSPICION_MS, () => {
      if (pool.elapse(member, this.#now()).changed) this.#loop.mark()
    })
  }

  sockets(worker: number, generation: number, sockets: readonly SocketReport[]): void {
    const isNew = this.state.generations.acknowledge(worker, generation)
    const isOther = this.state.sockets.report(worker, sockets)
    // Counts alone are news once a second, and nothing to do.
    if (isNew || isOther) this.#loop.mark()
  }

  refused(address: string, port: number): void {
    const nowMs = this.#ports.clock.monotonicMs()
    for (const pool of this.state.pools.values()) {
      for (const member of pool.liveness.refused(address, port, nowMs)) {
        this.#suspect({ pool, member })
      }
    }
  }

  changed(): void {
    this.#loop.mark()
  }

  /** Of a test of our own addresses. */
  selfTested(result: ProbeResult): void {
    this.state.tallies.selfTested(result)
    if (this.state.selfTest.observe(result)) this.#loop.mark()
  }

  prove(): Proof {
    this.state.proof = this.#prover.prove(this.#now())
    return this.state.proof
  }

  /** The announcer beside us says how it fares. */
  announced(announcement: Announcement): void {
    const { state } = this
    const { text: before, isInMaintenance } = state.announcement ?? {}
    state.announcement = heard(announcement)
    state.announcements++
    const isOther = state.announcement.text !== before || state.isAnnouncerSilent
    state.isAnnouncerSilent = false
    if (announcement.isInMaintenance !== isInMaintenance) this.#takeOrders()
    if (isOther) this.#loop.mark()
  }

  async #drain(): Promise<void> {
    if (this.#drainMs === 0) return
    await new Promise<void>((resolve) => this.#ports.clock.after(this.#drainMs, resolve))
  }

  #now(): Moment {
    const { clock } = this.#ports
    return { ms: clock.monotonicMs(), iso: clock.iso() }
  }

  async #pass(): Promise<void> {
    this.#takeOrders()
    this.#listenForAnnouncer()
    await this.#attempt(Store.keys, () => this.#readKeys())
    await this.#attempt(Store.tables, () => this.#feed.read())
    this.#feed.settle()
    this.#serve()
    this.#tellWorkers()
    noteInUse(this.state, this.#now(), this.#ports.tell)
    this.#testOwn()
    await this.#attempt(Store.lastGood, () => this.#keepCopies())
    await this.#attempt(Store.report, () => this.#reporter.report())
    this.#tellPeople()
  }

  /** Of a person: through the cluster, or through the directory that the announcer reads. */
  #takeOrders(): void {
    const { reports, orders } = this.#ports
    const { state } = this
    const wanted = this.#lastOrders.take({
      orders: orders.orders(),
      isInMaintenance: reports.isMaintenanceWanted,
    })
    state.orders = wanted.orders
    // One that has not read its directory yet says nothing of it.
    this.#isAnnouncerTold = state.announcement?.isInMaintenance ?? this.#isAnnouncerTold
    state.isInMaintenance = this.#isAnnouncerTold || wanted.isInMaintenance
    state.ordersTrouble = orders.trouble() ?? reports.trouble()
  }

  async #keepCopies(): Promise<boolean> {
    const areTablesKept = await this.#feed.keepCopies()
    return (await this.#lastOrders.keep()) && areTablesKept
  }

  #listenForAnnouncer(): void {
    const { state } = this
    const silentMs = this.#silence.look(state.announcements, this.#now().ms)
    state.isAnnouncerSilent = state.announcements > 0 && silentMs > ANNOUNCEMENT_FRESH_MS
  }

  async #readKeys(): Promise<boolean> {
    const text = await this.#ports.keys.readKeys()
    if (text !== undefined) this.state.keys.offer(text)
    return text !== undefined
  }

  /** Tables in use become pools; what another SipProxy has a better claim to is left to it. */
  #serve(): void {
    const { pools } = this.state
    const claims = settleClaims(this.state.tables.inUse(), this.state.listed)
    this.state.lost = claims.lost
    for (const id of pools.keys()) if (!claims.tables.has(id)) pools.delete(id)
    for (const [id, table] of claims.tables) {
      const pool = pools.get(id)
      if (pool === undefined) pools.set(id, new ServedPool(id, table))
      else if (!isSameTable(pool.table, table)) pool.adopt(table)
    }
  }

  #tellWorkers(): void {
    const { generations, keys, pools, tallies } = this.state
    const { workers, prober } = this.#ports
    if (!generations.next([...pools.values()], keys.current)) return
    for (let index = 0; index < workers.count; index++) {
      workers.configure(index, generations.configOf(index))
    }
    const targets = [...pools.values()].flatMap((pool) =>
      pool.table.members.map(({ id: member }): [string, Target] => [
        pool.targetId(member),
        { pool, member },
      ]),
    )
    this.#targets = new Map(targets)
    tallies.keepTargets(new Set(this.#targets.keys()))
    prober.setTargets([...pools.values()].flatMap((pool) => pool.probeTargets()))
  }

  /** A new address is tested at once: it waits for that to be announced. */
  #testOwn(): void {
    const { selfTester } = this.#ports
    const targets = this.state.selfTest.aim(this.state.sockets.merged())
    if (targets === null) return
    selfTester.setTargets(targets)
    for (const { id } of targets) selfTester.probeNow(id)
  }

  #tellPeople(): void {
    const { state } = this
    const about = (subject: string, troubles: readonly Trouble[]) =>
      troubles.map((trouble) => ({ subject, ...trouble }))
    this.#troubles.state([
      ...[...this.#failures].flatMap(([store, failure]) => about(store, [failure])),
      ...about('keys', state.keys.trouble === null ? [] : [state.keys.trouble]),
      ...about('inside', insideTroubles(state)),
      ...about('announcer', announcerTroubles(state)),
      ...about('orders', state.ordersTrouble === null ? [] : [state.ordersTrouble]),
      ...state.tables.ids.flatMap((id) => about(displayName(id), problemsOf(state, id))),
    ])
    this.#markLog.note(state.pools)
  }

  /**
   * Runs what may fail for reasons outside this process: told once, counted each time, tried again by a later pass.
   * @param action resolves to false where it is too early to try again
   */
  async #attempt(store: Store, action: () => Promise<boolean>): Promise<void> {
    try {
      if (await action()) this.#failures.delete(store)
    } catch (error) {
      // Anything but the world's refusal is a defect of ours and must be seen.
      if (!(error instanceof StoreError)) throw error
      this.state.tallies.storeFailed(store)
      this.#failures.set(store, { reason: 'StoreFailed', message: error.message })
    }
  }
}
