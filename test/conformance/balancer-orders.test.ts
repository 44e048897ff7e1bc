/**
 * What a balancer learns of the cluster for the announcer beside it, from an API server (the fake one): BgpPeers and
 * the labels of its node. Not here: what the announcer makes of them (dataplane/announcer/bird).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiServer, paths } from '@sipcast/kube'
import { eventually, FakeApiServer } from '@sipcast/lab'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ClusterOrders } from '../../dataplane/io/kubernetes/cluster-orders.ts'
import { BGP_PEERS_MAX } from '../../dataplane/limits.ts'
import { systemClock } from '../../dataplane/io/system-clock.ts'

const NAME = 'node-a'
/** Those it was started with. */
const LABELS = { site: 'b' }
const OWN_LABELS = { 'kubernetes.io/hostname': NAME, ...LABELS }

let server: FakeApiServer
let api: ApiServer
let orders: ClusterOrders
let changes = 0
let end: () => void

beforeEach(async () => {
  server = await FakeApiServer.start()
  api = new ApiServer({ access: server.access, timeoutMs: 300 })
})

afterEach(async () => {
  end()
  api.close()
  await server.goAway()
})

const follow = () => {
  const after = systemClock.after.bind(systemClock)
  const clock = { nowMs: () => performance.now(), setTimer: after }
  orders = new ClusterOrders({ api, clock, random: Math.random, name: NAME, labels: LABELS })
  changes = 0
  end = orders.follow(() => changes++)
}
const known = async () => await eventually('orders', () => orders.orders(), 20_000)

const spec = { peerAddress: '192.0.2.1', peerASN: 64512, localASN: 64513 }
const put = (name: string, nodeSelector: Readonly<Record<string, string>>): void => {
  server.put(paths.bgpPeer(name), { metadata: { name }, spec: { ...spec, nodeSelector } })
}
const putPeer = (name: string): void => {
  const managedFields = [{ manager: 'kubectl', operation: 'Apply' }]
  const metadata = { name, managedFields }
  server.put(paths.bgpPeer(name), { metadata, spec, status: { summary: { sessions: '1/1' } } })
}

test('are the BgpPeers as people wrote them, and the labels of this node alone', async () => {
  server.put(paths.node(NAME), { metadata: { name: NAME, labels: { rack: '1' } } })
  server.put(paths.node('other'), { metadata: { name: 'other', labels: { rack: '2' } } })
  putPeer('tor-b')
  putPeer('tor-a')
  follow()
  const { peers, nodeLabels } = await known()
  expect(nodeLabels).toEqual({ rack: '1' })
  expect(peers).toMatchObject([
    { apiVersion: 'sipcast.io/v1alpha1', kind: 'BgpPeer', metadata: { name: 'tor-a' }, spec },
    { metadata: { name: 'tor-b' } },
  ])
  expect(JSON.stringify(peers)).not.toMatch(/managedFields|sessions/)
  expect(orders.trouble()).toBeNull()
})

test('are only those that select this node: others take no room', async () => {
  server.put(paths.node(NAME), { metadata: { name: NAME, labels: { rack: '1', row: 'a' } } })
  for (let index = 0; index < BGP_PEERS_MAX; index++) put(`a-${index}`, { rack: '2' })
  put('ours', { rack: '1' })
  put('row', { rack: '1', row: 'b' })
  put('site', { site: 'b' })
  follow()
  const names = (await known()).peers.map((peer) => Object(peer).metadata.name)
  expect(names).toEqual(['ours'])
})

test('are also those that select a machine which is no Node', async () => {
  put('by-name', { 'kubernetes.io/hostname': NAME })
  put('by-site', { site: 'b' })
  put('other', { site: 'c' })
  follow()
  const names = (await known()).peers.map((peer) => Object(peer).metadata.name)
  expect(names).toEqual(['by-name', 'by-site'])
})

test('change when they are others, not when a node or a peer reports', async () => {
  server.put(paths.node(NAME), { metadata: { name: NAME } })
  putPeer('tor-a')
  follow()
  await known()
  await sleep(100)
  const before = changes
  const status = { conditions: [{ type: 'Ready' }] }
  server.put(paths.node(NAME), { metadata: { name: NAME }, status })
  putPeer('tor-a')
  await sleep(100)
  expect(changes).toBe(before)
  server.put(paths.node(NAME), { metadata: { name: NAME, labels: { rack: '3' } } })
  await eventually('a label', () => orders.orders()?.nodeLabels['rack'] === '3')
  server.take(paths.bgpPeer('tor-a'))
  await eventually('no peer', () => orders.orders()?.peers.length === 0)
  expect(changes).toBeGreaterThan(before)
})

test('are known without a Node, or where it may not be read; not without BgpPeers', async () => {
  const effect = { kind: 'refusal', status: 403, reason: 'Forbidden' } as const
  const showNode = server.inject({ effect, resource: 'nodes' })
  const showPeers = server.inject({ effect, resource: 'bgppeers' })
  server.put(paths.node(NAME), { metadata: { name: NAME, labels: { rack: '1' } } })
  putPeer('tor-a')
  follow()
  await sleep(300)
  expect(orders.orders()).toBeNull()
  showPeers()
  await sleep(1_000)
  // An API server that has just begun may deny what it will grant.
  expect(orders.orders()).toBeNull()
  expect(await known()).toMatchObject({ peers: [{}], nodeLabels: OWN_LABELS })
  showNode()
  await eventually('labels', () => orders.orders()?.nodeLabels['rack'] === '1')
})

test('are known where the Node may not be read, also when nobody answered at first', async () => {
  server.inject({
    effect: { kind: 'refusal', status: 403, reason: 'Forbidden' },
    resource: 'nodes',
  })
  server.put(paths.node(NAME), { metadata: { name: NAME, labels: { rack: '1' } } })
  putPeer('tor-a')
  await server.goAway()
  follow()
  await sleep(1_000)
  await server.comeBack()
  expect(await known()).toMatchObject({ peers: [{}], nodeLabels: OWN_LABELS })
  const trouble = await eventually('trouble', () => orders.trouble())
  expect(trouble.message).toContain('Forbidden')
})

test('stay what they were while nobody answers, and that is said', async () => {
  putPeer('tor-a')
  follow()
  await known()
  await server.goAway()
  await eventually('trouble', () => orders.trouble(), 20_000)
  expect(orders.trouble()).toMatchObject({ reason: 'OrdersUnread' })
  expect(orders.orders()).toMatchObject({ peers: [{}], nodeLabels: OWN_LABELS })
  await server.comeBack()
  await eventually('peace', () => orders.trouble() === null, 20_000)
}, 60_000)
