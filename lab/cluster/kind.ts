/**
 * A kind cluster: one control plane, two workers, on the local Docker engine. Not here: what runs in it (install.ts)
 * and who calls (phones.ts).
 *
 * Observed of pods and the nodes' own programs (a balancer is one), with a pod network that masquerades what leaves it:
 * - What a balancer sends to a pod, on this node or another, arrives from the balancer's address and port. From a
 *   shared address (`insideSource: Shared`) it reaches pods of another node only with accept_local=1 there, on eth0.
 * - A pod's answer to it comes from the pod's address. What a pod sends to another node of its own accord (conntrack
 *   knows the flow for 30 s, or 120 s where both ends have spoken) comes from its node's address, the port kept where
 *   that is free; to its own node, and to a shared address held there, from the pod's address.
 * - While conntrack knows such a flow, a balancer's datagrams to that pod and port arrive from another port than the
 *   balancer's: conntrack changes it, so as to tell the two flows apart. A proxy has to answer to where a request came
 *   from.
 *
 * Dual stack (`KIND_IP_FAMILY=dual`) is for kind's own node images. Whatever it is, the nodes have IPv6 addresses on
 * kind's bridge, so phones reach an IPv6 address of a SipProxy by the nodes; the pods behind may speak IPv4 only.
 */
import { inspect } from './containers.ts'
import { Kubectl } from './kubectl.ts'
import { run } from './program.ts'

export interface ClusterNode {
  readonly name: string
  readonly isWorker: boolean
  readonly ipv4: string
  readonly ipv6: string
}

export interface KindOptions {
  readonly name: string
  /** Where its access goes; kubectl's own place by default. */
  readonly kubeconfig?: string
  /** kind's default image where absent. */
  readonly nodeImage?: string
  readonly ipFamily?: string
}

const WORKERS = 2
const READY_SECONDS = 180

export class KindCluster {
  readonly name: string
  readonly kubectl: Kubectl
  readonly #kubeconfig: string | undefined

  constructor(options: Pick<KindOptions, 'name' | 'kubeconfig'>) {
    this.name = options.name
    this.#kubeconfig = options.kubeconfig
    this.kubectl = new Kubectl({ context: `kind-${options.name}`, ...access(options.kubeconfig) })
  }

  /** Makes it; one that is there already is taken as it is. Nodes are Ready when this resolves. */
  static async create(options: KindOptions): Promise<KindCluster> {
    const cluster = new KindCluster(options)
    if (await cluster.exists()) await cluster.#export()
    else await cluster.#make(options)
    await cluster.kubectl.run('wait', 'node', '--all', '--for=condition=Ready', wait())
    return cluster
  }

  async exists(): Promise<boolean> {
    return (await run('kind', ['get', 'clusters'])).split('\n').includes(this.name)
  }

  async nodes(): Promise<ClusterNode[]> {
    const names = (await run('kind', ['get', 'nodes', '--name', this.name])).trim().split('\n')
    const nodes = (await inspect(names)).map(({ name, labels, ipv4, ipv6 }) => {
      return { name, isWorker: labels['io.x-k8s.kind.role'] === 'worker', ipv4, ipv6 }
    })
    return nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Into every node; quick where it is there already. */
  async load(image: string): Promise<void> {
    await run('kind', ['load', 'docker-image', image, '--name', this.name])
  }

  async delete(): Promise<void> {
    await run('kind', ['delete', 'cluster', '--name', this.name, ...this.#place()])
  }

  async #make(options: KindOptions): Promise<void> {
    const image = options.nodeImage === undefined ? [] : ['--image', options.nodeImage]
    const args = ['create', 'cluster', '--name', this.name, '--config', '-', ...image]
    const waiting = ['--wait', `${READY_SECONDS}s`]
    await run('kind', [...args, ...waiting, ...this.#place()], { input: configuration(options) })
  }

  /** The access of a cluster made earlier. */
  async #export(): Promise<void> {
    await run('kind', ['export', 'kubeconfig', '--name', this.name, ...this.#place()])
  }

  #place(): string[] {
    return this.#kubeconfig === undefined ? [] : ['--kubeconfig', this.#kubeconfig]
  }
}

function configuration({ ipFamily = 'ipv4' }: KindOptions): string {
  return JSON.stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    networking: { ipFamily },
    nodes: [
      { role: 'control-plane' },
      ...Array.from({ length: WORKERS }, () => ({ role: 'worker' })),
    ],
  })
}

function access(kubeconfig: string | undefined): { kubeconfig?: string } {
  return kubeconfig === undefined ? {} : { kubeconfig }
}

function wait(): string {
  return `--timeout=${READY_SECONDS}s`
}
