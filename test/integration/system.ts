/**
 * The whole system for integration tests: operator, balancers, registrars and phones on a small internet of network
 * namespaces, where every datagram to the shared address goes to a balancer at random. Not here: what is tested.
 * Invariant: `stop` leaves no process, namespace or file behind.
 */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { SipProxyStatus } from '@sipcast/crds'
import {
  type Endpoint,
  eventually,
  LabDirectory,
  type ManifestSpec,
  type Node,
  newPoolSecrets,
  openGateway,
  type Part,
  Phone,
  type PhoneOptions,
  type PoolSecrets,
  passwordOf,
  Registrar,
  type RegistrarKind,
  SHARED_IPV4,
  SHARED_IPV6,
  startBalancer,
  startOperator,
  Topology,
  untilServing,
} from '@sipcast/lab'
import { SlotHash, slotOf, type Table } from '@sipcast/mapping'
import type { WatchedRoute } from './route-watch.ts'
import { SmallDisk } from './small-disk.ts'

export const DOMAIN = 'sipcast.test'
export const SIP_PROXY = 'registrars'
const METRICS_PORT = 9100
const OPERATOR_METRICS_PORT = 9101

export interface SystemOptions {
  readonly kind: RegistrarKind
  readonly balancers?: number
  readonly registrars?: number
  /** How many of them are in the manifest; all by default. */
  readonly inManifest?: number
  readonly homes?: number
  /** Merged over the spec. */
  readonly spec?: ManifestSpec
  readonly edge?: ManifestSpec
  readonly forwards?: Readonly<Record<string, string>>
  /** The registrars answer to the Via where it names the shared address. */
  readonly replyToShared?: boolean
  readonly pingIntervalSeconds?: number
  /** The directory is on a disk of its own, of this size. */
  readonly diskKib?: number
}

/** `weight` and `drain` are added where a test wants them. */
export interface StaticEntry {
  readonly name: string
  readonly address: string
  readonly port: number
}

export class System {
  readonly topology: Topology
  readonly directory: LabDirectory
  readonly secrets: PoolSecrets
  disk: SmallDisk | null = null
  readonly phones: Phone[] = []
  operator!: Part
  gateway!: Phone
  registrars: Registrar[] = []
  balancers: Part[] = []
  readonly #options: SystemOptions

  static async start(options: SystemOptions): Promise<System> {
    const { balancers = 2, registrars = 2, homes = 2 } = options
    const topology = await Topology.create({ balancers, registrars, homes })
    const system = new System(topology, await LabDirectory.create(), options)
    try {
      await system.#launch()
      return system
    } catch (error) {
      const said = system.#parts().map((part) => part.process.describe('said'))
      await system.stop()
      throw new Error(`the system did not start\n${said.join('\n')}`, { cause: error })
    }
  }

  constructor(topology: Topology, directory: LabDirectory, options: SystemOptions) {
    this.topology = topology
    this.directory = directory
    this.secrets = newPoolSecrets(DOMAIN)
    this.#options = options
  }

  /** The shared address of an IP version. */
  shared(version: 'ipv4' | 'ipv6' = 'ipv4'): Endpoint {
    return { address: version === 'ipv4' ? SHARED_IPV4 : SHARED_IPV6, port: 5060 }
  }

  /** By each balancer, from its own node: the router would draw one at random. */
  get routes(): WatchedRoute {
    const places = this.topology.balancers.map(({ ipv4, namespace }) => ({
      address: ipv4,
      namespace,
    }))
    return { places, target: this.shared(), domain: DOMAIN }
  }

  /** A phone in a home, behind that home's NAT; not registered yet. */
  async phone(
    user: string,
    where: { home?: number; version?: 'ipv4' | 'ipv6' } & Partial<PhoneOptions> = {},
  ): Promise<Phone> {
    const {
      home = this.phones.length % this.topology.homes.length,
      version = 'ipv4',
      ...more
    } = where
    const node = this.topology.homes[home]!
    const phone = await Phone.open({
      user,
      password: passwordOf(user, this.secrets),
      domain: DOMAIN,
      address: node[version],
      namespace: node.namespace,
      targets: [this.shared(version)],
      ...more,
    })
    this.phones.push(phone)
    return phone
  }

  /** A phone that is registered. */
  async registered(user: string, where: Parameters<System['phone']>[1] = {}): Promise<Phone> {
    const phone = await this.phone(user, where)
    const { status } = await phone.register()
    if (status !== 200)
      throw new Error(`${user} could not register: ${status}\n${phone.log.toString()}`)
    return phone
  }

  async table(): Promise<Table> {
    return await eventually('a table', () => this.directory.table(SIP_PROXY))
  }

  /** Name of the registrar that owns a user by the table. */
  async ownerOf(user: string): Promise<string> {
    return ownerIn(await this.table(), user)!
  }

  /** A user of this registrar's, by the table: `user-0`, `user-1`, …, the `skip`-th of them. */
  async userOf(registrar: string, skip = 0): Promise<string> {
    let found = 0
    for (let number = 0; ; number++) {
      if ((await this.ownerOf(`user-${number}`)) === registrar && found++ === skip) {
        return `user-${number}`
      }
    }
  }

