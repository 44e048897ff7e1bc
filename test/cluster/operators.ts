/** The operator's replicas on the cluster: who leads, how each ended, how many there are. Not here: what follows. */
import { NAMESPACE, type Pod, untilReady } from '@sipcast/lab'
import type { Cluster } from './cluster.ts'

const LEASE = ['lease', 'sipcast-operator', '-n', NAMESPACE] as const
const DEPLOYMENT = ['deployment/sipcast-operator', '-n', NAMESPACE] as const
const PATIENCE_MS = 120_000

interface Lease {
  readonly spec: { readonly holderIdentity: string; readonly leaseTransitions: number }
}

export class Operators {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async lease(): Promise<Lease['spec']> {
    return (await this.#cluster.kubectl.json<Lease>('get', ...LEASE)).spec
  }

  async pods(): Promise<Pod[]> {
    return await this.#cluster.podsOf('operator')
  }

  async leader(): Promise<Pod> {
    return await this.#cluster.until(
      'an operator that leads',
      async () => {
        const { holderIdentity } = await this.lease()
        return (await this.pods()).find(({ metadata }) => metadata.name === holderIdentity) ?? null
      },
      PATIENCE_MS,
    )
  }

  /** Where those run that are not on their way out. */
  async nodes(): Promise<string[]> {
    const pods = (await this.pods()).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    )
    return pods.map(({ spec }) => spec.nodeName ?? '')
  }

  /** All of them onto one node, as they are after the other nodes were drained. */
  async moveTo(node: string): Promise<void> {
    const others = this.#cluster.carriers.map(({ name }) => name).filter((name) => name !== node)
    await this.#cluster.kubectl.run('cordon', ...others)
    try {
      await this.roll()
    } finally {
      await this.#cluster.kubectl.run('uncordon', ...others)
    }
  }

  /** By hand: nobody holds it any more, whoever thinks so. */
  async takeLeaseAway(): Promise<void> {
    const patch = JSON.stringify({ spec: { holderIdentity: '' } })
    await this.#cluster.kubectl.run('patch', ...LEASE, '--type=merge', '-p', patch)
  }

  /** The exit code of the process that ran when `before` was looked at. */
  async exitCodeOf(before: Pod): Promise<number> {
    const { name } = before.metadata
    const was = before.status.containerStatuses![0]!
    return await this.#cluster
      .until(
        `${name} to end`,
        async () => {
          const now = (await this.pods()).find(({ metadata }) => metadata.name === name)
          const { state, lastState } = now?.status.containerStatuses?.[0] ?? {}
          const ended = state?.terminated ?? lastState?.terminated
          return (ended?.containerID === was.containerID && ended) || null
        },
        PATIENCE_MS,
      )
      .then(({ exitCode }) => exitCode)
  }

  async untilReady(): Promise<void> {
    await untilReady(this.#cluster.kubectl, NAMESPACE)
  }

  /** New pods one after the other, as an upgrade makes them. */
  async roll(): Promise<void> {
    await this.#cluster.kubectl.run('rollout', 'restart', ...DEPLOYMENT)
    await this.#cluster.kubectl.run('rollout', 'status', ...DEPLOYMENT, '--timeout=180s')
  }

  async scale(replicas: number): Promise<void> {
    await this.#cluster.kubectl.run('scale', ...DEPLOYMENT, `--replicas=${replicas}`)
    if (replicas > 0) return await this.untilReady()
    await this.#cluster.until(
      'no operator',
      async () => (await this.pods()).length === 0,
      PATIENCE_MS,
    )
  }
}
