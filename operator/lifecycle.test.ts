/** What people do to SipProxies, tables and keys, and what stays in force. */
import { expect, test } from 'vitest'
import { Behaviour } from './io/memory-prober.ts'
import { A, B, C, KEY, World, worldWith } from './world.fixture.ts'

const OTHER = 'default/other'

test('a restart finds everything as it was: no epoch, no move, no status write', async () => {
  const world = await worldWith([A, B, C])
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(5_000)
  const [text, status] = [world.cluster.tables.get(KEY)?.text, world.status()]
  const { table: tables, status: statuses } = world.cluster.writes
  await world.restart()
  await world.pass(60_000)
  expect(world.cluster.tables.get(KEY)?.text).toBe(text)
  expect(world.status()).toEqual(status)
  expect(world.cluster.writes).toMatchObject({ table: tables, status: statuses })
})

test('a restart in the middle of a hand-back goes on with it', async () => {
  const world = await worldWith([A, B])
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(1_000)
  world.prober.behaviours.delete(B.address)
  await world.pass(35_000)
  expect(world.slots()['b']).toBe(409)
  await world.restart()
  await world.pass(60_000)
  expect(world.slots()).toEqual({ a: 2048, b: 2048 })
})

test('a proxy that died while the operator was away is found', async () => {
  const world = await worldWith([A, B, C])
  world.prober.behaviours.set(B.address, Behaviour.silent)
  await world.restart()
  await world.pass(2_000)
  expect(world.slots()['b']).toBe(0)
})

test('a proxy whose end the last operator told the table alone is not Down for answering', async () => {
  const world = await worldWith([A, B, C])
  const told = () => world.status().proxies.find(({ name }) => name === 'b')
  world.cluster.failures.set('status', 'unavailable')
  world.prober.behaviours.set(B.address, Behaviour.silent)
  await world.pass(2_000)
  expect(world.slots()['b']).toBe(0)
  expect(told()).toMatchObject({ state: 'Up', reason: 'Answers' })
  world.cluster.failures.clear()
  await world.restart()
  await world.pass(1_000)
  expect(told()).toMatchObject({ state: 'Down', reason: 'DownBefore' })
})

test('an invalid spec names field and reason; the last good one stays and goes on living', async () => {
  const world = await worldWith([A, B, C])
  world.apply([A, B], { spec: { probe: { timeout: '2s' } } })
  await world.pass(100)
  expect(world.condition('Accepted')).toBe('False InvalidSpec')
  expect(world.message('Accepted')).toContain(
    'spec.probe.timeout: must not be longer than interval',
  )
  expect(world.condition('Ready')).toBe('False NotAccepted')
  expect(world.status().observedGeneration).toBe(2)
  expect(world.table().generation).toBe(1)
  expect(Object.keys(world.slots())).toEqual(['a', 'b', 'c'])

  world.prober.behaviours.set(C.address, Behaviour.refuses)
  await world.pass(1_000)
  expect(world.slots()['c']).toBe(0)

  world.apply([A, B])
  await world.pass(100)
  expect(world.condition('Accepted')).toBe('True Accepted')
  expect(world.table().generation).toBe(3)
  expect(Object.keys(world.slots())).toEqual(['a', 'b'])
})

test('an invalid spec found at start: the table is served on, probed and rebalanced', async () => {
  const world = await worldWith([A, B, C])
  world.apply([], { spec: {} })
  await world.pass(100)
  await world.restart()
  expect(world.condition('Accepted')).toBe('False InvalidSpec')
  expect(world.status().observedGeneration).toBe(2)
  world.prober.behaviours.set(C.address, Behaviour.refuses)
  await world.pass(1_000)
  expect(world.slots()['c']).toBe(0)
  expect(world.table().addresses).toEqual(['203.0.113.10'])
})