  /** All balancers use the newest table. */
  async untilServing(): Promise<void> {
    await untilServing(
      this.directory,
      SIP_PROXY,
      this.balancers.map(({ name }) => name),
    )
  }

  /** The registrars as static entries of a spec, the first so many of them. */
  entries(count: number = this.topology.registrars.length): StaticEntry[] {
    return this.topology.registrars
      .slice(0, count)
      .map(({ name, ipv4: address }) => ({ name, address, port: 5060 }))
  }

  async status(): Promise<SipProxyStatus> {
    return await eventually('a status', () => this.directory.status(SIP_PROXY))
  }

  /** Fails with what the status was instead. */
  async untilStatus(
    wanted: string,
    isSo: (status: SipProxyStatus) => boolean,
  ): Promise<SipProxyStatus> {
    let last: SipProxyStatus | null = null
    const ask = async () => {
      last = await this.directory.status(SIP_PROXY)
      return last !== null && isSo(last) && last
    }
    return await eventually(wanted, ask).catch((cause: unknown) => {
      throw new Error(`status is ${JSON.stringify(last, null, 1)}`, { cause })
    })
  }

  async writeManifest(change: ManifestSpec = {}): Promise<void> {
    const { spec = {}, edge = {}, inManifest } = this.#options
    await this.directory.writeManifest(SIP_PROXY, {
      addresses: [SHARED_IPV4, SHARED_IPV6],
      proxies: { static: this.entries(inManifest) },
      mapping: { slots: 256 },
      edge,
      ...spec,
      ...change,
    })
  }

  /** A balancer's metrics, asked from its own node. */
  async metrics(node: Node): Promise<string> {
    return await this.#metrics(node, METRICS_PORT)
  }

  async operatorMetrics(): Promise<string> {
    return await this.#metrics(this.topology.balancers[0]!, OPERATOR_METRICS_PORT)
  }

  async #metrics(node: Node, port: number): Promise<string> {
    const ask = `fetch('http://127.0.0.1:${port}/metrics').then((r) => r.text()).then(console.log)`
    const args = ['netns', 'exec', node.namespace, process.execPath, '-e', ask]
    return (await promisify(execFile)('ip', args)).stdout
  }

  /** Phones gone, their bindings with them. */
  async hangUpAll(): Promise<void> {
    const used = this.phones.splice(0)
    await Promise.all(used.map((phone) => phone.register(0)))
    for (const phone of used) phone.close()
  }

  async stop(): Promise<void> {
    for (const phone of this.phones) phone.close()
    this.gateway?.close()
    await Promise.all(
      this.#parts().map((part) => (part.state === 'frozen' ? part.kill() : part.stop())),
    )
    await this.topology.close()
    await this.disk?.unmount()
    await this.directory.remove()
  }

  /** Those that were started. */
  #parts(): Part[] {
    const parts: (Part | undefined)[] = [this.operator, ...this.balancers, ...this.registrars]
    return parts.filter((part) => part !== undefined)
  }

  async #launch(): Promise<void> {
    const { topology, directory, secrets } = this
    const { diskKib } = this.#options
    if (diskKib !== undefined) this.disk = await SmallDisk.mount(directory.path, diskKib)
    const { kind, forwards = {}, replyToShared = false, pingIntervalSeconds } = this.#options
    this.gateway = await openGateway(
      { address: topology.gateway.ipv4, port: 5060 },
      { namespace: topology.gateway.namespace },
    )
    this.registrars = await Promise.all(
      topology.registrars.map((node) =>
        Registrar.start(kind, {
          name: node.name,
          listen: [
            { address: node.ipv4, port: 5060 },
            { address: node.ipv6, port: 5060 },
          ],
          shared: this.shared(),
          secrets,
          gateway: { address: topology.gateway.ipv4, port: 5060 },
          forwards,
          directory: directory.path,
          namespace: node.namespace,
          ...(replyToShared ? { replyToShared: [SHARED_IPV4, SHARED_IPV6] } : {}),
          ...(pingIntervalSeconds === undefined ? {} : { pingIntervalSeconds }),
        }),
      ),
    )
    await this.writeManifest()
    // Anywhere that reaches the registrars; here the node of the first balancer.
    const namespace = topology.balancers[0]!.namespace
    const metrics = `127.0.0.1:${OPERATOR_METRICS_PORT}`
    this.operator = await startOperator({ directory, namespace, metrics })
    this.balancers = await Promise.all(
      topology.balancers.map((node) =>
        startBalancer({
          directory,
          name: node.name,
          inside: [
            { address: node.ipv4, port: 5070 },
            { address: node.ipv6, port: 5070 },
          ],
          namespace: node.namespace,
          metrics: `127.0.0.1:${METRICS_PORT}`,
        }),
      ),
    )
    await this.untilServing()
  }
}

/** Name of the registrar that owns a user by this table; simple user names only. Null where nobody does. */
export function ownerIn({ seed, slots, owners, members }: Table, user: string): string | null {
  const bytes = new TextEncoder().encode(user)
  const slot = slotOf(new SlotHash(seed).hash(bytes, 0, bytes.length), slots)
  return members[owners[slot]!]?.name ?? null
}
