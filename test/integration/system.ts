/**
 * The whole system for integration tests: operator, balancers, registrars and phones on a small internet of network
 * namespaces, where every datagram to the shared address goes to a balancer at random. Not here: what is tested.
 * Invariant: `stop` leaves no process, namespace or file behind.
 */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
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

export const DOMAIN = 'sipcast.test'
export const SIP_PROXY = 'registrars'
const METRICS_PORT = 9100

export interface SystemOptions {
  readonly kind: RegistrarKind
  readonly balancers?: number
  readonly registrars?: number
  readonly homes?: number
  /** Merged over the spec. */
  readonly spec?: ManifestSpec
  readonly edge?: ManifestSpec
  readonly forwards?: Readonly<Record<string, string>>
  /** The registrars answer to the Via where it names the shared address. */
  readonly replyToShared?: boolean
  readonly pingIntervalSeconds?: number
}

export class System {
  readonly topology: Topology
  readonly directory: LabDirectory
  readonly secrets: PoolSecrets
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
    const { seed, slots, owners, members } = await this.table()
    const bytes = new TextEncoder().encode(user)
    return members[owners[slotOf(new SlotHash(seed).hash(bytes, 0, bytes.length), slots)]!]!.name
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

  async writeManifest(change: ManifestSpec = {}): Promise<void> {
    const { spec = {}, edge = {} } = this.#options
    await this.directory.writeManifest(SIP_PROXY, {
      addresses: [SHARED_IPV4, SHARED_IPV6],
      proxies: {
        static: this.topology.registrars.map((node) => ({
          name: node.name,
          address: node.ipv4,
          port: 5060,
        })),
      },
      mapping: { slots: 256 },
      edge,
      ...spec,
      ...change,
    })
  }

  /** A balancer's metrics, asked from its own node. */
  async metrics(node: Node): Promise<string> {
    const ask = `fetch('http://127.0.0.1:${METRICS_PORT}/metrics').then((r) => r.text()).then(console.log)`
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
    await Promise.all(this.#parts().map((part) => (part.state === 'frozen' ? part.kill() : part.stop())))
    await this.topology.close()
    await this.directory.remove()
  }

  /** Those that were started. */
  #parts(): Part[] {
    const parts: (Part | undefined)[] = [this.operator, ...this.balancers, ...this.registrars]
    return parts.filter((part) => part !== undefined)
  }

  async #launch(): Promise<void> {
    const { topology, directory, secrets } = this
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
    this.operator = await startOperator({ directory, namespace })
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
