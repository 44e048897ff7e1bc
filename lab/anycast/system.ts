/**
 * The whole system in network namespaces, as sipcast is meant to run: two data centres whose routers are told of the
 * shared addresses by BGP, balancers with announcer and BIRD, proxies, an operator, phones behind NATs, trunks. IPv4
 * and IPv6. The live view, tests and benchmarks stand on it. Not here: faults (faults.ts), the network
 * (network/anycast.ts). Needs root and BIRD. Invariant: `stop` leaves no process, namespace or file behind.
 */
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table } from '@sipcast/mapping'
import { Anycast, HashPolicy, NODE_ASN, type Router } from '../network/anycast.ts'
import { SHARED_IPV4, SHARED_IPV6 } from '../network/topology.ts'
import { openGateway } from '../phone/gateway.ts'
import { Phone, type PhoneOptions } from '../phone/phone.ts'
import type { Endpoint } from '../sip/uri.ts'
import { untilServing } from '../start/balancer.ts'
import { eventually, LabDirectory, type ManifestSpec } from '../start/directory.ts'
import { startOperator } from '../start/operator.ts'
import { ownerOf } from '../start/owner-of.ts'
import type { Part } from '../start/part.ts'
import { passwordOf } from '../start/password.ts'
import {
  newPoolSecrets,
  type PoolSecrets,
  Registrar,
  type RegistrarKind,
} from '../start/registrar.ts'
import { BalancerNode } from './balancer-node.ts'
import { Mirror } from './mirror.ts'

export interface AnycastSystemOptions {
  readonly kind: RegistrarKind
  readonly balancers?: number
  readonly registrars?: number
  /** Per data centre. */
  readonly homes?: number
  /** Merged over the SipProxy's spec. */
  readonly spec?: ManifestSpec
  readonly edge?: ManifestSpec
  /** The registrars answer to the Via where it names a shared address. */
  readonly replyToShared?: boolean
  /** So many balancers, the last ones, can be cut off from the operator. */
  readonly separable?: number
}

type Family = 'ipv4' | 'ipv6'

/** Where a phone is; homes are numbered through all data centres. */
export type Whereabouts = { home?: number; version?: Family } & Partial<PhoneOptions>

export const ANYCAST_DOMAIN = 'sipcast.test'
export const ANYCAST_SIP_PROXY = 'registrars'
export const SHARED = { ipv4: SHARED_IPV4, ipv6: SHARED_IPV6 } as const
const POOLS = ['203.0.113.0/24', '2001:db8:53::/64']
const PASSWORD = 'between routers and nodes'
const SIP_PORT = 5060
/** Where files are in memory, as BIRD's are in the product. */
const MEMORY = '/dev/shm'
/** Group of the user that BIRD runs as; a volume's fsGroup does the same. */
const NOGROUP = 65_534
/** BIRD stays away from a router for up to 10 s after several errors. */
const ROUTES_WAIT_MS = 40_000

interface Parts {
  readonly network: Anycast
  readonly directory: LabDirectory
  readonly birdDirectory: LabDirectory
  readonly options: AnycastSystemOptions
}

export class AnycastSystem {
  readonly network: Anycast
  readonly directory: LabDirectory
  readonly secrets: PoolSecrets = newPoolSecrets(ANYCAST_DOMAIN)
  readonly phones: Phone[] = []
  gateway!: Phone
  operator!: Part
  registrars: readonly Registrar[] = []
  nodes: readonly BalancerNode[] = []
  readonly #birdDirectory: LabDirectory
  readonly #options: AnycastSystemOptions
  readonly #mirrors: Mirror[] = []

  static async start(options: AnycastSystemOptions): Promise<AnycastSystem> {
    const birdDirectory = await LabDirectory.create(MEMORY)
    await chown(birdDirectory.path, 0, NOGROUP)
    await chmod(birdDirectory.path, 0o2770)
    const { balancers = 3, registrars = 3, homes = 1 } = options
    const network = await Anycast.create({
      balancers,
      registrars,
      homes,
      directory: birdDirectory.path,
      password: PASSWORD,
    })
    const directory = await LabDirectory.create()
    const system = new AnycastSystem({ network, directory, birdDirectory, options })
    try {
      await system.#launch()
      return system
    } catch (error) {
      const said = system.parts.map((part) => part.process.describe('said'))
      await system.stop()
      throw new Error(`the system did not start\n${said.join('\n')}`, { cause: error })
    }
  }