test('a manifest that cannot be read changes nothing but the condition', async () => {
  const world = await worldWith([A, B])
  const { epoch } = world.table()
  world.cluster.spoil(KEY, 'voice.yaml, document 2: Map keys must be unique at line 3, column 1')
  await world.pass(100)
  expect(world.condition('Accepted')).toBe('False ManifestUnreadable')
  expect(world.message('Accepted')).toContain('voice.yaml, document 2')
  await world.restart()
  await world.pass(1_000)
  expect(world.table().epoch).toBe(epoch)
})

test('the slot count cannot be changed', async () => {
  const world = await worldWith([A, B])
  const { epoch } = world.table()
  world.apply([A, B], { spec: { mapping: { slots: 1024 } } })
  await world.pass(100)
  expect(world.condition('Accepted')).toBe('False SlotsImmutable')
  expect(world.table()).toMatchObject({ epoch, slots: 4096 })
})

test('two SipProxies at one address and port: the older one keeps it, the other is told', async () => {
  const world = await worldWith([A])
  world.apply([B], { key: OTHER })
  await world.pass(100)
  expect(world.condition('Accepted', OTHER)).toBe('False AddressConflict')
  expect(world.message('Accepted', OTHER)).toContain('203.0.113.10 port 5060')
  expect(world.message('Accepted', OTHER)).toContain(KEY)
  expect(world.condition('Accepted')).toBe('True Accepted')
  expect(world.tableOrNull(OTHER)).toBeNull()

  world.apply([A], { spec: { port: 5070 } })
  await world.pass(500)
  expect(world.condition('Accepted', OTHER)).toBe('True Accepted')
  expect(world.slots(OTHER)).toEqual({ b: 4096 })
})

test('of two that appear together the smaller name gets the address', async () => {
  const world = new World()
  world.apply([A], { key: KEY })
  world.apply([B], { key: OTHER })
  await world.start()
  await world.pass(1_000)
  expect(world.condition('Accepted', OTHER)).toBe('True Accepted')
  expect(world.condition('Accepted', KEY)).toBe('False AddressConflict')
})

test('who was served keeps the address across a restart, whatever the names', async () => {
  const world = await worldWith([A])
  world.apply([B], { key: OTHER })
  await world.pass(1_000)
  await world.restart()
  await world.pass(1_000)
  expect(world.condition('Accepted', OTHER)).toBe('False AddressConflict')
})

test('a removed SipProxy leaves a removed table until all balancers applied it', async () => {
  const world = await worldWith([A, B])
  world.report('node-1')
  await world.pass(100)
  const { epoch } = world.table()
  world.cluster.remove(KEY)
  await world.pass(1_000)
  expect(world.table()).toMatchObject({ removed: true, epoch: epoch + 1 })
  expect(world.prober.targets).toEqual([])
  world.report('node-1')
  await world.pass(100)
  expect(world.tableOrNull()).toBeNull()
  expect(world.cluster.statuses.has(KEY)).toBe(false)
})

test('without word from balancers the removed table goes after 60 s', async () => {
  const world = await worldWith([A, B])
  world.report('node-1')
  await world.pass(100)
  world.cluster.remove(KEY)
  await world.pass(59_000)
  expect(world.table().removed).toBe(true)
  await world.pass(2_000)
  expect(world.tableOrNull()).toBeNull()
})

test('a table without SipProxy found at start is removed, too', async () => {
  const world = await worldWith([A, B])
  world.cluster.remove(KEY)
  await world.operator.stop()
  await world.restart()
  expect(world.table().removed).toBe(true)
  await world.pass(61_000)
  expect(world.tableOrNull()).toBeNull()
})

test('deleted and made again: another uid, created later, and its users stay where they were', async () => {
  const world = await worldWith([A, B])
  const old = world.table()
  const owners = world.owners()
  world.cluster.remove(KEY)
  await world.pass(1_000)
  world.apply([A, B])
  await world.pass(1_000)
  const next = world.table()
  expect(next.removed).toBe(false)
  expect(next.uid).not.toBe(old.uid)
  expect(next.objectCreated > old.objectCreated).toBe(true)
  expect(next.epoch).toBeGreaterThan(old.epoch)
  expect(world.owners()).toEqual(owners)
  world.apply([A, B], { spec: { mapping: { slots: 1024 } } })
  await world.pass(100)
  expect(world.condition('Accepted')).toBe('False SlotsImmutable')
})

