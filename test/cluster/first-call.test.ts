/**
 * One `kubectl apply`, and phones outside the nodes register and call each other through the address that the balancers
 * hold; and what kubectl says of it all is so. Not here: failures of any part.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { SipProxyStatus } from '@sipcast/crds'
import { type ApiObject, paths } from '@sipcast/kube'
import {
  applyExample,
  byOutcome,
  EXAMPLE,
  Load,
  makeCalls,
  NAMESPACE,
  passwordOf,
  runProgram,
  servedBy,
} from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { Cluster, clusterNeeded } from './cluster.ts'
import { columnsOf } from './columns.ts'

const PROXIES = ['registrar-0', 'registrar-1', 'registrar-2']
const SLOTS = 4096
const CALLS = 100
const CALLS_PER_SECOND = 20
const REST_MS = 8_000

describe.runIf(requires('sipp', 'network-namespaces', clusterNeeded))('the first call', () => {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await Cluster.take()
    await applyExample(cluster.kubectl)
    await cluster.untilBalanced()
  })
  afterAll(async () => {
    await cluster?.close()
  })

  test('a phone registers with the owner of its user, by the table, and is called there', async () => {
    for (const proxy of PROXIES) {
      const callee = await cluster.registered(await cluster.userOf(proxy), { home: 0 })
      const caller = await cluster.registered(await cluster.userOf(proxy, 1), { home: 1 })
      const session = await caller.call(callee.user).answered
      const { invite } = (await callee.calls.next())!
      expect(servedBy(invite)).toContain(proxy)
      expect((await session.reinvite()).status).toBe(200)
      expect((await session.hangUp()).status).toBe(200)
      for (const phone of [callee, caller]) {
        expect(phone.log.peers()).toEqual(new Set([`${EXAMPLE.address}:5060`]))
        expect(phone.log.retransmissions()).toEqual([])
      }
    }
    await cluster.hangUpAll()
  })

  test('calls go by any node, whatever the phones registered by', async () => {
    const callee = await cluster.registered('callee', { home: 0 })
    const home = cluster.network.homes[1]!
    const secrets = await cluster.secrets()
    const callers = ['carol', 'dave', 'erin'].map((user) => ({
      user,
      password: passwordOf(user, secrets),
    }))
    for (const node of cluster.carriers) {
      await cluster.network.routeVia([node])
      const before = await cluster.packetsOfBalancers()
      const result = await makeCalls({
        address: home.ipv4,
        namespace: home.namespace,
        target: { address: EXAMPLE.address, port: 5060 },
        callee: callee.user,
        domain: secrets.realm,
        callers,
        calls: CALLS,
        callsPerSecond: CALLS_PER_SECOND,
      })
      expect(result).toMatchObject({ succeeded: CALLS, failed: 0 })
      const after = await cluster.packetsOfBalancers()
      // Each call is two INVITEs, two ACKs and a BYE of the caller's alone.
      const grown = after.get(node.name)! - before.get(node.name)!
      expect(grown).toBeGreaterThan(5 * CALLS)
    }
    await cluster.network.routeVia(cluster.carriers)
    await cluster.hangUpAll()
  })

  test('at rest nothing fails and nothing changes', async () => {
    const timeline = await cluster.timeline(paths.sipProxies(EXAMPLE.namespace), epochOf)
    const load = await Load.start(cluster, ['ann', 'ben', 'cem', 'dan', 'eva', 'fay'])
    await sleep(REST_MS)
    await load.stop()
    timeline.stop()
    expect(load.calls.length).toBeGreaterThan(20)
    expect(byOutcome(load.calls)).toEqual({ completed: load.calls.length })
    expect(load.registrations.filter(({ status }) => status !== 200)).toEqual([])
    expect(new Set(timeline.moments.map(({ value }) => value)).size).toBe(1)
    await cluster.hangUpAll()
  })

  test('kubectl get sipproxies', async () => {
    const table = (await cluster.table())!
    const get = ['get', 'sipproxies', '-n', EXAMPLE.namespace]
    const [row] = columnsOf(await cluster.kubectl.run(...get))
    expect(row).toEqual({
      NAME: EXAMPLE.sipProxy,
      ADDRESS: EXAMPLE.address,
      PROXIES: '3/3',
      BALANCERS: '2/2',
      EPOCH: String(table.epoch),
      READY: 'True',
      REASON: expect.stringMatching(/^[A-Z]\w+$/),
      AGE: expect.stringMatching(/^\d/),
    })
    const [wide] = columnsOf(await cluster.kubectl.run(...get, '-o', 'wide'))
    expect(wide).toMatchObject({ ...row, AGE: expect.any(String), SLOTS: String(SLOTS) })
    expect(Object.keys(wide!)).toEqual(expect.arrayContaining(['MOVED', 'CHANGED']))
  })

  test('kubectl describe sipproxy', async () => {
    const said = await cluster.kubectl.run('describe', 'sipproxy', EXAMPLE.sipProxy)
    const pods = await cluster.pods('app=registrar')
    expect(pods.map(({ metadata }) => metadata.name).toSorted()).toEqual(PROXIES)
    for (const { status } of pods) expect(said).toContain(`${status.podIP}`)
    expect(said.match(/State: +Up\b/g)).toHaveLength(PROXIES.length)
    const slots = [...said.matchAll(/^ +Slots: +(\d+)$/gm)].map(([, count]) => Number(count))
    expect(slots.filter((count) => count < SLOTS).reduce((sum, count) => sum + count)).toBe(SLOTS)
    for (const type of ['Accepted', 'Ready', 'TableInSync']) {
      expect(said).toMatch(new RegExp(`Status: +True\\n +Type: +${type}\\b`))
    }
    expect(said).toMatch(/Status: +False\n +Type: +Degraded\b/)
  })

  test('kubectl get sipbalancers: one of each node that carries a balancer', async () => {
    const rows = columnsOf(await cluster.kubectl.run('get', 'sipbalancers'))
    const workers = cluster.carriers.map(({ name }) => name)
    expect(rows.map(({ NAME }) => NAME)).toEqual(workers)
    const { epoch } = (await cluster.table())!
    for (const name of workers) {
      const { metadata, status } = await cluster.sipBalancer(name)
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'Node', name }])
      const { namespace, sipProxy } = EXAMPLE
      expect(status.sipProxies).toMatchObject([{ namespace, name: sipProxy, epoch }])
    }
  })

  test('helm test says that all is in service, and leaves nothing of itself', async () => {
    const { kubectl } = cluster
    const words = ['test', 'sipcast', '--namespace', NAMESPACE, '--timeout=150s']
    const said = await runProgram('helm', [...kubectl.forHelm, ...words])
    expect(said).toMatch(/^Phase: +Succeeded$/m)
    const kinds = 'pods,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings'
    const left = ['-n', NAMESPACE, '-l', 'app.kubernetes.io/component=test', '-o', 'name']
    expect(await kubectl.run('get', kinds, ...left)).toBe('')
  })

  test('kubectl explain sipproxy.spec has words for every field', async () => {
    const said = await cluster.kubectl.run('explain', 'sipproxy.spec')
    const fields = said
      .slice(said.indexOf('FIELDS:'))
      .split(/^ {2}(?=\S)/m)
      .slice(1)
    const names = fields.map((field) => /^\w+/.exec(field)?.[0])
    expect(names).toEqual([
      'addresses',
      'aliases',
      'domains',
      'edge',
      'mapping',
      'port',
      'probe',
      'proxies',
    ])
    for (const field of fields) expect(field).toMatch(/\n {4}[A-Z].{20,}/)
  })
})

function epochOf({ status }: ApiObject): number | undefined {
  return (status as SipProxyStatus | undefined)?.table?.epoch
}
