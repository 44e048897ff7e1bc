/**
 * The balancer's main thread: the whole story is the body of `#pass`, top to bottom. Events only mark work;
 * one pass reads everything, tells the workers what changed, keeps copies and reports. Not here: packets
 * (`worker.ts`), files, sockets and threads (`io/`). Invariants: nothing outside this process stops service;
 * a failed store is told once and tried again; dead marks reach the workers at once, without a pass.
 */

import { SUSPICION_MS, type Table } from '@sipcast/mapping'
import type { ProbeResult } from '@sipcast/net'
import { settleClaims } from './claims.ts'
import { LastGood } from './last-good.ts'
import type { Moment } from './liveness.ts'
import { MarkLog } from './mark-log.ts'
import { PassLoop } from './pass-loop.ts'
import { type Ports, StoreError, type WorkerEvents } from './ports.ts'
import { problemsOf } from './report.ts'
import { Reporter } from './reporter.ts'
import { ServedPool } from './served-pool.ts'
import { displayName } from './sip-proxy-id.ts'
import { BalancerState } from './state.ts'
import { Store } from './tallies.ts'
import { type Trouble, Troubles } from './troubles.ts'
import type { InsideAddress, SocketReport } from './worker-config.ts'

export interface BalancerOptions {
  readonly name: string
  readonly version: string
  readonly inside: readonly InsideAddress[]
  /** Serve only these addresses; null: all. */
  readonly addresses: readonly string[] | null
}

interface Target {
  readonly pool: ServedPool
  readonly member: string
}

export class Balancer implements WorkerEvents {
  readonly state: BalancerState
  readonly #ports: Ports
  readonly #loop: PassLoop
  readonly #troubles: Troubles
  readonly #lastGood: LastGood
  readonly #reporter: Reporter
  readonly #markLog: MarkLog
  /** What could not be read or written at the last attempt. */
  readonly #failures = new Map<Store, Trouble>()
  /** Of the documents read last, by id. */
  #versions: ReadonlyMap<string, string> = new Map()
  /** What is probed, by the id of its probes. */
  #targets: ReadonlyMap<string, Target> = new Map()

  constructor(options: BalancerOptions, ports: Ports) {
    const { clock, reports: sink } = ports
    this.#ports = ports
    this.state = new BalancerState(options, ports.workers)
    this.#loop = new PassLoop(clock, () => this.#pass())
    this.#troubles = new Troubles(ports.tell)
    this.#lastGood = new LastGood(ports.lastGood, clock)
    this.#reporter = new Reporter({ ...options, clock, sink }, this.state)
    this.#markLog = new MarkLog(ports.tell)
  }

  /** Takes up the last good tables, then follows the published ones. */
  async start(): Promise<void> {
    await this.#attempt(Store.lastGood, () => this.#recall())
    this.#loop.start()
  }

  /** Serves what is under way, then nothing. */
  async stop(): Promise<void> {
    await this.#loop.stop()
    this.#ports.prober.setTargets([])
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
    const { clock, prober } = this.#ports
    this.state.tallies.probed(result)
    const { changed, isNewSuspect } = target.pool.observe(
      target.member,
      result.outcome,
      this.#now(),
    )
    if (changed) this.#loop.mark()
    if (!isNewSuspect) return
    prober.probeNow(result.id)
    clock.after(SUSPICION_MS, () => {
      if (target.pool.elapse(target.member, this.#now()).changed) this.#loop.mark()
    })
  }

  sockets(worker: number, generation: number, sockets: readonly SocketReport[]): void {
    this.state.generations.acknowledge(worker, generation)
    this.state.sockets.report(worker, sockets)
    this.#loop.mark()
  }

  refused(address: string, port: number): void {
    const nowMs = this.#ports.clock.monotonicMs()
    for (const pool of this.state.pools.values()) {
      for (const member of pool.liveness.refused(address, port, nowMs)) {
        this.#ports.prober.probeNow(pool.targetId(member))
      }
    }
  }

  changed(): void {
    this.#loop.mark()
  }

  #now(): Moment {
    const { clock } = this.#ports
    return { ms: clock.monotonicMs(), iso: clock.iso() }
  }

  async #pass(): Promise<void> {
    await this.#attempt(Store.keys, () => this.#readKeys())
    await this.#attempt(Store.tables, () => this.#readTables())
    this.#settleTables()
    this.#tellWorkers()
    this.#noteInUse()
    await this.#attempt(Store.lastGood, () => this.#lastGood.save())
    await this.#attempt(Store.report, () => this.#reporter.report())
    this.#tellPeople()
  }