test('made again with another slot count is a new beginning', async () => {
  const world = await worldWith([A, B])
  world.cluster.remove(KEY)
  await world.pass(1_000)
  world.apply([A, B], { spec: { mapping: { slots: 1024 } } })
  await world.pass(1_000)
  expect(world.slots()).toEqual({ a: 512, b: 512 })
})

test('the API server’s uid and creation time are taken where there is one', async () => {
  const world = new World()
  const origin = { uid: 'u-1', createdMs: Date.UTC(2026, 0, 1), generation: 7 }
  world.apply([A], { origin })
  await world.start()
  await world.pass(1_000)
  expect(world.table()).toMatchObject({
    uid: 'u-1',
    generation: 7,
    objectCreated: '2026-01-01T00:00:00.000Z',
  })
  // Made again with a clock that went back: it must count as later all the same.
  world.apply([A], { origin: { uid: 'u-2', createdMs: 0, generation: 1 } })
  await world.pass(1_000)
  expect(world.table()).toMatchObject({
    uid: 'u-2',
    objectCreated: '2026-01-01T00:00:00.001Z',
  })
})

test('a vanished table is written again, the same', async () => {
  const world = await worldWith([A, B])
  const text = world.cluster.tables.get(KEY)?.text
  world.cluster.meddle(KEY, null)
  await world.pass(100)
  expect(world.cluster.tables.get(KEY)?.text).toBe(text)
  expect(world.events()).toContain('TableVanished')
})

test.each([
  ['truncated', (text: string) => text.slice(0, text.length / 2)],
  ['emptied', () => ''],
  ['edited by hand', (text: string) => text.replace('"weight":1', '"weight":2')],
])('a table that was %s is written again, the same', async (_how, spoil) => {
  const world = await worldWith([A, B])
  const text = world.cluster.tables.get(KEY)?.text ?? ''
  world.cluster.meddle(KEY, spoil(text))
  await world.pass(100)
  expect(world.cluster.tables.get(KEY)?.text).toBe(text)
  expect(world.events()).toContain('TableDamaged')
})

test('a good table with a later epoch by somebody else is overtaken, moving nobody', async () => {
  const world = await worldWith([A, B])
  const owners = world.owners()
  const other = await worldWith([A])
  const foreign = other.cluster.tables.get(KEY)?.text ?? ''
  const { epoch } = other.table()
  world.cluster.meddle(KEY, foreign)
  await world.pass(100)
  expect(world.owners()).toEqual(owners)
  expect(world.table().epoch).toBe(Math.max(epoch, world.table().epoch))
  expect(world.events()).toContain('TableForeign')
})

test('a table edited while the operator was away still says who owned what', async () => {
  const world = await worldWith([A, B])
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(1_000)
  world.prober.behaviours.delete(B.address)
  await world.pass(35_000)
  const owners = world.owners()
  const { uid, epoch } = world.table()
  const text = world.cluster.tables.get(KEY)?.text ?? ''
  await world.operator.stop()
  world.cluster.meddle(KEY, text.replace('"panicPercent":50', '"panicPercent":51'))
  await world.restart()
  await world.pass(50)
  expect(world.table()).toMatchObject({ uid, panicPercent: 50, epoch: epoch + 1 })
  const moved = owners.filter((id, slot) => id !== world.owners()[slot])
  expect(moved.length).toBeLessThanOrEqual(409)
})

test('a table lost with the operator’s memory goes on from the epoch in status', async () => {
  const world = await worldWith([A, B])
  const { epoch } = world.table()
  world.cluster.meddle(KEY, null)
  await world.operator.stop()
  world.cluster.tables.delete(KEY)
  await world.restart()
  await world.pass(1_000)
  expect(world.table().epoch).toBe(epoch + 1)
})

