/** What only a cluster brings into the pass: address pools, the readiness gate, pods, a successor. */
import { encodeTable, sealTable } from '@sipcast/mapping'
import { expect, test } from 'vitest'
import { AddressPools } from './address-pools.ts'
import { Behaviour } from './io/memory-prober.ts'
import type { Origin, Pod, PodGate } from './ports.ts'
import { A, B, KEY, World, worldWith } from './world.fixture.ts'

const UNSAID: PodGate = { status: null, reason: '', message: '' }
const SELECTING = { proxies: { selector: {} } }
const FIRST: Origin = { uid: 'first', createdMs: Date.UTC(2026, 10, 23), generation: 1 }

function pod(name: string, address: string | null, more: Partial<Pod> = {}): Pod {
  return {
    name,
    uid: `uid of ${name}`,
    addresses: address === null ? [] : [address],
    hostAddresses: ['10.0.0.1'],
    annotations: {},
    deleting: false,
    ready: true,
    gate: UNSAID,
    ...more,
  }
}

async function worldOfPods(...pods: readonly Pod[]): Promise<World> {
  const world = new World()
  world.cluster.podList = pods
  world.apply([], { spec: SELECTING, origin: FIRST })
  await world.start()
  await world.pass(1_000)
  return world
}

test('an address outside the pools is refused, with what would allow it; inside them it is served', async () => {
  const addressPools = new AddressPools([
    { cidr: '198.51.100.0/24' },
    { cidr: '203.0.113.0/24', namespaces: ['voice'] },
  ])
  const world = new World({ addressPools })
  world.apply([A])
  world.apply([B], { key: 'voice/voice' })
  await world.start()
  await world.pass(1_000)
  expect(world.condition('Accepted')).toBe('False AddressNotAllowed')
  expect(world.message('Accepted')).toBe(
    'spec.addresses[0]: 203.0.113.10 is in no address pool of namespace default: choose one of 198.51.100.0/24, or have the address pools changed. Nothing is served until this is mended.',
  )
  expect(world.tableOrNull()).toBeNull()
  // Whoever may not have it keeps nobody from it, not even by being older.
  expect(world.condition('Accepted', 'voice/voice')).toBe('True Accepted')
  expect(world.slots('voice/voice')).toEqual({ b: 4096 })
})

test('a pool taken away while a SipProxy lives from it: its pods are followed on, under the last good spec', async () => {
  const a = pod('a', '192.0.2.1')
  const b = pod('b', '192.0.2.2')
  const world = await worldOfPods(a, b)
  await world.restart({ addressPools: new AddressPools([]) })
  await world.pass(1_000)
  world.cluster.setPods([a, pod('b', '192.0.2.22', { uid: 'another' })])
  await world.pass(1_000)
  expect(world.condition('Accepted')).toBe('False AddressNotAllowed')
  expect(world.table().members).toMatchObject([
    { id: 'a', address: '192.0.2.1' },
    { id: 'b', address: '192.0.2.22' },
  ])
  // What was never in force does not come into force by this.
  world.apply([], {
    spec: { ...SELECTING, addresses: ['203.0.113.99'] },
    origin: { ...FIRST, generation: 2 },
  })
  await world.restart({ addressPools: new AddressPools([]) })
  await world.pass(1_000)
  expect(world.table()).toMatchObject({ addresses: ['203.0.113.10'], generation: 1 })
})

test('a pool taken away leaves the last good table in force', async () => {
  const world = await worldWith([A, B])
  await world.restart({ addressPools: new AddressPools([]) })
  await world.pass(1_000)
  expect(world.condition('Accepted')).toBe('False AddressNotAllowed')
  expect(world.slots()).toEqual({ a: 2048, b: 2048 })
})

test('the gate says what probes say, once there is an answer, and only where it is declared', async () => {
  const world = await worldOfPods(pod('a', '192.0.2.1'), pod('b', '192.0.2.2', { gate: null }))
  expect([...world.cluster.gates]).toEqual([
    [
      'default/a',
      { status: 'True', reason: 'Answers', message: `Answers OPTIONS for SipProxy ${KEY}.` },
    ],
  ])
  world.prober.behaviours.set('192.0.2.1', Behaviour.refuses)
  await world.pass(1_500)
  expect(world.cluster.gates.get('default/a')).toEqual({
    status: 'False',
    reason: 'Refused',
    message: `SipProxy ${KEY}: nobody listens at 192.0.2.1:5060 (ICMP).`,
  })
  const { gate: writes } = world.cluster.writes
  await world.pass(60_000)
  expect(world.cluster.writes.gate).toBe(writes)
})

test('the gate of a pod whose containers are not ready may be True: eligible it is only with both', async () => {
  const world = await worldOfPods(pod('a', '192.0.2.1', { ready: false }), pod('b', '192.0.2.2'))
  expect(world.cluster.gates.get('default/a')?.status).toBe('True')
  expect(world.slots()).toEqual({ a: 0, b: 4096 })
  expect(world.states()).toEqual({ a: 'NotReady', b: 'Up' })
})

test('a pod of two SipProxies is ready when it answers for both', async () => {
  const world = await worldOfPods(pod('a', '192.0.2.1'))
  world.apply([], {
    key: 'default/more',
    spec: { ...SELECTING, addresses: ['203.0.113.11'], probe: { acceptedCodes: ['404'] } },
  })
  await world.pass(1_000)
  world.prober.behaviours.set('192.0.2.1', Behaviour.fails)
  await world.pass(2_000)
  expect(world.cluster.gates.get('default/a')?.message).toContain(`SipProxy ${KEY}:`)
  expect(world.cluster.gates.get('default/a')?.message).toContain('SipProxy default/more:')
  world.cluster.remove('default/more')
  world.prober.behaviours.delete('192.0.2.1')
  await world.pass(3_000)
  expect(world.cluster.gates.get('default/a')?.status).toBe('True')
})