  async #readKeys(): Promise<boolean> {
    this.state.keys.offer(await this.#ports.keys.readKeys())
    return true
  }

  async #recall(): Promise<boolean> {
    const ids = await this.#ports.lastGood.list()
    await forEach(ids, async (id) => {
      const text = await this.#ports.lastGood.read(id)
      if (text !== undefined) this.#offer(id, text)
    })
    return true
  }

  /** Reads the documents whose version is new; what can't be read now is tried again in the next pass. */
  async #readTables(): Promise<boolean> {
    const listings = await this.#ports.tables.list()
    const known = this.#versions
    const versions = new Map<string, string>()
    this.#versions = versions
    this.state.listed = new Set(listings.map(({ id }) => id))
    await forEach(listings, async ({ id, version }) => {
      if (known.get(id) !== version) {
        const text = await this.#ports.tables.read(id)
        if (text === undefined) return
        this.#offer(id, text)
      }
      versions.set(id, version)
    })
    return true
  }

  #offer(id: string, text: string | null): void {
    const offer = this.state.tables.offer(id, text)
    if (offer.kind === 'refused') this.state.tallies.tableRefused(offer.reason)
  }

  #settleTables(): void {
    const { tables, keys, listed, pools } = this.state
    for (const { id, text } of tables.settle(keys.ids)) this.#lastGood.keep(id, text)
    if (listed !== null) for (const id of tables.forget(listed)) this.#lastGood.forget(id)
    const claims = settleClaims(tables.inUse())
    this.state.lost = claims.lost
    for (const id of pools.keys()) if (!claims.tables.has(id)) pools.delete(id)
    for (const [id, table] of claims.tables) {
      const pool = pools.get(id)
      if (pool === undefined) pools.set(id, new ServedPool(id, table))
      else if (!isSame(pool.table, table)) pool.adopt(table)
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

  #noteInUse(): void {
    const { generations, inUse } = this.state
    const { workers, clock } = this.#ports
    const used = generations.inUse((worker) => workers.isRunning(worker))
    const since = clock.iso()
    const sinceMs = clock.monotonicMs()
    this.state.inUse = new Map(
      [...used].map(([id, table]) => {
        const before = inUse.get(id)
        return [id, before && isSame(before.table, table) ? before : { table, since, sinceMs }]
      }),
    )
    for (const [id, { table }] of this.state.inUse) {
      const before = inUse.get(id)?.table
      if (before !== undefined && isSame(before, table)) continue
      this.#told('TableInUse', id, `epoch ${table.epoch} is in use`, { uid: table.uid })
    }
    for (const id of inUse.keys()) {
      if (!used.has(id)) this.#told('TableOutOfUse', id, 'no longer served', {})
    }
  }

  #told(
    event: string,
    id: string,
    message: string,
    details: Readonly<Record<string, unknown>>,
  ): void {
    const sipProxy = displayName(id)
    this.#ports.tell({ level: 'info', event, message, details: { sipProxy, ...details } })
  }

  #tellPeople(): void {
    const { state } = this
    const about = (subject: string, troubles: readonly Trouble[]) =>
      troubles.map((trouble) => ({ subject, ...trouble }))
    this.#troubles.state([
      ...[...this.#failures].flatMap(([store, failure]) => about(store, [failure])),
      ...about('keys', state.keys.trouble === null ? [] : [state.keys.trouble]),
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

/** The published table, and the addresses that its claims left it. */
function isSame(a: Table, b: Table): boolean {
  return a.uid === b.uid && a.epoch === b.epoch && a.sha256 === b.sha256
}

/** Does all, also after one failed; then fails as the first did. */
async function forEach<Item>(
  items: readonly Item[],
  action: (item: Item) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  for (const item of items) await action(item).catch((failure: unknown) => failures.push(failure))
  if (failures.length > 0) throw failures[0]
}
