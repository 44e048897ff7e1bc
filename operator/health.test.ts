/** What a pool's proxies do, and what table and status say of it. */
import { expect, test } from 'vitest'
import { Behaviour } from './io/memory-prober.ts'
import { GATHERING_MS } from './limits.ts'
import { A, B, C, D, World, worldWith } from './world.fixture.ts'

test('the first table comes with the first answers', async () => {
  const world = new World()
  world.apply([A, B])
  await world.start()
  expect(world.slots()).toEqual({ a: 2048, b: 2048 })
  expect(world.states()).toEqual({ a: 'Up', b: 'Up' })
  expect(world.table().generation).toBe(1)
})

test('the first table waits for a silent proxy no longer than its timeout, and gives it nothing', async () => {
  const world = new World()
  world.prober.behaviours.set(B.address, Behaviour.silent)
  world.apply([A, B])
  await world.start()
  expect(world.tableOrNull()).toBeNull()
  expect(world.condition('Ready')).toBe('False AwaitingProbes')
  await world.pass(450)
  expect(world.slots()).toEqual({ a: 4096, b: 0 })
})

test('proxies of the first table that come up a little later join it at once', async () => {
  const world = new World()
  for (const { address } of [A, B]) world.prober.behaviours.set(address, Behaviour.refuses)
  world.apply([A, B])
  await world.start()
  await world.pass(1_000)
  expect(world.condition('Degraded')).toBe('True AllProxiesDown')
  world.prober.behaviours.delete(A.address)
  await world.pass(2_000)
  world.prober.behaviours.delete(B.address)
  await world.pass(2_000)
  expect(world.slots()).toEqual({ a: 2048, b: 2048 })
})

test('a killed proxy loses exactly its slots as soon as it refuses', async () => {
  const world = await worldWith([A, B, C])
  const before = world.owners()
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(510)
  expect(world.slots()['b']).toBe(0)
  const moved = before.filter((id, slot) => id !== world.owners()[slot])
  expect(new Set(moved)).toEqual(new Set(['b']))
  expect(world.status().proxies[1]).toMatchObject({ state: 'Down', reason: 'Refused', slots: 0 })
  expect(world.condition('Degraded')).toBe('True ProxiesDown')
  expect(world.message('Degraded')).toContain('1 of 3 proxies is down: b (Refused)')
})

test('a frozen proxy is found within interval·fall + timeout', async () => {
  const world = await worldWith([A, B, C])
  world.prober.behaviours.set(B.address, Behaviour.silent)
  await world.pass(500 * 2 + 400 + 10)
  expect(world.slots()['b']).toBe(0)
  expect(world.status().proxies[1]).toMatchObject({ state: 'Down', reason: 'NoAnswer' })
})

test('one lost probe changes nothing', async () => {
  const world = await worldWith([A, B, C])
  const { epoch } = world.table()
  world.prober.behaviours.set(B.address, Behaviour.silent)
  await world.pass(600)
  world.prober.behaviours.delete(B.address)
  await world.pass(5_000)
  expect(world.table().epoch).toBe(epoch)
})

test('a returned proxy gets its slots back after the wait, in budgeted steps', async () => {
  const world = await worldWith([A, B])
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(1_000)
  world.prober.behaviours.delete(B.address)
  await world.pass(2_000)
  expect(world.states()['b']).toBe('Up')
  expect(world.status().proxies[1]).toMatchObject({ reason: 'AwaitingHandBack', slots: 0 })
  expect(world.status().summary.proxies).toBe('2/2')
  await world.pass(27_500)
  expect(world.slots()['b']).toBe(0)
  await world.pass(2_000)
  expect(world.slots()['b']).toBe(409)
  await world.pass(10_000)
  expect(world.slots()['b']).toBe(818)
  await world.pass(40_000)
  expect(world.slots()).toEqual({ a: 2048, b: 2048 })
})

