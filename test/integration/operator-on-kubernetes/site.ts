/**
 * A cluster without nodes: the fake API server, operators as whole as a process has them but for sockets, and proxies
 * that answer probes as they are told.
 * Not here: what is expected. Invariant: every operator that was started is stopped at the end.
 */
import type { SipProxyStatus } from '@sipcast/crds'
import { type ApiObject, ApiServer, paths } from '@sipcast/kube'
import { FakeApiServer } from '@sipcast/lab'
import { assign, decodeTable, type Table } from '@sipcast/mapping'
import { expect, vi } from 'vitest'
import { type AddressPool, AddressPools } from '../../../operator/address-pools.ts'
import { KubernetesSkin } from '../../../operator/io/kubernetes/skin.ts'
import { type Behaviour, MemoryProber } from '../../../operator/io/memory-prober.ts'
import { systemClock, systemRandom } from '../../../operator/io/system-clock.ts'
import { Operator } from '../../../operator/operator.ts'
import type { Key, Notice } from '../../../operator/ports.ts'

export const NAMESPACE = 'sipcast-system'
const LEASE = 'sipcast-operator'

/** One process. */
export interface Replica {
  readonly skin: KubernetesSkin
  readonly operator: Operator
  readonly notices: Notice[]
  /** Why it ended itself, first reason first. */
  readonly deposed: string[]
  /** Resolves when it leads and serves. */
  readonly started: Promise<void>
  stop(): Promise<void>
}

export interface PodWish {
  readonly name: string
  /** Null: it has none yet. */
  readonly address: string | null
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly isReady?: boolean
  readonly hasGate?: boolean
}

export class Site {
  readonly server: FakeApiServer
  readonly api: ApiServer
  readonly behaviours = new Map<string, Behaviour>()
  readonly #replicas: Replica[] = []

  static async open(): Promise<Site> {
    return new Site(await FakeApiServer.start())
  }

  private constructor(server: FakeApiServer) {
    this.server = server
    this.api = new ApiServer({ access: server.access })
  }

  async close(): Promise<void> {
    this.server.faults.clear()
    for (const replica of this.#replicas) await replica.stop()
    this.api.close()
    await this.server.goAway()
  }

  /** A replica that contends for the lease; it ends itself when it must. */
  contend(pools: readonly AddressPool[] = [{ cidr: '203.0.113.0/24' }]): Replica {
    const notices: Notice[] = []
    const deposed: string[] = []
    const place = {
      kind: 'kubernetes',
      kubeconfig: null,
      namespace: NAMESPACE,
      lease: LEASE,
      identity: null,
      addressPools: null,
    } as const
    const end = (why: string) => {
      deposed.push(why)
      void stop()
    }
    const skin = new KubernetesSkin(place, this.server.access, new AddressPools(pools), {
      tell: (notice) => notices.push(notice),
      deposed: end,
      process: `replica-${this.#replicas.length}`,
    })
    const operator = this.#operatorOf(skin, end)
    const stopping = new AbortController()
    const started = (async () => {
      await skin.start(stopping.signal, operator.metrics)
      await operator.start()
    })()
    // Whoever waits for it hears of it; nobody has to.
    started.catch(() => undefined)
    let stopped: Promise<void> | null = null
    const stop = () => {
      stopping.abort()
      stopped ??= operator.stop().then(() => skin.stop())
      return stopped
    }
    const replica = { skin, operator, notices, deposed, started, stop }
    this.#replicas.push(replica)
    return replica
  }

  async lead(pools?: readonly AddressPool[]): Promise<Replica> {
    const replica = this.contend(pools)
    await replica.started
    return replica
  }

  #operatorOf(skin: KubernetesSkin, deposed: (why: string) => void): Operator {
    const prober = new MemoryProber(systemClock)
    for (const [address, behaviour] of this.behaviours) prober.behaviours.set(address, behaviour)
    const ports = {
      clock: systemClock,
      random: systemRandom,
      cluster: skin.cluster,
      prober: Object.assign(prober, { behaviours: this.behaviours }),
      tell: skin.tell,
      deposed,
      assignElsewhere: async (input: Parameters<typeof assign>[0]) => assign(input),
    }
    const operator = new Operator(ports, { addressPools: skin.addressPools })
    prober.listener = (result) => operator.takeResult(result)
    return operator
  }

  async apply(key: Key, spec: object, annotations: Readonly<Record<string, string>> = {}) {
    const [namespace = '', name = ''] = key.split('/')
    const object = {
      apiVersion: 'sipcast.io/v1alpha1',
      kind: 'SipProxy',
      metadata: { namespace, name, annotations },
      spec,
    }
    await this.api.apply(paths.sipProxy(namespace, name), object, { fieldManager: 'kubectl' })
  }