  constructor({ network, directory, birdDirectory, options }: Parts) {
    this.network = network
    this.directory = directory
    this.#birdDirectory = birdDirectory
    this.#options = options
  }

  get parts(): readonly Part[] {
    const operator: (Part | undefined)[] = [this.operator]
    const started = operator.filter((part) => part !== undefined)
    return [...started, ...this.registrars, ...this.nodes.flatMap(({ parts }) => parts)]
  }

  get routers(): readonly Router[] {
    return this.network.routers
  }

  shared(version: Family = 'ipv4'): Endpoint {
    return { address: SHARED[version], port: SIP_PORT }
  }

  /** A phone in a home, not registered yet; closed with the system. */
  async openPhone(user: string, where: Whereabouts = {}): Promise<Phone> {
    const homes = this.network.centres.flatMap((centre) => centre.homes)
    const { home = this.phones.length, version = 'ipv4', ...more } = where
    const node = homes[home % homes.length]
    if (node === undefined) throw new Error('there are no homes')
    const phone = await Phone.open({
      user,
      password: passwordOf(user, this.secrets),
      domain: ANYCAST_DOMAIN,
      address: node[version],
      namespace: node.namespace,
      targets: [this.shared(version)],
      ...more,
    })
    this.phones.push(phone)
    return phone
  }

  async registered(user: string, where: Whereabouts = {}): Promise<Phone> {
    const phone = await this.openPhone(user, where)
    const { status } = await phone.register()
    if (status !== 200)
      throw new Error(`${user} could not register: ${status}\n${phone.log.toString()}`)
    return phone
  }

  async table(): Promise<Table> {
    return await eventually('a table', () => this.directory.table(ANYCAST_SIP_PROXY))
  }

  async ownerOf(user: string): Promise<string | null> {
    return ownerOf(await this.table(), user)
  }

  /** So many users of this registrar's, by the table as it is: `PREFIX-0`, …, without those of others. */
  async usersOf(registrar: string, count: number, prefix = 'user'): Promise<string[]> {
    const table = await this.table()
    const users: string[] = []
    for (let number = 0; users.length < count; number++) {
      const user = `${prefix}-${number}`
      if (ownerOf(table, user) === registrar) users.push(user)
    }
    return users
  }

  /** All balancers use the newest table. */
  async untilServing(): Promise<void> {
    for (const { directory, name } of this.nodes) {
      await untilServing(directory, ANYCAST_SIP_PROXY, [name])
    }
  }

