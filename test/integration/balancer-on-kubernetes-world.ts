/**
 * One real balancer against an API server in memory: tables and keys put there by hand, proxies and a phone that are
 * sockets of ours. Not here: what is tested; which faults there are (`@sipcast/lab`). Invariant: `stop` leaves no
 * process, socket or file behind.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BalancedSipProxy,
  type SipBalancerStatus,
  sipBalancerStatusSchema,
} from '@sipcast/crds'
import { paths } from '@sipcast/kube'
import { eventually, FakeApiServer, type Process, startProcess } from '@sipcast/lab'
import { encodeTable, type TableContent } from '@sipcast/mapping'
import type { Announcement } from '../../dataplane/announcement.ts'
import { proofSocketPath } from '../../dataplane/config.ts'
import type { Proof } from '../../dataplane/proof.ts'
import { announce } from '../announcer-word.ts'
import { LoneBalancer, MAIN } from './lone-balancer.ts'

export const NAMESPACE = 'sipcast-system'
export const NAME = 'node-a'
export const TABLE = paths.configMap(NAMESPACE, 'sipcast-table-default.registrars')
export const SIP_BALANCER = paths.sipBalancer(NAME)

export class ClusterBalancer {
  readonly server: FakeApiServer
  /** Its sockets, its table, its files; its directory holds nothing but state. */
  readonly lone: LoneBalancer
  /** On an address of its own: no connection of another program can have the port. */
  readonly #metrics: string

  static async create(): Promise<ClusterBalancer> {
    const cluster = new ClusterBalancer(await FakeApiServer.start(), await LoneBalancer.create())
    await writeFile(cluster.fileOf('kubeconfig'), cluster.server.kubeconfig)
    await cluster.writeKeys(1)
    cluster.publish()
    return cluster
  }

  constructor(server: FakeApiServer, lone: LoneBalancer) {
    this.server = server
    this.lone = lone
    this.#metrics = `${lone.block.next()}:9464`
  }

  /** With the keys' file. */
  async start(): Promise<Process> {
    return await this.#start('--keys', this.fileOf('keys.json'))
  }

  /** With keys from the API server alone. */
  async startWithSecret(): Promise<Process> {
    return await this.#start()
  }

  /** Ready when it says that it has started. */
  async #start(...more: readonly string[]): Promise<Process> {
    const { inside } = this.lone
    const source = ['--kubernetes', '--kubeconfig', this.fileOf('kubeconfig')]
    const words = ['--namespace', NAMESPACE, '--name', NAME, '--inside', inside, '--workers', '1']
    const places = ['--state', this.fileOf('state'), '--metrics', this.#metrics]
    this.lone.process = await startProcess({
      name: NAME,
      command: process.execPath,
      args: [MAIN, ...source, ...words, ...places, ...more],
      ready: async (started) => {
        await eventually('Started', () => started.log.tail(1_000).includes('"Started"'))
      },
    })
    return this.lone.process
  }

  async stop(): Promise<void> {
    await this.lone.stop()
    await this.server.goAway()
  }

  fileOf(name: string): string {
    return join(this.lone.directory.path, name)
  }

  publish(change: Partial<TableContent> = {}): void {
    this.publishText(encodeTable(this.lone.table(change)))
  }

  publishText(text: string, name = 'sipcast-table-default.registrars'): void {
    const metadata = { name, labels: { 'sipcast.io/table': '1' } }
    const data = { 'table.json': text }
    this.server.put(paths.configMap(NAMESPACE, name), { metadata, data })
  }

  async writeKeys(...ids: readonly number[]): Promise<void> {
    await writeFile(this.fileOf('keys.json'), keysDocument(...ids))
  }

  putSecret(...ids: readonly number[]): void {
    const data = { 'keys.json': Buffer.from(keysDocument(...ids)).toString('base64') }
    const metadata = { name: 'sipcast-keys' }
    this.server.put(paths.secret(NAMESPACE, metadata.name), { metadata, data })
  }

  report(): SipBalancerStatus | null {
    const [object] = this.server.objects(paths.sipBalancers())
    return sipBalancerStatusSchema.safeParse(object?.['status']).data ?? null
  }

  /** Says this in the announcer's place; the balancer's proof. */
  async announce(announcement: Announcement): Promise<Proof> {
    return await announce(proofSocketPath(this.fileOf('state')), announcement)
  }

  /** Asks the report until it is so; how long that took. */
  async reported(
    wanted: string,
    isSo: (sipProxy: BalancedSipProxy, report: SipBalancerStatus) => boolean,
  ): Promise<number> {
    return await timed(wanted, () => {
      const report = this.report()
      const sipProxy = report?.sipProxies.find(({ name }) => name === 'registrars')
      return report !== null && sipProxy !== undefined && isSo(sipProxy, report)
    })
  }

  async untilServing(epoch = 1): Promise<number> {
    return await this.reported(`epoch ${epoch} in use, bound`, (sipProxy) => {
      return sipProxy.epoch === epoch && sipProxy.addresses.every(({ state }) => state === 'Bound')
    })
  }

  /** One value of a scrape. */
  async metric(series: string): Promise<number | null> {
    const text = await (await fetch(`http://${this.#metrics}/metrics`)).text()
    const line = text.split('\n').find((one) => one.startsWith(`${series} `))
    return line === undefined ? null : Number(line.slice(series.length + 1))
  }

  /** By the balancer itself, whatever the API server is told. */
  async untilInUse(epoch: number): Promise<number> {
    const series = 'sipcast_balancer_table_epoch{namespace="default",name="registrars"}'
    return await timed(`epoch ${epoch}`, async () => (await this.metric(series)) === epoch)
  }

  said(event: string): number {
    const lines = this.lone.process?.log.lines ?? []
    return lines.filter((line) => line.includes(`"event":"${event}"`)).length
  }
}

/** How long it took, in milliseconds. */
export async function timed(
  wanted: string,
  isSo: () => boolean | Promise<boolean>,
): Promise<number> {
  const startMs = performance.now()
  await eventually(wanted, isSo)
  return performance.now() - startMs
}

function keysDocument(...ids: readonly number[]): string {
  const created = '2026-01-01T00:00:00.000Z'
  const secret = '00112233445566778899aabbccddeeff'
  return JSON.stringify({ keys: ids.map((id) => ({ id, secret, created })) })
}
