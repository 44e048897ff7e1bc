/**
 * One operator at the size that design section 8 names, on a real API server without nodes: 1000 SipProxies × 10 pods,
 * each probed once a second, and answering.
 *
 *   SIPCAST_TEST_KUBECONFIG=FILE npm run bench -- scale
 *     [--pools N] [--proxies N] [--events N] [--seconds N] [--flags='FLAGS OF NODE']
 *
 * How long until there are tables; what it costs at rest; how long from a pod that is deleted, or no longer ready, to
 * the table that sends nobody there; how long until a new leader has made all tables its own. The API server and the
 * answering proxies share the machine. What it makes are namespaces sipcast-bench-* and, where there are none, CRDs; it
 * removes them.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { ApiServer, kubeconfigAccess } from '@sipcast/kube'
import { gapPercentile, newGaps } from './gaps.ts'
import { OperatorProcess, type OperatorSetting, type Usage } from './operator-process.ts'
import { ADDRESS_POOL, pause, podName, range, Site, SYSTEM, tableName } from './site.ts'
import { leaseTransitionsOf, tableOf, TableWatch } from './table-watch.ts'

const PROBE_INTERVAL_MS = 1000
/** Between two events: they are to meet the operator at any moment of its own work. */
const EVENT_PAUSE_MS = 200
/** Requests in a second at most that count as rest. */
const REST_REQUESTS = 5
const UNANSWERED_MS = 30_000

const { values } = parseArgs({
  options: {
    pools: { type: 'string', default: '1000' },
    proxies: { type: 'string', default: '10' },
    events: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '30' },
    flags: { type: 'string', default: '' },
  },
})
const size = { pools: Number(values.pools), proxies: Number(values.proxies) }
const kubeconfig = process.env['SIPCAST_TEST_KUBECONFIG']
if (kubeconfig === undefined) throw new Error('SIPCAST_TEST_KUBECONFIG names no kubeconfig')

const folder = await mkdtemp(join(tmpdir(), 'sipcast-scale-'))
const api = new ApiServer({ access: await kubeconfigAccess(kubeconfig) })
const site = new Site(api, size)
const tables = new TableWatch(api, SYSTEM)
const gaps = newGaps()
const responder = new Worker(new URL('responder.ts', import.meta.url), { workerData: gaps })
const operators: OperatorProcess[] = []
try {
  const sipPort = await new Promise<number>((resolve) => void responder.once('message', resolve))
  await site.build(sipPort)
  await tables.start()
  say(`${size.pools} SipProxies × ${size.proxies} pods`, 'made')
  await measure(await settingOf(folder, kubeconfig))
} finally {
  await Promise.all(operators.map((operator) => operator.kill()))
  tables.stop()
  await responder.terminate()
  await site.clear()
  api.close()
  await rm(folder, { recursive: true })
}

async function measure(setting: OperatorSetting): Promise<void> {
  const leader = await start(setting)
  await firstTables(leader)
  await start({ ...setting, name: 'second' })
  await untilAtRest(leader)
  await rest(leader)
  await scrapes(leader)
  await events(leader)
  await leaderChanges(setting)
}

async function start(setting: OperatorSetting): Promise<OperatorProcess> {
  const operator = await OperatorProcess.start(setting)
  operators.push(operator)
  if (operators.length > 1) await operator.untilStandby()
  return operator
}

async function firstTables(operator: OperatorProcess): Promise<void> {
  const began = performance.now()
  await tables.untilAll(size.pools, () => true)
  say('all first tables', seconds(performance.now() - began))
  await tables.untilAll(size.pools, (text) => tableOf(text).members.every(isUp))
  say('all proxies Up in tables', seconds(performance.now() - began))
  sayMemory('memory while starting', operator)
}

async function rest(operator: OperatorProcess): Promise<void> {
  gaps.fill(0)
  const before = await operator.usage()
  await pause(Number(values.seconds) * 1000)
  // Before it is asked, which costs too.
  const late = [0.5, 0.99, 1].map((share) => gapPercentile(gaps, share) - PROBE_INTERVAL_MS)
  sayUsage('at rest', before, await operator.usage())
  say('probe later than its interval (p50, p99, max)', late.map((ms) => `${ms} ms`).join(', '))
  sayMemory('memory at rest', operator)
}

async function scrapes(operator: OperatorProcess): Promise<void> {
  const tookMs: number[] = []
  let bytes = 0
  for (let round = 0; round < 5; round++) {
    const began = performance.now()
    bytes = (await operator.metricsText()).length
    tookMs.push(performance.now() - began)
    await pause(1000)
  }
  say('/metrics', `${milliseconds(tookMs)}, ${(bytes / 1e6).toFixed(1)} MB`)
  sayMemory('memory after scrapes', operator)
}

