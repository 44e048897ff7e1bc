/**
 * The example's pool as a watcher of the API sees it, from `start` on: tables as they are published, what balancers use
 * of them, the status, the pods. Not here: phones, and what real packets do (route-watch.ts).
 * Invariant: nothing that the API server told of is missing; times are performance.now().
 */
import type { SipBalancerStatus, SipProxyStatus } from '@sipcast/crds'
import { type ApiObject, paths } from '@sipcast/kube'
import { EXAMPLE, eventually, NAMESPACE, type Pod } from '@sipcast/lab'
import { decodeTable, type Table } from '@sipcast/mapping'
import { ownerIn } from '../integration/system.ts'
import { sharesOf, TableLog } from '../integration/table-log.ts'
import type { Cluster } from './cluster.ts'
import { type Moment, Timeline } from './timeline.ts'

export type TableUse = SipBalancerStatus['sipProxies'][number]

const SIP_PROXY = `${EXAMPLE.namespace}/${EXAMPLE.sipProxy}`
const TABLE = `${NAMESPACE}/sipcast-table-${EXAMPLE.namespace}.${EXAMPLE.sipProxy}`
const PATIENCE_MS = 120_000

export class PoolWatch {
  readonly tables = new TableLog()
  readonly cluster: Cluster
  #statuses!: Timeline<SipProxyStatus>
  #uses!: Timeline<TableUse | null>
  #pods!: Timeline<Pod>
  #configMaps!: Timeline<Table | null>

  static async start(cluster: Cluster): Promise<PoolWatch> {
    const watch = new PoolWatch(cluster)
    const { kubeconfig = '' } = cluster.kubectl
    const pods = paths.pods(EXAMPLE.namespace)
    const sipProxies = paths.sipProxies(EXAMPLE.namespace)
    watch.#statuses = await Timeline.of(kubeconfig, sipProxies, statusOf<SipProxyStatus>)
    watch.#uses = await Timeline.of(kubeconfig, paths.sipBalancers(), useOf)
    watch.#pods = await Timeline.of(kubeconfig, pods, (object) => object as unknown as Pod)
    const note = ({ id, value, atMs }: Moment<Table | null>) => {
      if (id === TABLE && value !== null) watch.tables.note(value, atMs)
    }
    const configMaps = paths.configMaps(NAMESPACE)
    watch.#configMaps = await Timeline.of(kubeconfig, configMaps, tableOf, note)
    return watch
  }

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  get status(): SipProxyStatus {
    const status = this.#statuses.latest(SIP_PROXY)
    if (status === null) throw new Error(`${SIP_PROXY} is gone`)
    return status
  }

