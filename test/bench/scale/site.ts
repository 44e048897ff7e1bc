/**
 * What the operator finds on the API server: SipProxies, pods that no kubelet runs but whose status says that they do,
 * and a namespace of its own. Not here: who answers at the pods' addresses (responder.ts).
 * Invariant: `clear` leaves nothing of it; CRDs stay if they were there before.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ApiError, type ApiObject, type ApiServer, paths } from '@sipcast/kube'
import { parse } from 'yaml'

export interface Size {
  readonly pools: number
  readonly proxies: number
}

/** Where the operator keeps its tables. */
export const SYSTEM = 'sipcast-bench-system'
/** Where the SipProxies are, a hundred in each. */
const POOLS_PER_NAMESPACE = 100
/** For benchmarks (RFC 2544); one address for each SipProxy. */
export const ADDRESS_POOL = '198.18.0.0/15'

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const NAMESPACES = '/api/v1/namespaces'
const AT_ONCE_MAX = 16

export class Site {
  readonly #api: ApiServer
  readonly #size: Size
  readonly #crdsMade: string[] = []

  constructor(api: ApiServer, size: Size) {
    this.#api = api
    this.#size = size
  }

  /** @param sipPort where all proxies answer */
  async build(sipPort: number): Promise<void> {
    await this.#makeCrds()
    await each([SYSTEM, ...this.#namespaces()], (name) =>
      this.#api.create(NAMESPACES, { metadata: { name } }),
    )
    await each(range(this.#size.pools * this.#size.proxies), (index) => this.#makePod(index))
    await each(range(this.#size.pools), (pool) =>
      this.#api.create(paths.sipProxies(namespaceOf(pool)), sipProxy(pool, sipPort)),
    )
  }

  /** Resolves when the pod is gone. */
  async deletePod(pool: number, proxy: number): Promise<void> {
    await this.#api.delete(paths.pod(namespaceOf(pool), podName(pool, proxy)))
  }

  async setReady(pool: number, proxy: number, isReady: boolean): Promise<void> {
    const path = paths.podStatus(namespaceOf(pool), podName(pool, proxy))
    await this.#api.patch(path, { status: { conditions: conditions(isReady) } })
  }

  async clear(): Promise<void> {
    const namespaces = [SYSTEM, ...this.#namespaces()]
    for (const name of namespaces) {
      for (const path of [paths.sipProxies(name), paths.pods(name), paths.configMaps(name)]) {
        await this.#api.delete(path).catch(() => undefined)
      }
      await this.#api.delete(`${NAMESPACES}/${name}`)
    }
    for (const name of namespaces) {
      while ((await this.#api.get(`${NAMESPACES}/${name}`)) !== null) await pause(500)
    }
    for (const name of this.#crdsMade) await this.#api.delete(`${CRDS}/${name}`)
  }

  #namespaces(): readonly string[] {
    return range(Math.ceil(this.#size.pools / POOLS_PER_NAMESPACE)).map(
      (index) => `sipcast-bench-${index}`,
    )
  }

  async #makeCrds(): Promise<void> {
    for (const file of ['sipproxies', 'sipbalancers', 'bgppeers']) {
      const path = fileURLToPath(new URL(`../../../crds/${file}.yaml`, import.meta.url))
      const crd = parse(await readFile(path, 'utf8')) as ApiObject
      const { name } = crd.metadata
      if ((await this.#api.get(`${CRDS}/${name}`)) !== null) continue
      await this.#api.create(CRDS, crd)
      this.#crdsMade.push(name)
    }
    for (const path of [paths.sipProxies(), paths.sipBalancers()]) {
      while (!(await this.#isServed(path))) await pause(100)
    }
  }

  async #isServed(path: string): Promise<boolean> {
    try {
      return (await this.#api.get(path)) !== null
    } catch (cause) {
      // A new kind is `throttled` at first.
      if (cause instanceof ApiError && cause.isTransient) return false
      throw cause
    }
  }

  async #makePod(index: number): Promise<void> {
    const pool = Math.floor(index / this.#size.proxies)
    const name = podName(pool, index % this.#size.proxies)
    const namespace = namespaceOf(pool)
    await this.#api.create(paths.pods(namespace), {
      metadata: { name, labels: { app: poolName(pool) } },
      spec: { containers: [{ name: 'proxy', image: 'proxy' }] },
    })
    const podIP = addressOf(index)
    await this.#api.patch(paths.podStatus(namespace, name), {
      status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions: conditions(true) },
    })
  }
}

export function poolName(pool: number): string {
  return `pool-${pool}`
}

export function podName(pool: number, proxy: number): string {
  return `${poolName(pool)}-${proxy}`
}

/** Name of the ConfigMap that has its table. */
export function tableName(pool: number): string {
  return `sipcast-table-${namespaceOf(pool)}.${poolName(pool)}`
}

function namespaceOf(pool: number): string {
  return `sipcast-bench-${Math.floor(pool / POOLS_PER_NAMESPACE)}`
}

/** 127.1.0.0 and on. */
function addressOf(index: number): string {
  return `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
}

function sipProxy(pool: number, port: number): ApiObject {
  return {
    apiVersion: 'sipcast.io/v1alpha1',
    kind: 'SipProxy',
    metadata: { name: poolName(pool) },
    spec: {
      addresses: [`198.18.${pool >> 8}.${pool & 255}`],
      proxies: { selector: { matchLabels: { app: poolName(pool) } }, port },
      probe: { interval: '1s', timeout: '800ms' },
    },
  }
}

function conditions(isReady: boolean) {
  const status = isReady ? 'True' : 'False'
  return ['Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status }))
}

/** Not one after the other, but not all at once either. */
async function each<T>(items: readonly T[], make: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values()
  await Promise.all(
    range(AT_ONCE_MAX).map(async () => {
      for (const item of left) await make(item)
    }),
  )
}

export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}