test('the epoch in status outlives a first pass that cannot publish yet', async () => {
  const world = await worldWith([A, B])
  const { epoch } = world.table()
  await world.operator.stop()
  world.cluster.tables.delete(KEY)
  world.prober.behaviours.set(A.address, Behaviour.silent)
  await world.restart()
  expect(world.tableOrNull()).toBeNull()
  expect(world.status().table?.epoch).toBe(epoch)
  await world.restart()
  await world.pass(1_000)
  expect(world.table().epoch).toBe(epoch + 1)
})

test('a removed table waits for a balancer that still uses the object before it', async () => {
  const world = await worldWith([A, B])
  world.report('node-1')
  world.cluster.remove(KEY)
  await world.pass(100)
  world.apply([A, B])
  await world.pass(100)
  world.cluster.remove(KEY)
  await world.pass(1_000)
  expect(world.table().removed).toBe(true)
})

test('table and status lost: epoch and uid come from balancers', async () => {
  const world = await worldWith([A, B])
  const { uid } = world.table()
  world.report('node-1', { epoch: 2_000_000_000 })
  await world.operator.stop()
  world.cluster.tables.clear()
  world.cluster.statuses.clear()
  await world.restart()
  await world.pass(1_000)
  expect(world.table()).toMatchObject({ uid, epoch: 2_000_000_001 })
})

test('a balancer with another table under our epoch makes a new epoch', async () => {
  const world = await worldWith([A, B])
  const { epoch } = world.table()
  world.report('node-1', { sha256: '0'.repeat(64) })
  await world.pass(100)
  expect(world.table().epoch).toBe(epoch + 1)
})

test('a table that cannot be written: clear words, service goes on, written when possible', async () => {
  const world = await worldWith([A, B, C])
  const { epoch } = world.table()
  world.cluster.failures.set('table', 'full')
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(5_000)
  expect(world.table().epoch).toBe(epoch)
  expect(world.condition('Degraded')).toBe('True TableNotWritten')
  expect(world.message('Degraded')).toContain('cannot write table: full')
  expect(world.events().filter((event) => event === 'StoreFailed')).toHaveLength(1)
  world.cluster.failures.clear()
  await world.pass(31_000)
  expect(world.slots()['b']).toBe(0)
  expect(world.events()).toContain('StoreRecovered')
})

test('a status that cannot be written does not keep the table from being written', async () => {
  const world = await worldWith([A, B, C])
  world.cluster.failures.set('status', 'denied')
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(1_000)
  expect(world.slots()['b']).toBe(0)
  world.cluster.failures.clear()
  await world.pass(31_000)
  expect(world.status().proxies[1]?.state).toBe('Down')
})

test('round-trip times alone never cause a write', async () => {
  const world = await worldWith([A, B])
  world.report('node-1')
  await world.pass(100)
  const { table, status } = world.cluster.writes
  await world.pass(120_000)
  // Two more for the heartbeat that grew old, which is news.
  expect(world.cluster.writes.table).toBe(table)
  expect(world.cluster.writes.status - status).toBeLessThanOrEqual(1)
})

test('Ready when a balancer uses the table, and not when its heartbeat is old', async () => {
  const world = await worldWith([A, B])
  expect(world.condition('Ready')).toBe('False NoBalancer')
  world.report('node-1')
  await world.pass(100)
  expect(world.condition('Ready')).toBe('True Serving')
  expect(world.condition('TableInSync')).toBe('True InSync')
  expect(world.status().summary.balancers).toBe('1/1')
  await world.pass(100_000)
  expect(world.condition('Ready')).toBe('False NoBalancer')
})

test('Ready stays while balancers are still at the table before, not when they serve another object', async () => {
  const world = await worldWith([A, B, C])
  world.report('node-1')
  await world.pass(100)
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(1_000)
  expect(world.condition('TableInSync')).toBe('False Updating')
  expect(world.condition('Ready')).toBe('True Serving')
  expect(world.message('Ready')).toBe('2 of 3 proxies take users, through 1 balancer.')
  world.report('node-1', { uid: 'another' })
  await world.pass(100)
  expect(world.condition('Ready')).toBe('False NoBalancer')
})