test('with policy Manual a returned proxy waits for a person', async () => {
  const spec = { mapping: { handBack: { policy: 'Manual', per: '1s', maxMovedPercent: 100 } } }
  const world = await worldWith([A, B], spec)
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(1_000)
  world.prober.behaviours.delete(B.address)
  await world.pass(120_000)
  expect(world.slots()['b']).toBe(0)
  expect(world.condition('Degraded')).toBe('True AwaitingHandBack')
  const now = new Date(world.clock.nowMs()).toISOString()
  world.apply([A, B], { spec, annotations: { 'sipcast.io/hand-back': now } })
  await world.pass(100)
  expect(world.slots()).toEqual({ a: 2048, b: 2048 })
})

test('an added proxy joins within the budget, without the wait', async () => {
  const world = await worldWith([A, B])
  await world.pass(GATHERING_MS)
  world.apply([A, B, C])
  await world.pass(100)
  expect(world.slots()['c']).toBe(409)
  await world.pass(30_000)
  expect(world.slots()).toEqual({ a: 1366, b: 1365, c: 1365 })
})

test('proxies that come up one after the other while the pool is young join at once', async () => {
  const world = await worldWith([A])
  await world.pass(10_000)
  world.apply([A, B])
  await world.pass(100)
  expect(world.slots()).toEqual({ a: 2048, b: 2048 })
  await world.pass(10_000)
  world.apply([A, B, C])
  await world.pass(100)
  expect(world.slots()).toEqual({ a: 1366, b: 1365, c: 1365 })
})

test('a removed proxy loses its slots at once and is remembered as former', async () => {
  const world = await worldWith([A, B, C])
  world.apply([A, C])
  await world.pass(100)
  expect(world.slots()).toEqual({ a: 2048, c: 2048 })
  expect(world.table().former).toMatchObject([{ address: B.address, port: 5060 }])
})

test('a proxy at a new address keeps its slots; the old address is former', async () => {
  const world = await worldWith([A, B])
  const before = world.owners()
  world.apply([A, { ...B, address: '192.0.2.22' }])
  await world.pass(1_000)
  expect(world.owners()).toEqual(before)
  expect(world.table().members[1]).toMatchObject({ address: '192.0.2.22', state: 'Up' })
  expect(world.table().former).toMatchObject([{ address: B.address, port: 5060 }])
  expect(world.prober.targets.map(({ address }) => address)).toContain('192.0.2.22')
})

test('a proxy that is replaced by a dead address loses its slots when that is known', async () => {
  const world = await worldWith([A, B])
  world.prober.behaviours.set('192.0.2.22', Behaviour.refuses)
  world.apply([A, { ...B, address: '192.0.2.22' }])
  await world.pass(1_000)
  expect(world.slots()).toEqual({ a: 4096, b: 0 })
})

test('when all proxies are exchanged, no table without owners comes in between', async () => {
  const world = await worldWith([A, B])
  world.apply([C, D])
  await world.pass(1_000)
  expect(world.slots()).toEqual({ c: 2048, d: 2048 })
  const text = JSON.stringify(world.notices)
  expect(text).not.toContain('PassFailed')
})

test('a changed weight moves slots within the budget', async () => {
  const world = await worldWith([A, B])
  world.apply([A, { ...B, weight: 3 }])
  await world.pass(100)
  expect(world.slots()).toEqual({ a: 2048 - 409, b: 2048 + 409 })
  await world.pass(60_000)
  expect(world.slots()).toEqual({ a: 1024, b: 3072 })
})

test('a drained proxy gives its slots away in steps and stays reachable', async () => {
  const world = await worldWith([A, B])
  world.apply([A, { ...B, drain: true }])
  await world.pass(100)
  expect(world.states()['b']).toBe('Draining')
  expect(world.slots()).toEqual({ a: 2048 + 409, b: 2048 - 409 })
  await world.pass(60_000)
  expect(world.slots()).toEqual({ a: 4096, b: 0 })
  expect(world.condition('Degraded')).toBe('False AsExpected')
  world.apply([A, B])
  await world.pass(100)
  expect(world.slots()['b']).toBe(409)
})