/** One pool after the other loses a member: a pod is deleted, or is no longer ready. */
async function events(operator: OperatorProcess): Promise<void> {
  const before = await operator.usage()
  const deleted: number[] = []
  const unready: number[] = []
  for (const index of range(Number(values.events))) {
    const pool = (index * 7) % size.pools
    const proxy = index % size.proxies
    const isDeletion = index % 2 === 0
    const seen = tables.untilWithout(tableName(pool), podName(pool, proxy))
    await (isDeletion ? site.deletePod(pool, proxy) : site.setReady(pool, proxy, false))
    const answeredMs = performance.now()
    const seenMs = await soon(seen, `the table of pool ${pool}`)
    // The watch may be quicker than the answer.
    ;(isDeletion ? deleted : unready).push(Math.max(0, seenMs - answeredMs))
    await pause(Math.random() * 2 * EVENT_PAUSE_MS)
  }
  say('pod deleted → table', milliseconds(deleted))
  say('pod not ready → table', milliseconds(unready))
  sayUsage('during these events', before, await operator.usage())
  sayMemory('memory after these events', operator)
}

async function leaderChanges(setting: OperatorSetting): Promise<void> {
  await leaderChange('leader ends in order', (leader) => leader.stop())
  await start({ ...setting, name: 'third' })
  await leaderChange('leader is killed', (leader) => leader.kill())
}

async function leaderChange(
  what: string,
  end: (leader: OperatorProcess) => Promise<void>,
): Promise<void> {
  const leader = operators.shift()
  const next = operators[0]
  if (leader === undefined || next === undefined) throw new Error('nobody to take over')
  const began = performance.now()
  let transitions = 0
  await tables.untilAll(1, (text) => {
    transitions = Math.max(transitions, leaseTransitionsOf(text))
    return true
  })
  await end(leader)
  await tables.untilAll(1, (text) => leaseTransitionsOf(text) > transitions)
  const first = seconds(performance.now() - began)
  await tables.untilAll(size.pools, (text) => leaseTransitionsOf(text) > transitions)
  say(`${what}: first, all tables by the next`, `${first}, ${seconds(performance.now() - began)}`)
  await untilAtRest(next)
  sayMemory('memory of the next leader', next)
}

/** What there was to write has been written. */
async function untilAtRest(operator: OperatorProcess): Promise<void> {
  const began = performance.now()
  let last = await operator.usage()
  for (;;) {
    await pause(3000)
    const next = await operator.usage()
    const isAtRest = perSecond(last, next, 'sipcast_operator_api_requests_total') < REST_REQUESTS
    last = next
    if (isAtRest) break
  }
  say('until nothing more is written', seconds(performance.now() - began))
  const dropped = last.counts.get('sipcast_operator_events_dropped_total') ?? 0
  say('Events dropped so far', String(dropped))
}

function sayUsage(when: string, before: Usage, after: Usage): void {
  const elapsedMs = after.atMs - before.atMs
  const cpu = (after.cpuSeconds - before.cpuSeconds) / (elapsedMs / 1000)
  say(`processor ${when}`, `${(100 * cpu).toFixed(0)} % of a core`)
  const requests = perSecond(before, after, 'sipcast_operator_api_requests_total')
  say(`API requests ${when}`, `${requests.toFixed(1)}/s`)
  const probes = perSecond(before, after, 'sipcast_operator_probes_total')
  const accepted = perSecond(before, after, 'sipcast_operator_probes_total{outcome="accepted"}')
  say(`probes ${when}`, `${probes.toFixed(0)}/s, ${(probes - accepted).toFixed(1)}/s unanswered`)
}

function sayMemory(what: string, operator: OperatorProcess): void {
  const { now, highest } = operator.memory()
  say(what, `${now.toFixed(0)} MiB, at most ${highest.toFixed(0)} MiB`)
}

function perSecond(before: Usage, after: Usage, name: string): number {
  const count = (after.counts.get(name) ?? 0) - (before.counts.get(name) ?? 0)
  return count / ((after.atMs - before.atMs) / 1000)
}

function say(what: string, value: string): void {
  console.log(`| ${what} | ${value} | load ${loadavg()[0]?.toFixed(1)} |`)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function milliseconds(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]?.toFixed(0)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms of ${times.length}`
}

async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), UNANSWERED_MS)
  const missed = new Promise<never>((_, reject) => {
    late.signal.addEventListener('abort', () =>
      reject(new Error(`${what} is not there after ${seconds(UNANSWERED_MS)}`)),
    )
  })
  try {
    return await Promise.race([promise, missed])
  } finally {
    clearTimeout(timer)
  }
}

function isUp({ state }: { readonly state: string }): boolean {
  return state === 'Up'
}

async function settingOf(directory: string, config: string): Promise<OperatorSetting> {
  const addressPools = join(directory, 'pools.json')
  await writeFile(addressPools, JSON.stringify([{ cidr: ADDRESS_POOL }]))
  const flags = values.flags.split(' ').filter((flag) => flag !== '')
  return { name: 'first', kubeconfig: config, namespace: SYSTEM, addressPools, flags }
}
