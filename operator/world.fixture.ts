/**
 * A world in memory for tests of the operator: one cluster, proxies that do as they are told, a clock moved by hand.
 */
import type { BalancedSipProxy, SipProxyStatus } from '@sipcast/crds'
import { type AssignInput, assign, decodeTable, type Table } from '@sipcast/mapping'
import type { AddressPools } from './address-pools.ts'
import { isoTime } from './iso-time.ts'
import { MemoryClock, memoryRandom } from './io/memory-clock.ts'
import { MemoryCluster } from './io/memory-cluster.ts'
import { MemoryProber } from './io/memory-prober.ts'
import { Operator } from './operator.ts'
import type { Notice, Origin } from './ports.ts'

export interface ProxySpec {
  readonly name: string
  readonly address: string
  readonly port?: number
  readonly weight?: number
  readonly drain?: boolean
}

export const KEY = 'default/voice'
export const A: ProxySpec = { name: 'a', address: '192.0.2.1' }
export const B: ProxySpec = { name: 'b', address: '192.0.2.2' }
export const C: ProxySpec = { name: 'c', address: '192.0.2.3' }
export const D: ProxySpec = { name: 'd', address: '192.0.2.4' }

/** What differs from one process to the next. */
export interface Life {
  readonly leaseTransitions?: number | null
  readonly addressPools?: AddressPools | null
}

export class World {
  readonly clock = new MemoryClock()
  readonly cluster = new MemoryCluster()
  readonly prober = new MemoryProber(this.clock)
  readonly notices: Notice[] = []
  /** Why the process would have ended. */
  readonly deposed: string[] = []
  operator: Operator

  constructor(life: Life = {}) {
    this.operator = this.makeOperator(life)
  }

  /** Another process, which is not started yet. */
  makeOperator({ leaseTransitions = null, addressPools = null }: Life): Operator {
    this.cluster.leaseTransitions = leaseTransitions
    const ports = {
      clock: this.clock,
      random: memoryRandom(this.clock.nowMs()),
      cluster: this.cluster,
      prober: this.prober,
      tell: (notice: Notice) => this.notices.push(notice),
      assignElsewhere: async (input: AssignInput) => assign(input),
      deposed: (why: string) => this.deposed.push(why),
    }
    const operator = new Operator(ports, { addressPools })
    this.prober.listener = (result) => operator.takeResult(result)
    this.operator = operator
    return operator
  }

  async start(): Promise<void> {
    await this.operator.start()
    await this.clock.advance(10)
  }

  /** As after a crash: another process, which knows only what is stored. */
  async restart(life: Life = {}): Promise<void> {
    await this.operator.stop()
    for (const { id } of this.prober.targets) this.prober.dropTarget(id)
    this.makeOperator(life)
    await this.start()
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms)
  }

  /** Applies a SipProxy; what is not said is the default. */
  apply(
    proxies: readonly ProxySpec[],
    more: {
      readonly key?: string
      readonly spec?: Readonly<Record<string, unknown>>
      readonly annotations?: Readonly<Record<string, string>>
      readonly origin?: Origin
    } = {},
  ): void {
    const key = more.key ?? KEY
    const [namespace, name] = key.split('/')
    const object = {
      apiVersion: 'sipcast.io/v1alpha1',
      kind: 'SipProxy',
      metadata: { namespace, name, annotations: more.annotations ?? {} },
      spec: { addresses: ['203.0.113.10'], proxies: { static: proxies }, ...more.spec },
    }
    this.cluster.apply(key, object, more.origin ?? null)
  }

  /** A balancer with a fresh heartbeat that uses the present table. */
  report(name: string, more: Partial<BalancedSipProxy> = {}, acceptedKeyIds = [1]): void {
    const table = this.tableOrNull()
    const entry: BalancedSipProxy = {
      namespace: 'default',
      name: 'voice',
      uid: table?.uid ?? null,
      epoch: table?.epoch ?? null,
      sha256: table?.sha256 ?? null,
      inUseSince: null,
      deadMarks: [],
      unanswered: [],
      announced: [],
      addresses: [{ address: '203.0.113.10', port: 5060, state: 'Bound' }],
      problems: [],
      ...more,
    }
    const heartbeatAt = isoTime(this.clock.nowMs())
    this.cluster.report({
      name,
      status: { heartbeatAt, version: '0', sipProxies: [entry], acceptedKeyIds },
    })
  }

  tableOrNull(key = KEY): Table | null {
    const stored = this.cluster.tables.get(key)
    if (stored === undefined) return null
    const decoded = decodeTable(stored.text)
    if (!decoded.ok) throw new Error(decoded.error.message)
    return decoded.table
  }

  table(key = KEY): Table {
    const table = this.tableOrNull(key)
    if (table === null) throw new Error('there is no table')
    return table
  }

  /** Slots each member owns: `{ a: 2048, b: 2048 }`. */
  slots(key = KEY): Record<string, number> {
    const { members, owners } = this.table(key)
    const counts = Object.fromEntries(members.map(({ id }) => [id, 0]))
    for (const owner of owners) {
      const id = members[owner]?.id
      if (id !== undefined) counts[id] = (counts[id] ?? 0) + 1
    }
    return counts
  }

  /** Owner ids per slot. */
  owners(key = KEY): readonly (string | undefined)[] {
    const { members, owners } = this.table(key)
    return Array.from(owners, (owner) => members[owner]?.id)
  }

  states(key = KEY): Record<string, string> {
    return Object.fromEntries(this.table(key).members.map(({ id, state }) => [id, state]))
  }

  status(key = KEY): SipProxyStatus {
    const status = this.cluster.statuses.get(key)
    if (status === undefined) throw new Error('there is no status')
    return status
  }

  /** `True Serving`, `False InvalidSpec`. */
  condition(type: string, key = KEY): string {
    const found = this.status(key).conditions.find((condition) => condition.type === type)
    return found === undefined ? 'missing' : `${found.status} ${found.reason}`
  }

  message(type: string, key = KEY): string {
    return this.status(key).conditions.find((condition) => condition.type === type)?.message ?? ''
  }

  events(): readonly string[] {
    return this.notices.map(({ event }) => event)
  }
}

/** A world with a SipProxy of these proxies whose first table is out. */
export async function worldWith(
  proxies: readonly ProxySpec[],
  spec: Readonly<Record<string, unknown>> = {},
): Promise<World> {
  const world = new World()
  world.apply(proxies, { spec })
  await world.start()
  await world.pass(1_000)
  return world
}
