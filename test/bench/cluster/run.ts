/**
 * How long failovers take on Kubernetes, and how much they vary (design section 8): proxies of the example are deleted,
 * killed and frozen in turn, N times each, on a cluster where nothing else happens.
 *
 *   npm run cluster && npm run bench -- cluster [N]
 *
 * Each time: from the event until no balancer sends users there any more, by real packets; until a watcher sees the new
 * table; until the last balancer uses it. SIPCAST_TEST_KUBECONFIG and SIPCAST_TEST_CLUSTER name another cluster.
 * Exits 1 where the median of the packets is above its target.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { applyExample, KindCluster } from '@sipcast/lab'
import { Cluster, type ClusterAccess } from '../../cluster/cluster.ts'
import { PROXIES, patchSipProxy, QUICK_HAND_BACK } from '../../cluster/example-pool.ts'
import { type Failover, failover } from '../../cluster/failover.ts'
import { deletePod, signalPod } from '../../cluster/faults.ts'
import { PoolWatch } from '../../cluster/pool-watch.ts'

const TIMES_DEFAULT = 20
/** Of `npm run cluster`. */
const CLUSTER_NAME = 'sipcast'
const TOLD_MS = 700
const SILENT_MS = 1_600

interface Event {
  readonly name: string
  readonly targetMs: number
  /** Resolves to the moment it happened. */
  readonly happen: (proxy: string) => Promise<number>
  /** What brings the proxy back. */
  readonly mend: (proxy: string) => Promise<unknown>
}

const times = Number(process.argv[2] ?? TIMES_DEFAULT)
const directory = await mkdtemp(join(tmpdir(), 'sipcast-bench-cluster-'))
const cluster = await Cluster.take(await accessTo(join(directory, 'kubeconfig')))
try {
  await applyExample(cluster.kubectl)
  await patchSipProxy(cluster, { mapping: { handBack: QUICK_HAND_BACK } })
  process.exitCode = await measure(await PoolWatch.start(cluster))
} finally {
  await patchSipProxy(cluster, { mapping: { handBack: null } })
  await cluster.close()
  await rm(directory, { recursive: true })
}

/** @returns the exit code */
async function measure(pool: PoolWatch): Promise<number> {
  const events: readonly Event[] = [
    {
      name: 'pod deleted',
      targetMs: TOLD_MS,
      happen: async (proxy) => await deletePod(cluster, pool.pod(proxy)!),
      mend: async () => undefined,
    },
    {
      name: 'killed (ICMP)',
      targetMs: TOLD_MS,
      happen: async (proxy) => await signalPod(pool.pod(proxy)!, 'KILL'),
      // A new pod comes sooner than a container that is killed again and again.
      mend: async (proxy) => await deletePod(cluster, pool.pod(proxy)!),
    },
    {
      name: 'frozen (silent)',
      targetMs: SILENT_MS,
      happen: async (proxy) => await signalPod(pool.pod(proxy)!, 'STOP'),
      mend: async (proxy) => await signalPod(pool.pod(proxy)!, 'CONT'),
    },
  ]
  let isMissed = false
  for (const event of events) {
    const results = await repeat(pool, event)
    print(event, results)
    isMissed ||=
      percentile(
        results.map(({ avoidedMs }) => avoidedMs),
        50,
      ) > event.targetMs
  }
  pool.stop()
  return isMissed ? 1 : 0
}

async function repeat(pool: PoolWatch, { happen, mend }: Event): Promise<readonly Failover[]> {
  const results: Failover[] = []
  for (let time = 0; time < times; time++) {
    const proxy = PROXIES[time % PROXIES.length]!
    await pool.untilShared(PROXIES)
    try {
      results.push(await failover(pool, proxy, async () => await happen(proxy)))
    } finally {
      await mend(proxy)
    }
  }
  await pool.untilShared(PROXIES)
  return results
}

function print({ name, targetMs }: Event, results: readonly Failover[]): void {
  const columns = (['avoidedMs', 'publishedMs', 'inUseMs'] as const).map((column) => {
    const all = results.map((result) => result[column])
    return `${column} p50 ${percentile(all, 50).toFixed()} p99 ${percentile(all, 99).toFixed()}`
  })
  console.log(`${name} ×${results.length} (target ${targetMs} ms): ${columns.join(' · ')}`)
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN
}

/** Of the environment's cluster, else of `npm run cluster`'s. */
async function accessTo(file: string): Promise<ClusterAccess> {
  const { SIPCAST_TEST_CLUSTER: name, SIPCAST_TEST_KUBECONFIG: kubeconfig } = process.env
  if (name !== undefined && kubeconfig !== undefined) return { name, kubeconfig }
  const own = { name: CLUSTER_NAME, kubeconfig: file }
  if (!(await new KindCluster(own).exists()))
    throw new Error('there is no cluster: npm run cluster')
  await KindCluster.create(own)
  return own
}