  /** Both routers send both shared addresses to these nodes, each of them alike, and to no others. */
  async untilRouted(nodes: readonly BalancerNode[] = this.nodes): Promise<void> {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const wanted = nodes.map(({ node }) => node[family]).toSorted()
      const isSo = async () => {
        const all = await Promise.all(this.routers.map((router) => router.nextHops(SHARED[family])))
        return all.every((hops) => String(hops) === String(wanted))
      }
      await eventually(`routes of ${SHARED[family]}: ${wanted.join(' ')}`, isSo, ROUTES_WAIT_MS)
    }
  }

  async hashBy(policy: HashPolicy): Promise<void> {
    for (const router of this.routers) await router.hashBy(policy)
  }

  async writeManifest(change: ManifestSpec = {}): Promise<void> {
    const { spec = {}, edge = {} } = this.#options
    const trunks = this.network.centres.flatMap(({ trunk }) => [
      `${trunk.ipv4}/32`,
      `${trunk.ipv6}/128`,
    ])
    await this.directory.writeManifest(ANYCAST_SIP_PROXY, {
      addresses: [SHARED_IPV4, SHARED_IPV6],
      domains: [ANYCAST_DOMAIN],
      proxies: {
        static: this.network.registrars.map(({ name, ipv4: address }) => ({
          name,
          address,
          port: SIP_PORT,
        })),
      },
      mapping: { slots: 256 },
      edge: { trustedNetworks: trunks, ...edge },
      ...spec,
      ...change,
    })
  }

  /** Maintenance of a node, as somebody would write it. */
  async maintain(node: BalancerNode, maintenance: boolean): Promise<void> {
    await this.directory.writeObject('SipBalancer', node.name, { maintenance })
  }

  /** The separable balancers hear and tell nothing more of tables, until `mend`. */
  cut(): void {
    for (const mirror of this.#mirrors) mirror.cut()
  }

  mend(): void {
    for (const mirror of this.#mirrors) mirror.mend()
  }

  /** Phones gone, their bindings with them. */
  async hangUpAll(): Promise<void> {
    const used = this.phones.splice(0)
    await Promise.all(used.map((phone) => phone.register(0)))
    for (const phone of used) phone.close()
  }

  async stop(): Promise<void> {
    for (const phone of [...this.phones, this.gateway]) phone?.close()
    await Promise.all(this.parts.map((part) => part.kill()))
    for (const mirror of this.#mirrors) await mirror.close()
    await this.network.close()
    await this.directory.remove()
    await this.#birdDirectory.remove()
  }

  async #launch(): Promise<void> {
    const { network, directory } = this
    await this.hashBy(HashPolicy.addressesAndPorts)
    const [first] = network.centres
    if (first === undefined) throw new Error('there is no data centre')
    const gateway = { address: first.trunk.ipv4, port: SIP_PORT }
    this.gateway = await openGateway(gateway, { namespace: first.trunk.namespace })
    await this.#writePeers()
    await this.writeManifest()
    await this.#startRegistrars(gateway)
    // Anywhere that reaches the registrars: here, on the node of the first one.
    this.operator = await startOperator({ directory, namespace: namespaceOf(network.registrars) })
    await this.#startNodes()
    await this.untilServing()
    await this.untilRouted()
  }

  async #startRegistrars(gateway: Endpoint): Promise<void> {
    const { kind, replyToShared = false } = this.#options
    this.registrars = await Promise.all(
      this.network.registrars.map((node) =>
        Registrar.start(kind, {
          name: node.name,
          listen: [node.ipv4, node.ipv6].map((address) => ({ address, port: SIP_PORT })),
          shared: this.shared(),
          secrets: this.secrets,
          gateway,
          directory: this.directory.path,
          namespace: node.namespace,
          ...(replyToShared ? { replyToShared: [SHARED_IPV4, SHARED_IPV6] } : {}),
        }),
      ),
    )
  }

  async #startNodes(): Promise<void> {
    const { separable = 0 } = this.#options
    const { balancers } = this.network
    const firstApart = balancers.length - separable
    this.nodes = await Promise.all(
      balancers.map(async (node, index) => {
        const directory = index < firstApart ? this.directory : await this.#mirror()
        const birdDirectory = this.#birdDirectory.path
        return await BalancerNode.start({ node, directory, birdDirectory, pools: POOLS })
      }),
    )
  }

  async #mirror(): Promise<LabDirectory> {
    const mirror = await Mirror.of(this.directory)
    this.#mirrors.push(mirror)
    return mirror.copy
  }

  /** One session over IPv4, the other over IPv6; both carry both. */
  async #writePeers(): Promise<void> {
    const secrets = join(this.directory.path, 'secrets', 'bgp')
    await mkdir(secrets, { recursive: true })
    await writeFile(join(secrets, 'password'), PASSWORD, { mode: 0o600 })
    for (const [index, router] of this.routers.entries()) {
      await this.directory.writeObject('BgpPeer', router.name, {
        peerAddress: index % 2 === 0 ? router.ipv4 : router.ipv6,
        peerASN: router.asn,
        localASN: NODE_ASN,
        passwordSecretRef: { name: 'bgp' },
      })
    }
  }
}

function namespaceOf(nodes: readonly { readonly namespace: string }[]): string {
  const [first] = nodes
  if (first === undefined) throw new Error('there is no node for the operator')
  return first.namespace
}
