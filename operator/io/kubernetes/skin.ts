/**
 * The skin of a cluster: the API server, the lease, the Cluster port over both. A process that does not lead stands by:
 * it follows the tables, so that it knows under which number to lead, and nothing else.
 * Not here: ending the process. Invariants: nothing is written without the lease; a number of lease transitions is
 * higher than that of any table there is.
 */
import {
  type Access,
  ApiServer,
  inClusterAccess,
  KubeConfigError,
  kubeconfigAccess,
  LeaderLease,
  type RequestReport,
} from '@sipcast/kube'
import type { AddressPools } from '../../address-pools.ts'
import type { KubernetesPlace } from '../../config.ts'
import { RECOVERY_PERIOD_MIN_MS } from '../../limits.ts'
import type { Metrics } from '../../metrics.ts'
import type { Tell } from '../../ports.ts'
import { readAddressPools } from '../address-pools-file.ts'
import { RefusedError, type Skin, type SkinPorts } from '../skin.ts'
import { systemClock, systemRandom } from '../system-clock.ts'
import { KubernetesCluster } from './cluster.ts'
import { Events } from './events.ts'
import { kubeClock } from './watching.ts'

/** @throws RefusedError */
export async function openKubernetes(place: KubernetesPlace, ports: SkinPorts): Promise<Skin> {
  const addressPools = await readAddressPools(place.addressPools)
  return new KubernetesSkin(place, await accessOf(place), addressPools, ports)
}

export class KubernetesSkin implements Skin {
  readonly cluster: KubernetesCluster
  readonly tell: Tell
  readonly addressPools: AddressPools
  readonly place: string
  isStandby = true
  readonly #api: ApiServer
  readonly #lease: LeaderLease
  readonly #deposed: (why: string) => void
  #metrics: Metrics | null = null
  /** A request failed since the last success. */
  #isSuffering = false
  #cancelRecovery: (() => void) | null = null

  constructor(
    { namespace, lease: name, identity }: KubernetesPlace,
    access: Access,
    addressPools: AddressPools,
    { tell, deposed, process }: SkinPorts,
  ) {
    this.addressPools = addressPools
    this.#deposed = deposed
    this.place = `${access.server}, tables in namespace ${namespace}`
    this.#api = new ApiServer({
      access,
      userAgent: 'sipcast-operator',
      onRequest: (report) => this.#note(report),
    })
    const instance = identity ?? process
    this.#lease = new LeaderLease({
      api: this.#api,
      namespace,
      name,
      identity: instance,
      clock: kubeClock(systemClock),
      // Its loss is told by whoever ends the process.
      tell: (notice) => (notice.event === 'LeaseLost' ? undefined : tell(notice)),
    })
    this.cluster = new KubernetesCluster({
      api: this.#api,
      namespace,
      clock: systemClock,
      random: systemRandom,
      tell,
      mayWrite: () => this.#lease.isHeld,
      onFailure: (what, code) => this.#metrics?.storeFailures.inc({ what, code }),
    })
    const events = new Events({
      api: this.#api,
      clock: systemClock,
      random: systemRandom,
      rate: this.cluster.rate,
      uidOf: (subject) => this.cluster.uidOf(subject),
      instance,
      onDropped: (why) => this.#metrics?.eventsDropped.inc({ why }),
    })
    this.tell = (notice) => {
      tell(notice)
      events.record(notice)
    }
  }

  async start(signal: AbortSignal, metrics: Metrics): Promise<void> {
    this.#metrics = metrics
    metrics.leader.set(0)
    const { cluster } = this
    await until(cluster.startStandby(), signal)
    const transitions = await this.#lease.acquire(signal, () => cluster.leaseTransitionsMet())
    this.isStandby = false
    this.#lease.onLost((why) => this.#deposed(`the lease is lost: ${why}`))
    await until(cluster.start(transitions), signal)
  }

  async stop(): Promise<void> {
    this.#cancelRecovery?.()
    await this.cluster.stop()
    await this.#lease.release()
    this.#api.close()
  }

  #note({ verb, resource, code }: RequestReport): void {
    this.#metrics?.apiRequests.inc({ verb, resource, code })
    if (code === 'none' || code === '429' || code.startsWith('5')) {
      this.#isSuffering = true
    } else if (this.#isSuffering) {
      this.#isSuffering = false
      this.#recoverSoon()
    }
  }

  #recoverSoon(): void {
    this.#cancelRecovery ??= systemClock.after(RECOVERY_PERIOD_MIN_MS, () => {
      this.#cancelRecovery = null
      this.cluster.retry()
    })
  }
}

async function accessOf({ kubeconfig }: KubernetesPlace): Promise<Access> {
  try {
    return await (kubeconfig === null ? inClusterAccess() : kubeconfigAccess(kubeconfig))
  } catch (cause) {
    if (!(cause instanceof KubeConfigError)) throw cause
    throw new RefusedError(cause.message, { cause })
  }
}

/** The promise, or a rejection with the signal's reason, whichever comes first. */
async function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