  /** All that it said from this time on. */
  statusesSince(sinceMs: number): readonly SipProxyStatus[] {
    return this.#statuses.moments.flatMap(({ atMs, id, value }) =>
      id === SIP_PROXY && atMs >= sinceMs && value !== null ? [value] : [],
    )
  }

  pod(name: string): Pod | null {
    return this.#pods.latest(`${EXAMPLE.namespace}/${name}`)
  }

  /** Names of those that there are, in order. */
  get podNames(): string[] {
    return [...this.#pods.present.values()].map(({ metadata }) => metadata.name).toSorted()
  }

  /** What this pod went through from this time on. */
  podSince(name: string, sinceMs: number): readonly (Pod | null)[] {
    return this.#pods.moments
      .filter(({ atMs, id }) => id === `${EXAMPLE.namespace}/${name}` && atMs >= sinceMs)
      .map(({ value }) => value)
  }

  /** What each balancer uses, by its name. */
  get uses(): ReadonlyMap<string, TableUse> {
    const uses = [...this.#uses.present].filter(([, use]) => use !== null)
    return new Map(uses as [string, TableUse][])
  }

  get shares(): Record<string, number> {
    return sharesOf(this.tables.latest)
  }

  /** So many users of this proxy's, by the table as it is: `PREFIX-0`, …, without those of others. */
  usersOf(proxy: string, count: number, prefix = 'user'): string[] {
    const table = this.tables.latest
    if (!table.members.some(({ name }) => name === proxy)) throw new Error(`no member ${proxy}`)
    const users: string[] = []
    for (let number = 0; users.length < count; number++) {
      const user = `${prefix}-${number}`
      if (ownerIn(table, user) === proxy) users.push(user)
    }
    return users
  }

  /** Waits for this table or a later one on all of them; when the last had taken it up, by its own words. */
  async untilInUse({ epoch }: Table, balancers = [...this.uses.keys()]): Promise<number> {
    const uses = await this.until(`epoch ${epoch} in use`, () => {
      const all = balancers.map((name) => this.uses.get(name))
      return all.every((use) => (use?.epoch ?? 0) >= epoch) && (all as TableUse[])
    })
    const times = uses.map(({ inUseSince }) => Date.parse(inUseSince ?? ''))
    return Math.max(...times) - performance.timeOrigin
  }

  async untilStatus(
    wanted: string,
    isSo: (status: SipProxyStatus) => boolean,
  ): Promise<SipProxyStatus> {
    return await this.until(wanted, () => isSo(this.status) && this.status)
  }

  /** These own all slots, in equal parts; every balancer knows it and holds nobody dead. */
  async untilShared(proxies: readonly string[]): Promise<void> {
    await this.until(`slots shared by ${proxies.join(', ')}`, () => {
      const shares = Object.entries(this.shares).filter(([, share]) => share > 0)
      const even = this.tables.latest.slots / proxies.length
      const isEven = shares.every(([, share]) => Math.abs(share - even) < 1)
      return (
        isEven &&
        shares
          .map(([name]) => name)
          .toSorted()
          .join() === proxies.join()
      )
    })
    await this.untilInUse(this.tables.latest)
    await this.until('no dead marks', () =>
      [...this.uses.values()].every(({ deadMarks }) => deadMarks.length === 0),
    )
    const whole = `${proxies.length}/${proxies.length}`
    await this.untilStatus('all take users', ({ summary }) => summary.proxies === whole)
  }

  /** @throws with the status, the uses and the pods as they are, where it does not come so */
  async until<T>(wanted: string, ask: () => T | null | false): Promise<T> {
    return await eventually(wanted, ask, PATIENCE_MS).catch((cause: unknown) => {
      throw new Error(`${wanted}: not so\n${this.#describe()}`, { cause })
    })
  }

  stop(): void {
    for (const one of [this.#statuses, this.#uses, this.#pods, this.#configMaps]) one?.stop()
  }

  #describe(): string {
    const pods = [...this.#pods.present.values()].map(
      ({ metadata, spec, status }) =>
        `${metadata.name} on ${spec.nodeName}: ${status.phase} ${JSON.stringify(status.conditions)}`,
    )
    const told = [this.status, this.shares, Object.fromEntries(this.uses)]
    return [...told.map((one) => JSON.stringify(one)), ...pods].join('\n')
  }
}

function statusOf<Status>(object: ApiObject): Status {
  return object['status'] as Status
}

function useOf(object: ApiObject): TableUse | null {
  // One that has just ended, or begun, says nothing.
  const { sipProxies = [] } = statusOf<Partial<SipBalancerStatus> | undefined>(object) ?? {}
  return sipProxies.find(({ namespace, name }) => `${namespace}/${name}` === SIP_PROXY) ?? null
}

/** Null: it is no table of ours. */
function tableOf({ metadata, ...fields }: ApiObject): Table | null {
  if (`${metadata.namespace}/${metadata.name}` !== TABLE) return null
  const { 'table.json': text = '' } = fields['data'] as Record<string, string>
  const decoded = decodeTable(text)
  if (!decoded.ok) throw new Error(`the table in ${TABLE}: ${JSON.stringify(decoded)}`)
  return decoded.table
}
