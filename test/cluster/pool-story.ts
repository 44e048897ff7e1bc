/**
 * A story about the example's pool under traffic, told in steps: phones register and call all the time, and after each
 * step no call may have failed but those that the design excuses (excuses.ts). Not here: what happens in the steps.
 * Invariant: `end` leaves the example as its manifests have it.
 */
import {
  applyExample,
  byOutcome,
  type Call,
  conditionOf,
  isFailed,
  Load,
  type LoadOptions,
} from '@sipcast/lab'
import type { Table } from '@sipcast/mapping'
import { expect } from 'vitest'
import { Excuses } from '../integration/excuses.ts'
import { movesBetween, sharesOf } from '../integration/table-log.ts'
import { Cluster } from './cluster.ts'
import { PROXIES, patchSipProxy, QUICK_HAND_BACK } from './example-pool.ts'
import { type Failover, failover } from './failover.ts'
import { Figures, ms, seconds } from './figures.ts'
import { PoolWatch } from './pool-watch.ts'
import { type Cells, untilTold } from './told.ts'

const USERS_PER_PROXY = 3
const GATE = 'sipcast.io/options'

export class PoolStory {
  readonly cluster: Cluster
  readonly pool: PoolWatch
  readonly load: Load
  readonly excuses: Excuses
  readonly figures: Figures
  #stepBeganMs = 0

  static async begin(title: string, options: LoadOptions = {}): Promise<PoolStory> {
    const cluster = await Cluster.take()
    await applyExample(cluster.kubectl)
    await patchSipProxy(cluster, { mapping: { handBack: QUICK_HAND_BACK } })
    const pool = await PoolWatch.start(cluster)
    await pool.untilShared(PROXIES)
    const users = PROXIES.flatMap((proxy) => pool.usersOf(proxy, USERS_PER_PROXY))
    return new PoolStory(title, pool, await Load.start(cluster, users, options))
  }

  constructor(title: string, pool: PoolWatch, load: Load) {
    this.cluster = pool.cluster
    this.pool = pool
    this.load = load
    this.excuses = new Excuses(load, pool.tables)
    this.figures = new Figures(title)
  }

  beginStep(): void {
    this.#stepBeganMs = performance.now()
  }

  /** No call of this step failed without excuse. */
  endStep(name: string): void {
    const took = seconds(performance.now() - this.#stepBeganMs)
    this.figures.note(`${name} (${took}): calls ${JSON.stringify(byOutcome(this.#callsOfStep()))}`)
    this.expectExcused()
  }

  expectExcused(): void {
    const failed = this.#callsOfStep().filter(isFailed)
    expect(failed.filter((call) => !this.excuses.isExcused(call))).toEqual([])
  }

  async end(): Promise<void> {
    await this.load.stop()
    this.pool.stop()
    await patchSipProxy(this.cluster, { mapping: { handBack: null } })
    await this.cluster.close()
    this.figures.print()
  }

  /** Fails over, and exactly its slots have moved, with one table. */
  async failsOver(proxy: string, how: string, fail: () => Promise<number>): Promise<Failover> {
    this.excuses.troubled(proxy)
    const result = await failover(this.pool, proxy, fail)
    const { before, after, avoidedMs, publishedMs, inUseMs } = result
    const { moved } = movesBetween(before, after)
    this.figures.note(
      `  ${how} → avoided ${ms(avoidedMs)}, table published ${ms(publishedMs)}, in use ${ms(inUseMs)}; ${moved} slots moved`,
    )
    expectOnlyFrom(proxy, before, after)
    expect(sharesOf(after)[proxy] ?? 0).toBe(0)
    expect(after.epoch).toBe(before.epoch + 1)
    expectBalanced(
      after,
      Object.keys(sharesOf(before)).filter((name) => name !== proxy),
    )
    return result
  }

  /** It has its share again, and nobody else gained. */
  async returns(proxy: string): Promise<void> {
    const before = this.pool.tables.latest
    await this.pool.untilShared(PROXIES)
    this.excuses.well(proxy)
    expectOnlyTo(proxy, before, this.pool.tables.latest)
    await this.expectRow({ PROXIES: '3/3', REASON: 'Serving' })
    await this.expectReached()
  }

  /** Once all have registered anew, all can be called. */
  async expectReached(): Promise<void> {
    await this.load.untilRegistered(performance.now())
    expect(await this.load.unreachable()).toEqual([])
  }

  /** What kubectl prints of pool and balancers is so; it serves, whatever it lacks. */
  async expectRow(cells: Cells): Promise<void> {
    await untilTold(this.pool, { BALANCERS: '2/2', ...cells })
  }

  /** The pod's readiness gate, which follows SIP, and the pod's Ready, which follows the gate. */
  async untilGate(proxy: string, status: 'True' | 'False'): Promise<void> {
    await this.pool.until(`${proxy}: gate and Ready ${status}`, () => {
      const conditions = this.pool.pod(proxy)?.status.conditions
      return [GATE, 'Ready'].every((type) => conditionOf(conditions, type) === status)
    })
  }

  #callsOfStep(): readonly Call[] {
    return this.load.calls.filter(({ endedMs }) => endedMs >= this.#stepBeganMs)
  }
}

/** Whatever moved was this one's, and now it has nothing, or what it keeps. */
function expectOnlyFrom(proxy: string, before: Table, after: Table): void {
  const { moved, members } = movesBetween(before, after)
  expect(moved).toBe(members.find(({ id }) => id === proxy)!.lost)
  expect(moved).toBe(sharesOf(before)[proxy]! - (sharesOf(after)[proxy] ?? 0))
}

export function expectOnlyTo(proxy: string, before: Table, after: Table): void {
  const { moved, members } = movesBetween(before, after)
  expect(moved).toBe(members.find(({ id }) => id === proxy)!.gained)
  expect(moved).toBe(sharesOf(after)[proxy]! - (sharesOf(before)[proxy] ?? 0))
}

export function expectBalanced(table: Table, names: readonly string[]): void {
  const shares = Object.entries(sharesOf(table)).filter(([, share]) => share > 0)
  expect(shares.map(([name]) => name).toSorted()).toEqual([...names].toSorted())
  for (const [, share] of shares) {
    expect(Math.abs(share - table.slots / names.length)).toBeLessThan(1)
  }
}
