/**
 * The cluster that the end-to-end tests share, as `npm run test:cluster` made it (lab/cluster/suite.ts): the product is
 * installed; what else a test needs it applies itself. Here: kubectl, phones outside the nodes, the table as published,
 * and time lines. Not here: what is tested.
 * Invariant: `close` leaves no namespace, route or socket of this machine behind; what tests made in the cluster is
 * theirs to take away.
 */
import type { SipBalancerStatus, SipProxyStatus } from '@sipcast/crds'
import type { ApiObject } from '@sipcast/kube'
import {
  type ClusterNode,
  EXAMPLE,
  eventually,
  exampleSecrets,
  KindCluster,
  type Kubectl,
  NAMESPACE,
  nodesWithBalancers,
  Phone,
  PhoneNetwork,
  type PhoneOptions,
  type Pod,
  type PoolSecrets,
  passwordOf,
} from '@sipcast/lab'
import { decodeTable, type Table } from '@sipcast/mapping'
import { ownerIn } from '../integration/system.ts'
import { Timeline } from './timeline.ts'

/** Its environment; null where no cluster was made for the tests. */
const KUBECONFIG = process.env['SIPCAST_TEST_KUBECONFIG']
const NAME = process.env['SIPCAST_TEST_CLUSTER']

/** For `requires()`. */
export const clusterNeeded = {
  missing:
    KUBECONFIG === undefined || NAME === undefined ? 'a cluster: npm run test:cluster' : null,
}

const HOMES = 2
/** Beside the two of `npm run cluster`. */
const FIRST_PLACE = 16
/** Clusters with different names, and tests on them, may live side by side. */
const NEIGHBOURS_MAX = 100
/** Of a busy machine; whoever waits for less time wants to see that it is soon. */
const PATIENCE_MS = 120_000
/** At 10 % of the slots per 10 s, the default. */
const BALANCED_MS = 150_000

export interface ClusterAccess {
  readonly name: string
  readonly kubeconfig: string
}

export interface PlaceOptions extends Partial<PhoneOptions> {
  /** Which of the places outside the nodes; in turn by default. */
  readonly home?: number
}

/** An object as its writer reports on it. */
export interface Reported<Status> {
  readonly metadata: ApiObject['metadata']
  readonly spec: unknown
  readonly status: Status
}

export class Cluster {
  readonly kind: KindCluster
  readonly kubectl: Kubectl
  /** The nodes that carry a balancer. */
  readonly carriers: readonly ClusterNode[]
  readonly network: PhoneNetwork
  readonly #phones: Phone[] = []
  readonly #secrets = new Map<string, PoolSecrets>()

  /** The environment's, unless told otherwise. */
  static async take(access: ClusterAccess = accessOfEnvironment()): Promise<Cluster> {
    const kind = new KindCluster(access)
    const carriers = await nodesWithBalancers(kind)
    const firstPlace = firstPlaceOf(access.name)
    const places = { prefix: `sct${process.pid}`, homes: HOMES, firstPlace }
    const network = await PhoneNetwork.create({ ...places, hops: carriers })
    return new Cluster(kind, carriers, network)
  }

  constructor(kind: KindCluster, carriers: readonly ClusterNode[], network: PhoneNetwork) {
    this.kind = kind
    this.kubectl = kind.kubectl
    this.carriers = carriers
    this.network = network
  }