  async remove(key: Key): Promise<void> {
    const [namespace = '', name = ''] = key.split('/')
    await this.api.delete(paths.sipProxy(namespace, name))
  }

  /** A pod as kubelet would have it. */
  putPod(wish: PodWish): void {
    const { name, address, namespace = 'default', isReady = true, hasGate = false } = wish
    const gates = hasGate ? [{ conditionType: 'sipcast.io/options' }] : []
    const condition = { type: 'ContainersReady', status: isReady ? 'True' : 'False' }
    this.server.put(paths.pod(namespace, name), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: wish.labels ?? { app: 'sip' } },
      spec: { readinessGates: gates },
      status: {
        phase: address === null ? 'Pending' : 'Running',
        ...(address === null ? {} : { podIP: address, podIPs: [{ ip: address }] }),
        conditions: [condition],
      },
    })
  }

  /** As a balancer would, with a fresh heartbeat. */
  report(name: string, sipProxies: readonly object[]): void {
    const heartbeatAt = new Date().toISOString()
    const status = { heartbeatAt, version: '1', sipProxies, acceptedKeyIds: [1] }
    this.server.put(paths.sipBalancer(name), { metadata: { name }, status })
  }

  async deletePod(name: string): Promise<void> {
    await this.api.delete(paths.pod('default', name))
  }

  async configMap(key: Key): Promise<ApiObject | null> {
    return await this.api.get(paths.configMap(NAMESPACE, tableName(key)))
  }

  async editTable(key: Key, text: string): Promise<void> {
    await this.api.patch(paths.configMap(NAMESPACE, tableName(key)), {
      data: { 'table.json': text },
    })
  }

  async deleteTable(key: Key): Promise<void> {
    await this.api.delete(paths.configMap(NAMESPACE, tableName(key)))
  }

  async tableOrNull(key: Key): Promise<Table | null> {
    const text = await this.tableText(key)
    const decoded = text === null ? null : decodeTable(text)
    return decoded?.ok === true ? decoded.table : null
  }

  async tableText(key: Key): Promise<string | null> {
    const object = await this.configMap(key)
    const data = (object?.['data'] ?? {}) as Record<string, string>
    return data['table.json'] ?? null
  }

  async table(key: Key): Promise<Table> {
    const table = await this.tableOrNull(key)
    if (table === null) throw new Error(`${key} has no table`)
    return table
  }

  /** Owner ids per slot. */
  async owners(key: Key): Promise<readonly (string | undefined)[]> {
    const { members, owners } = await this.table(key)
    return Array.from(owners, (owner) => members[owner]?.id)
  }

  /** Who owns any slot. */
  async owning(key: Key): Promise<readonly string[]> {
    return [...new Set(await this.owners(key))].map(String).toSorted()
  }

  async status(key: Key): Promise<SipProxyStatus | null> {
    const [namespace = '', name = ''] = key.split('/')
    const object = await this.api.get(paths.sipProxy(namespace, name))
    return (object?.['status'] as SipProxyStatus | undefined) ?? null
  }

  /** `True Accepted`. */
  async condition(key: Key, type: string): Promise<string> {
    const found = (await this.status(key))?.conditions.find((one) => one.type === type)
    return found === undefined ? 'missing' : `${found.status} ${found.reason}`
  }

  /** Of our gate on a pod: `True Answers`. */
  async gate(name: string): Promise<string> {
    const pod = await this.api.get(paths.pod('default', name))
    const { conditions = [] } = (pod?.['status'] ?? {}) as {
      conditions?: { type: string; status: string; reason: string }[]
    }
    const found = conditions.find(({ type }) => type === 'sipcast.io/options')
    return found === undefined ? 'missing' : `${found.status} ${found.reason}`
  }

  /** Another process takes the lease, whatever its holder thinks. */
  async takeLeaseAway(): Promise<void> {
    await this.api.patch(paths.lease(NAMESPACE, LEASE), { spec: { holderIdentity: '' } })
  }

  /** Requests that write, since `seen` was emptied. */
  writes(resource: string): number {
    const reading = new Set(['get', 'list', 'watch'])
    return this.server.seen.filter((one) => one.resource === resource && !reading.has(one.verb))
      .length
  }
}

export function tableName(key: Key): string {
  return `sipcast-table-${key.replace('/', '.')}`
}

/** Tries until it holds. */
export async function until(check: () => void | Promise<void>, timeoutMs = 5_000): Promise<void> {
  await vi.waitFor(check, { timeout: timeoutMs, interval: 20 })
}

/** Until owners are these. */
export async function untilOwning(
  site: Site,
  key: Key,
  ids: readonly string[],
  timeoutMs?: number,
) {
  await until(async () => expect(await site.owning(key)).toEqual(ids), timeoutMs)
}