test('TableInSync names who is late', async () => {
  const world = await worldWith([A, B])
  world.report('node-1')
  const { epoch } = world.table()
  world.report('node-2', { epoch: epoch - 1, sha256: 'f'.repeat(64) })
  await world.pass(100)
  expect(world.condition('TableInSync')).toBe('False Updating')
  expect(world.message('TableInSync')).toContain(`not yet: node-2 (epoch ${epoch - 1})`)
  expect(world.condition('Ready')).toBe('True Serving')
})

test('lastTransitionTime stays while a condition does', async () => {
  const world = await worldWith([A, B, C])
  const timeOf = (type: string) =>
    world.status().conditions.find((condition) => condition.type === type)?.lastTransitionTime
  const accepted = timeOf('Accepted')
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(5_000)
  expect(timeOf('Accepted')).toBe(accepted)
  const degraded = timeOf('Degraded')
  expect(degraded).not.toBe(accepted)
  await world.restart()
  expect(timeOf('Degraded')).toBe(degraded)
})

test('what balancers cannot do is said in Degraded', async () => {
  const world = await worldWith([A, B])
  const addresses = [{ address: '203.0.113.10', port: 5060, state: 'PortInUse' as const }]
  const problems = [{ reason: 'PortInUse', message: '203.0.113.10 port 5060: by another program' }]
  world.report('node-1', { addresses, problems })
  await world.pass(100)
  expect(world.condition('Degraded')).toBe('True BalancerProblems')
  expect(world.message('Degraded')).toContain('node-1: PortInUse: 203.0.113.10 port 5060')
  expect(world.condition('Ready')).toBe('False AddressNotBound')
  world.report('node-2')
  await world.pass(100)
  expect(world.condition('Ready')).toBe('True Serving')
})

test('without keys there is no first table, but an old one is served on', async () => {
  const world = new World()
  world.cluster.failures.set('keys', 'denied')
  world.apply([A, B])
  await world.start()
  await world.pass(1_000)
  expect(world.tableOrNull()).toBeNull()
  expect(world.condition('Ready')).toBe('False KeysUnavailable')
  world.cluster.failures.clear()
  await world.pass(6_000)
  expect(world.slots()).toEqual({ a: 2048, b: 2048 })

  world.cluster.keysFile = null
  world.cluster.failures.set('keys', 'denied')
  await world.restart()
  world.prober.behaviours.set(B.address, Behaviour.refuses)
  await world.pass(1_000)
  expect(world.slots()).toEqual({ a: 4096, b: 0 })
  expect(world.table().signingKey).toBe(1)
})

test('keys lost while running are put back; lost for good they are made anew, loudly', async () => {
  const world = await worldWith([A, B])
  const before = world.cluster.keysFile?.text
  world.cluster.keysFile = null
  world.cluster.emit({ what: 'keys' })
  await world.pass(10)
  expect(world.cluster.keysFile).toMatchObject({ text: before })
  expect(world.events()).toContain('KeysRestored')

  await world.operator.stop()
  world.cluster.keysFile = null
  await world.restart()
  expect(world.events()).toContain('KeysRecreated')
  expect(world.table().signingKey).toBe(2)
})

test('an old key gets a successor, which signs in all tables once the balancers accept it', async () => {
  const world = await worldWith([A, B])
  world.report('node-1', {}, [1])
  const year = (text: string) => text.replaceAll('"2026-', '"2025-')
  world.cluster.keysFile = { text: year(world.cluster.keysFile?.text ?? ''), version: 'old' }
  await world.restart()
  await world.pass(6_000)
  expect(world.cluster.keysFile?.text).toContain('"id": 2')
  expect(world.table().signingKey).toBe(1)
  world.report('node-1', {}, [1, 2])
  await world.pass(15_000)
  expect(world.table().signingKey).toBe(2)
})
