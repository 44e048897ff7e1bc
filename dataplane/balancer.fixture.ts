/**
 * The world of a balancer's main thread in memory, for tests: a store that can be broken, workers that obey
 * at once or when told to, a prober that waits for its results, a clock moved by hand. Not here: tests.
 * Invariant: everything behind the ports is here, everything in front of them is the production code.
 */

import { type SipBalancerStatus, sipBalancerStatusSchema } from '@sipcast/crds'
import { encodeTable, type Table } from '@sipcast/mapping'
import { ManualClock, type ProbeResult, type ProbeTarget } from '@sipcast/net'
import { Balancer, type BalancerOptions } from './balancer.ts'
import { Counters } from './counters.ts'
import { KEY_ID, table } from './forward.fixture.ts'
import { GATHER_MS, RESCAN_MS } from './limits.ts'
import { type Clock, type Notice, type Staleness, StoreError, StoreErrorCode } from './ports.ts'
import type { Orders } from './proof.ts'
import type { Trouble } from './troubles.ts'
import { type SocketReport, SocketState, type WorkerConfig } from './worker-config.ts'

export const ID = 'default.registrars'
const START_MS = Date.parse('2026-01-01T12:00:00.000Z')

export function keysDocument(...ids: readonly number[]): string {
  const created = '2026-01-01T00:00:00.000Z'
  return JSON.stringify({
    keys: ids.map((id) => ({ id, secret: id.toString(16).padStart(32, '0'), created })),
  })
}

export class World {
  readonly time = new ManualClock()
  /** Published documents by id. */
  readonly documents = new Map<string, string>()
  keysText: string | null = keysDocument(KEY_ID)
  readonly copies = new Map<string, string>()
  readonly reports: SipBalancerStatus[] = []
  readonly notices: Notice[] = []
  /** What fails now: any of the words in `attempt`. */
  readonly broken = new Set<string>()
  /** How often each was tried. */
  readonly attempts = new Map<string, number>()
  readonly configs: WorkerConfig[][] = [[], []]
  readonly stopped = new Set<number>()
  obey = true
  /** What workers say of sockets that are not bound. */
  socketState: Partial<SocketReport> = {}
  /** The same of one port. */
  readonly socketStates = new Map<string, Partial<SocketReport>>()
  insideState: Partial<SocketReport> = {}
  /** Datagrams that each worker serves at an address; told with the next acknowledgement. */
  readonly served = new Map<string, number>()
  isStopped = false
  stale: Staleness | null = null
  /** Nothing was heard of the tables yet. */
  isUnknown = false
  /** What people do to the report. */
  readonly orders = {
    isGone: false,
    isMaintenanceWanted: false as boolean | null,
    trouble: () => this.wishTrouble,
  }
  /** What the cluster wants of the announcer. */
  wishes: Orders | null = null
  wishTrouble: Trouble | null = null
  /** Reports are written when it opens. */
  reportGate: Promise<void> = Promise.resolve()
  /** How often memory was to be released. */
  released = 0
  targets: readonly ProbeTarget[] = []
  readonly probedNow: string[] = []
  /** What the balancer tests of itself, and whether it gets an answer at once. */
  ownTargets: readonly ProbeTarget[] = []
  answersItself = true
  readonly counters = [new Counters(), new Counters()]
  readonly balancer: Balancer
  /** Versions of documents, by their texts. */
  readonly #versions = new Map<string, number>()

  constructor(options: Partial<Pick<BalancerOptions, 'inside' | 'addresses' | 'drainMs'>> = {}) {
    const inside = [
      { address: '10.0.9.1', port: 5070 },
      { address: '2001:db8:9::1', port: 5070 },
    ]
    this.balancer = new Balancer(
      { name: 'node-a', version: '1.2.3', addresses: null, inside, drainMs: 0, ...options },
      this.#ports(),
    )
  }

  publish(change: Partial<Table> = {}, id: string = ID): void {
    this.documents.set(id, encodeTable(table({ name: id.slice(id.indexOf('.') + 1), ...change })))
  }

  async start(): Promise<void> {
    await this.balancer.start()
    await this.pass(GATHER_MS)
    await this.pass(GATHER_MS)
  }

  /** Lets the next pass happen, and what follows from it. */
  async pass(ms: number = RESCAN_MS): Promise<void> {
    this.time.advance(ms)
    // Everything in memory is done within one turn of the event loop; a pass has a handful of waits.
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }

  get report(): SipBalancerStatus {
    return this.reports.at(-1)!
  }