test('503 with Retry-After drains at once', async () => {
  const world = await worldWith([A, B, C])
  world.prober.behaviours.set(B.address, Behaviour.busy)
  await world.pass(600)
  expect(world.states()['b']).toBe('Draining')
  expect(world.slots()['b']).toBe(0)
  expect(world.status().proxies[1]?.reason).toBe('Unavailable')
})

test('a proxy that answers with an unwelcome status is down after `fall`', async () => {
  const world = await worldWith([A, B, C])
  world.prober.behaviours.set(B.address, Behaviour.fails)
  await world.pass(1_100)
  expect(world.status().proxies[1]).toMatchObject({ state: 'Down', reason: 'StatusRejected' })
})

test('all down: the last table stays, and says so', async () => {
  const world = await worldWith([A, B])
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(1_000)
  const { epoch } = world.table()
  world.prober.behaviours.set(A.address, Behaviour.refuses)
  await world.pass(60_000)
  expect(world.table().epoch).toBe(epoch)
  expect(world.condition('Degraded')).toBe('True AllProxiesDown')
  expect(world.condition('Ready')).toBe('False NoEligibleProxy')
  expect(world.status().summary.proxies).toBe('0/2')
  const written = world.cluster.writes.status
  await world.pass(60_000)
  expect(world.cluster.writes.status).toBe(written)

  world.prober.behaviours.delete(B.address)
  await world.pass(2_000)
  expect(world.slots()).toEqual({ a: 0, b: 4096 })
})

test('most proxies silent at once: the prober is the likelier culprit, so the table stays', async () => {
  const world = await worldWith([A, B, C])
  const { epoch } = world.table()
  for (const { address } of [A, B, C]) world.prober.behaviours.set(address, Behaviour.silent)
  await world.pass(10_000)
  expect(world.table().epoch).toBe(epoch)
  expect(world.condition('Degraded')).toBe('True ProbePanic')
  expect(world.events()).toContain('ProbePanic')

  for (const { address } of [A, B, C]) world.prober.behaviours.delete(address)
  await world.pass(3_000)
  expect(world.table().epoch).toBe(epoch)
  expect(world.condition('Degraded')).toBe('False AsExpected')
  expect(world.events()).toContain('ProbePanicEnded')
})

test('the panic ends when most balancers find the same proxies dead', async () => {
  const world = await worldWith([A, B, C])
  for (const { address } of [A, B]) world.prober.behaviours.set(address, Behaviour.silent)
  await world.pass(2_000)
  expect(world.condition('Degraded')).toBe('True ProbePanic')
  world.report('node-1', { unanswered: ['a', 'b'] })
  world.report('node-2', { unanswered: ['a', 'b'] })
  await world.pass(100)
  expect(world.slots()).toEqual({ a: 0, b: 0, c: 4096 })
  expect(world.condition('Degraded')).toBe('True ProxiesDown')
})

test('when a panic ends, whoever is still silent has one more window to answer', async () => {
  const world = await worldWith([A, B, C])
  for (const { address } of [A, B]) world.prober.behaviours.set(address, Behaviour.silent)
  await world.pass(2_000)
  world.prober.behaviours.delete(A.address)
  await world.pass(600)
  expect(world.slots()['b']).not.toBe(0)
  await world.pass(1_400)
  expect(world.slots()).toEqual({ a: 2048, b: 0, c: 2048 })
})

test('a balancer that marks a proxy dead makes the operator ask it at once', async () => {
  const world = await worldWith([A, B, C], { probe: { interval: '60s' } })
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(100)
  expect(world.slots()['b']).not.toBe(0)
  world.report('node-1', { deadMarks: [{ id: 'b', since: new Date(0).toISOString() }] })
  await world.pass(20)
  expect(world.slots()['b']).toBe(0)
})