  /** A phone outside the nodes, of the example's pool; not registered yet. */
  async phone(user: string, options: PlaceOptions = {}): Promise<Phone> {
    const { home = this.#phones.length % HOMES, ...more } = options
    const { namespace, ipv4 } = this.network.homes[home]!
    const secrets = await this.secrets()
    const phone = await Phone.open({
      user,
      password: passwordOf(user, secrets),
      domain: secrets.realm,
      namespace,
      address: ipv4,
      targets: [{ address: EXAMPLE.address, port: 5060 }],
      ...more,
    })
    this.#phones.push(phone)
    return phone
  }

  async registered(user: string, options: PlaceOptions = {}): Promise<Phone> {
    const phone = await this.phone(user, options)
    const { status } = await phone.register()
    if (status !== 200)
      throw new Error(`${user} could not register: ${status}\n${phone.log.toString()}`)
    return phone
  }

  /** What the proxies of the example share, in the namespace it was applied to. */
  async secrets(namespace: string = EXAMPLE.namespace): Promise<PoolSecrets> {
    const secrets = this.#secrets.get(namespace) ?? (await exampleSecrets(this.kubectl, namespace))
    this.#secrets.set(namespace, secrets)
    return secrets
  }

  async pods(selector: string, namespace: string = EXAMPLE.namespace): Promise<Pod[]> {
    return await this.kubectl.list<Pod>('pods', '-n', namespace, '-l', selector)
  }

  /** The product's own pods. */
  async podsOf(component: 'balancer' | 'operator'): Promise<Pod[]> {
    return await this.pods(`app.kubernetes.io/component=${component}`, NAMESPACE)
  }

  /** As published; null while there is none. */
  async table(
    name: string = EXAMPLE.sipProxy,
    namespace: string = EXAMPLE.namespace,
  ): Promise<Table | null> {
    const id = `sipcast-table-${namespace}.${name}`
    const found = await this.kubectl.run(
      'get',
      'configmap',
      id,
      '-n',
      NAMESPACE,
      '--ignore-not-found',
      '-o',
      'json',
    )
    if (found === '') return null
    const { data } = JSON.parse(found) as { data: { 'table.json': string } }
    const decoded = decodeTable(data['table.json'])
    if (!decoded.ok) throw new Error(`the table in ${id}: ${JSON.stringify(decoded)}`)
    return decoded.table
  }

  /** Name of the example's proxy that owns a user. */
  async ownerOf(user: string): Promise<string> {
    const table = await this.until('a table', async () => await this.table())
    return ownerIn(table, user) ?? 'nobody'
  }

  /** All proxies hold their share of the slots, which newcomers get step by step (`handBack`). */
  async untilBalanced(name?: string, namespace?: string): Promise<void> {
    const isBalanced = async () => {
      const table = await this.table(name, namespace)
      if (table === null) return false
      const shares = table.members.map(
        (_, member) => table.owners.filter((owner) => owner === member).length,
      )
      return Math.max(...shares) - Math.min(...shares) <= 1
    }
    await this.until('equal shares of the slots', isBalanced, BALANCED_MS)
  }

  /** A user of this proxy's, by the table: the `skip`-th of `user-0`, `user-1`, …. */
  async userOf(proxy: string, skip = 0): Promise<string> {
    const table = await this.until('a table', async () => await this.table())
    let found = 0
    for (let number = 0; ; number++) {
      const user = `user-${number}`
      if (ownerIn(table, user) === proxy && found++ === skip) return user
    }
  }

  async sipBalancer(name: string): Promise<Reported<SipBalancerStatus>> {
    return await this.kubectl.json('get', 'sipbalancer', name)
  }

  async sipProxy(
    name: string = EXAMPLE.sipProxy,
    namespace: string = EXAMPLE.namespace,
  ): Promise<Reported<SipProxyStatus>> {
    return await this.kubectl.json('get', 'sipproxy', name, '-n', namespace)
  }

  /** Datagrams that each node's balancer took in, as its metrics say. */
  async packetsOfBalancers(): Promise<Map<string, number>> {
    const pods = await this.podsOf('balancer')
    const counts = pods.map(async ({ spec, status }) => {
      const response = await fetch(`http://${status.hostIP}:9464/metrics`)
      return [
        spec.nodeName ?? '',
        sumOf('sipcast_balancer_packets_received_total', await response.text()),
      ] as const
    })
    return new Map(await Promise.all(counts))
  }

  /** From now on: what the objects at this path go through (@sipcast/kube's `paths`). */
  async timeline<T>(path: string, take: (object: ApiObject) => T): Promise<Timeline<T>> {
    return await Timeline.of(this.kubectl.kubeconfig ?? '', path, take)
  }

  /** Asks until the answer is something. */
  async until<T>(
    wanted: string,
    ask: () => Promise<T | null | false>,
    patienceMs = PATIENCE_MS,
  ): Promise<T> {
    return await eventually(wanted, ask, patienceMs)
  }

  /** Phones gone, their bindings with them. */
  async hangUpAll(): Promise<void> {
    const used = this.#phones.splice(0)
    await Promise.all(used.map((phone) => phone.register(0)))
    for (const phone of used) phone.close()
  }

  async close(): Promise<void> {
    for (const phone of this.#phones) phone.close()
    await this.network.close()
  }
}

function accessOfEnvironment(): ClusterAccess {
  if (KUBECONFIG === undefined || NAME === undefined) throw new Error('no cluster to take')
  return { name: NAME, kubeconfig: KUBECONFIG }
}

/** Over all labels. */
function sumOf(metric: string, text: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${metric}{`))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

function firstPlaceOf(cluster: string): number {
  const sum = [...cluster].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 0)
  return FIRST_PLACE + HOMES * (sum % NEIGHBOURS_MAX)
}