  get sipProxy(): SipBalancerStatus['sipProxies'][number] {
    return this.report.sipProxies[0]!
  }

  /** Events told since the last call. */
  events(): readonly string[] {
    return this.notices.splice(0).map((notice) => notice.event)
  }

  probed(member: string, outcome: ProbeResult['outcome']): void {
    const rttMs = outcome === 'accepted' ? 12 : null
    const id = `${ID}/${member}`
    this.balancer.probed({ id, outcome, statusCode: null, rttMs, retryAfterSeconds: null })
  }

  /** A test of all our own addresses ends. */
  selfTested(outcome: ProbeResult['outcome']): void {
    for (const { id } of this.ownTargets) {
      const nothing = { statusCode: null, rttMs: null, retryAfterSeconds: null }
      this.balancer.selfTested({ id, outcome, ...nothing })
    }
  }

  /** Worker `index` acknowledges its newest config. */
  acknowledge(index: number): void {
    const config = this.configs[index]!.at(-1)!
    this.balancer.sockets(index, config.generation, this.#socketsOf(config))
  }

  #ports(): ConstructorParameters<typeof Balancer>[1] {
    return {
      clock: this.#clock(),
      tables: {
        staleness: () => this.stale,
        list: async () => {
          this.#attempt('tables')
          if (this.isUnknown) return null
          return [...this.documents].map(([id, text]) => ({ id, version: this.#versionOf(text) }))
        },
        read: async (id) => {
          this.#attempt(`table ${id}`)
          return this.documents.get(id)
        },
      },
      keys: {
        readKeys: async () => {
          this.#attempt('keys')
          return this.keysText
        },
      },
      orders: { orders: () => this.wishes, trouble: () => this.wishTrouble },
      lastGood: {
        list: async () => [...this.copies.keys()],
        read: async (id) => this.copies.get(id),
        save: async (id, text) => {
          this.#attempt('last-good')
          this.copies.set(id, text)
        },
        remove: async (id) => {
          this.#attempt('last-good')
          this.copies.delete(id)
        },
      },
      reports: Object.assign(this.orders, { write: this.#report.bind(this) }),
      workers: {
        count: 2,
        counters: this.counters,
        restarts: 0,
        configure: (index, config) => {
          this.configs[index]!.push(config)
          if (this.obey) this.time.setTimer(0, () => this.acknowledge(index))
        },
        isRunning: (index) => !this.stopped.has(index),
        stop: async () => {
          this.isStopped = true
        },
      },
      prober: {
        setTargets: (targets) => {
          this.targets = targets
        },
        probeNow: (id) => {
          this.probedNow.push(id)
        },
      },
      selfTester: {
        setTargets: (targets) => {
          this.ownTargets = targets
          if (this.answersItself) setImmediate(() => this.selfTested('accepted'))
        },
        probeNow: () => undefined,
      },
      tell: (notice) => this.notices.push(notice),
      releaseMemory: () => this.released++,
    }
  }

  async #report(report: SipBalancerStatus): Promise<void> {
    this.#attempt('report')
    await this.reportGate
    this.reports.push(sipBalancerStatusSchema.parse(report))
  }

  #clock(): Clock {
    return {
      monotonicMs: () => this.time.nowMs(),
      iso: () => new Date(START_MS + this.time.nowMs()).toISOString(),
      after: (delayMs, callback) => this.time.setTimer(delayMs, callback),
    }
  }

  #socketsOf({ pools, inside, addresses }: WorkerConfig): SocketReport[] {
    const fine = { state: SocketState.bound, message: '', kernelDrops: 0 }
    const outside = pools.flatMap(({ table: { addresses: all, port } }) =>
      all
        .filter((address) => addresses?.includes(address) ?? true)
        .map((address) => ({ role: 'outside' as const, address, port })),
    )
    return [
      ...outside.map((socket) => ({
        ...fine,
        ...socket,
        ...this.socketState,
        ...this.socketStates.get(String(socket.port)),
        served: this.served.get(socket.address) ?? 0,
      })),
      ...inside.map((socket) => ({
        ...fine,
        ...socket,
        ...this.insideState,
        served: 0,
        role: 'inside' as const,
      })),
    ]
  }

  #attempt(what: string): void {
    this.attempts.set(what, (this.attempts.get(what) ?? 0) + 1)
    if (this.broken.has(what)) throw new StoreError(StoreErrorCode.denied, `${what}: EROFS`)
  }

  #versionOf(text: string): string {
    const version = this.#versions.get(text) ?? this.#versions.size
    this.#versions.set(text, version)
    return String(version)
  }
}
