/**
 * What kubectl prints of the example's pool, held against the tables that were published, the pods, and what balancers
 * use. Not here: when it has to be so.
 */
import { EXAMPLE } from '@sipcast/lab'
import { expect, vi } from 'vitest'
import { movesBetween } from '../integration/table-log.ts'
import { columnsOf } from './columns.ts'
import type { PoolWatch } from './pool-watch.ts'

/** A status follows its table, and a busy machine's kubectl the status. */
const PATIENCE = { timeout: 30_000, interval: 250 }
/** A balancer reports every 30 s. */
const HEARTBEAT_SECONDS_MAX = 60

export type Cells = Readonly<Record<string, string>>

/** `cells`: of `kubectl get sipproxies`, beside those that follow from the table. */
export async function untilTold(pool: PoolWatch, cells: Cells): Promise<void> {
  await vi.waitFor(async () => {
    await expectRow(pool, cells)
    await expectDescription(pool)
    await expectBalancers(pool)
  }, PATIENCE)
}

async function expectRow({ cluster, tables }: PoolWatch, cells: Cells): Promise<void> {
  const args = ['get', 'sipproxies', '-n', EXAMPLE.namespace, '-o', 'wide']
  const [row] = columnsOf(await cluster.kubectl.run(...args))
  const { latest, previous } = tables
  const { epoch, slots } = latest
  expect(row).toMatchObject({
    READY: 'True',
    ADDRESS: EXAMPLE.address,
    EPOCH: `${epoch}`,
    SLOTS: `${slots}`,
    ...(previous === null ? {} : { MOVED: `${movesBetween(previous, latest).moved}` }),
    ...cells,
  })
}

/** Each proxy at its pod's address, with the slots that the table gives it; and the conditions as in the status. */
async function expectDescription(pool: PoolWatch): Promise<void> {
  const said = (await describe(pool)).replaceAll(/[ \t]+/g, ' ')
  const { proxies, conditions } = pool.status
  const podNames = pool.podNames.filter((name) => pool.pod(name)?.status.podIP !== undefined)
  expect(proxies.map(({ name }) => name).toSorted()).toEqual(podNames)
  for (const { name, reason, state } of proxies) {
    const address = `${pool.pod(name)?.status.podIP}:5060`
    const slots = pool.shares[name] ?? 0
    const words = `Address: ${address}\\n Name: ${name}\\n Reason: ${reason}\\n(?: Rtt Ms: .*\\n)?`
    expect(said).toMatch(new RegExp(`${words} Since: .*\\n Slots: ${slots}\\n State: ${state}\\n`))
  }
  for (const { type, status, reason } of conditions) {
    expect(said).toMatch(new RegExp(` Reason: ${reason}\\n Status: ${status}\\n Type: ${type}\\n`))
  }
}

/** Whoever uses the newest table says that it serves, and said so lately. */
async function expectBalancers({ cluster, tables, uses }: PoolWatch): Promise<void> {
  const rows = columnsOf(await cluster.kubectl.run('get', 'sipbalancers'))
  expect(rows.map(({ NAME }) => NAME)).toEqual([...uses.keys()].toSorted())
  for (const row of rows) {
    if (uses.get(row['NAME']!)?.sha256 !== tables.latest.sha256) continue
    expect(row).toMatchObject({
      READY: 'True',
      REASON: 'Serving',
      SIPPROXIES: expect.stringMatching(/^(\d+)\/\1$/),
      SERVING: expect.stringMatching(/^(\d+)\/\1$/),
      MAINTENANCE: 'false',
    })
    expect(secondsOf(row['HEARTBEAT']!)).toBeLessThanOrEqual(HEARTBEAT_SECONDS_MAX)
  }
}

async function describe({ cluster }: PoolWatch): Promise<string> {
  const { namespace, sipProxy } = EXAMPLE
  return await cluster.kubectl.run('describe', 'sipproxy', sipProxy, '-n', namespace)
}

/** `90s`, `2m`, `2m41s`: as kubectl prints ages. */
function secondsOf(age: string): number {
  const [, minutes = '0', seconds = '0'] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(age) ?? []
  return Number(minutes) * 60 + Number(seconds)
}
