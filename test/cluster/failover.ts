/**
 * One failover, measured: from what befalls a proxy to the moment when no balancer sends its users there any more, by
 * real packets and by the tables in use. Not here: what befalls it (faults.ts), and what was to be expected.
 */
import { EXAMPLE } from '@sipcast/lab'
import type { Table } from '@sipcast/mapping'
import { RouteWatch, type WatchedRoute } from '../integration/route-watch.ts'
import type { Cluster } from './cluster.ts'
import type { PoolWatch } from './pool-watch.ts'

/** Ports from which one place asks: the nodes share them by their hash, and each gets some but once in thousands. */
const PORTS_PER_HOME = 8
/** Of one port; all together 20 ms and less by each node. */
const ASK_EVERY_MS = 80
const USERS = 8

export interface Failover {
  /** Milliseconds from the event to the first request from which on none goes there. */
  readonly avoidedMs: number
  /** To the table being seen by a watcher. */
  readonly publishedMs: number
  /** To its use on the last balancer. */
  readonly inUseMs: number
  readonly before: Table
  /** The first without it. */
  readonly after: Table
}

/** @param fail resolves to the moment it befell the proxy */
export async function failover(
  pool: PoolWatch,
  proxy: string,
  fail: () => Promise<number>,
): Promise<Failover> {
  const before = pool.tables.latest
  const users = pool.usersOf(proxy, USERS, 'nobody')
  const watch = await RouteWatch.start(await routesOf(pool.cluster), users)
  try {
    await pool.until(`requests that ${proxy} answers`, () => {
      const answers = watch.recently()
      return answers.length > 50 && answers.every((answer) => answer === proxy)
    })
    const failedMs = await fail()
    const avoidedMs = await watch.untilAvoided(proxy, failedMs)
    const [after] = await pool.until('a table without it', () => {
      const tables = pool.tables.after(before)
      return tables.length > 0 && tables
    })
    const inUseMs = (await pool.untilInUse(after!)) - failedMs
    const publishedMs = pool.tables.seenAtMs(after!) - failedMs
    return { avoidedMs, publishedMs, inUseMs, before, after: after! }
  } finally {
    watch.stop()
  }
}

/** From outside, by every node that routes lead to. */
async function routesOf(cluster: Cluster): Promise<WatchedRoute> {
  const places = cluster.network.homes.flatMap(({ ipv4, namespace }) =>
    Array.from({ length: PORTS_PER_HOME }, () => ({ address: ipv4, namespace })),
  )
  const { realm } = await cluster.secrets()
  const target = { address: EXAMPLE.address, port: 5060 }
  return { places, target, domain: realm, askEveryMs: ASK_EVERY_MS }
}