test('a pod that no SipProxy has any more says so: nobody asks whether it answers', async () => {
  const world = await worldOfPods(pod('a', '192.0.2.1'), pod('b', '192.0.2.2', { gate: null }))
  expect(world.cluster.gates.get('default/a')?.status).toBe('True')
  world.cluster.remove(KEY)
  await world.pass(1_000)
  expect([...world.cluster.gates]).toEqual([
    [
      'default/a',
      {
        status: 'Unknown',
        reason: 'NotProbed',
        message: 'No SipProxy has this pod among its proxies, so nobody asks whether it answers.',
      },
    ],
  ])
  world.apply([], { spec: SELECTING, origin: { ...FIRST, uid: 'second' } })
  await world.pass(2_000)
  expect(world.cluster.gates.get('default/a')?.status).toBe('True')
})

test('what a selector no longer takes in is let go, but never what only its new address hides', async () => {
  const a = pod('a', '192.0.2.1')
  const world = await worldOfPods(a, pod('b', '192.0.2.2'))
  world.cluster.setPods([a])
  await world.pass(1_000)
  expect(world.cluster.gates.get('default/b')?.status).toBe('Unknown')
  const { gate: writes } = world.cluster.writes
  world.prober.behaviours.set('192.0.2.9', Behaviour.silent)
  world.cluster.setPods([
    { ...a, addresses: ['192.0.2.9'], gate: world.cluster.gates.get('default/a') ?? UNSAID },
  ])
  await world.pass(100)
  expect(world.cluster.writes.gate).toBe(writes)
})

test('a pod without an address is no member yet; of two addresses the version of the SipProxy counts', async () => {
  const world = await worldOfPods(
    pod('a', null),
    pod('b', '2001:db8::2', { addresses: ['2001:db8::2', '192.0.2.2'] }),
  )
  expect(world.table().members).toMatchObject([{ id: 'b', address: '192.0.2.2' }])
  world.cluster.setPods([pod('a', '192.0.2.1'), pod('b', '192.0.2.2')])
  await world.pass(1_000)
  expect(world.table().members.map(({ id }) => id)).toEqual(['a', 'b'])
})

test('weight and drain are annotations of pods; one that is being deleted loses its slots and stays', async () => {
  const a = pod('a', '192.0.2.1', { annotations: { 'sipcast.io/weight': '3' } })
  const b = pod('b', '192.0.2.2')
  const world = await worldOfPods(a, b)
  expect(world.slots()).toEqual({ a: 3072, b: 1024 })
  world.cluster.setPods([{ ...a, deleting: true }, b])
  await world.pass(100)
  expect(world.slots()).toEqual({ a: 0, b: 4096 })
  world.cluster.setPods([a, { ...b, annotations: { 'sipcast.io/drain': 'true' } }])
  await world.pass(1_000)
  expect(world.states()).toMatchObject({ b: 'Draining' })
})

test('a new leader stamps its number on every table, and nobody moves', async () => {
  const world = await worldWith([A, B])
  const before = world.owners()
  await world.restart({ leaseTransitions: 7 })
  await world.pass(100)
  expect(world.table().leaseTransitions).toBe(7)
  expect(world.owners()).toEqual(before)
})

test('what the predecessor wrote last is gone on from, even if the new leader hears of it late', async () => {
  const world = await worldWith([A, B])
  await world.restart({ leaseTransitions: 6 })
  const { sha256: _, ...before } = world.table()
  const moved = { ...before, epoch: before.epoch + 1, owners: before.owners.toReversed() }
  await world.operator.stop()
  world.makeOperator({ leaseTransitions: 7 })
  // The tables are being read when the last write of the predecessor arrives.
  const starting = world.operator.start()
  world.cluster.meddle(KEY, encodeTable(sealTable(moved)))
  await starting
  await world.pass(1_000)
  expect(world.table()).toMatchObject({ leaseTransitions: 7, owners: moved.owners })
  expect(world.events()).not.toContain('TableForeign')
})

test('a write whose answer was lost is nobody else’s', async () => {
  const world = await worldWith([A, B])
  world.cluster.isDeaf = true
  world.apply([A])
  await world.pass(100)
  expect(world.condition('Degraded')).toBe('True TableNotWritten')
  world.cluster.isDeaf = false
  await world.pass(30_000)
  expect(world.slots()).toEqual({ a: 4096 })
  expect(world.condition('Degraded')).toBe('False AsExpected')
  expect(world.events()).not.toContain('TableForeign')
})

test('whoever meets the table of a successor writes nothing more and says why', async () => {
  const world = await worldWith([A, B])
  await world.restart({ leaseTransitions: 7 })
  await world.pass(100)
  const theirs = world.cluster.tables.get(KEY)?.text ?? ''
  await world.restart({ leaseTransitions: 6 })
  await world.pass(1_000)
  expect(world.deposed).toContain(`the table of ${KEY} was written under a later lease`)
  expect(world.cluster.tables.get(KEY)?.text).toBe(theirs)
})

test('what failed is tried again as soon as the store is back, not after its back-off', async () => {
  const world = await worldWith([A, B])
  world.cluster.failures.set('table', 'unavailable')
  world.apply([A])
  await world.pass(60_000)
  expect(world.condition('Degraded')).toBe('True TableNotWritten')
  world.cluster.failures.clear()
  world.cluster.emit({ what: 'recovery' })
  await world.pass(10)
  expect(world.slots()).toEqual({ a: 4096 })
})
