import { describe, expect, it } from 'vitest'
import { ID, World } from './balancer.fixture.ts'
import { table } from './forward.fixture.ts'
import { PROVED_ADDRESSES_MAX, TURN_FRESH_MS } from './limits.ts'
import { parseProof, type Proof, Prover } from './proof.ts'
import { SocketState } from './worker-config.ts'

const ADDRESSES = table().addresses

async function running(prepare: (world: World) => void = () => undefined) {
  const world = new World()
  world.publish()
  prepare(world)
  await world.start()
  const prover = new Prover('node-a', world.balancer.state)
  const prove = (): Proof => {
    for (const counters of world.counters) counters.turn()
    return prover.prove({ ms: world.time.nowMs(), iso: 'now' })
  }
  return { world, prover, prove }
}

describe('a proof', () => {
  it('names what to hold and what is served', async () => {
    const { prove } = await running()
    expect(prove()).toEqual({
      name: 'node-a',
      at: 'now',
      isAlive: true,
      addresses: ADDRESSES,
      isComplete: true,
      ready: ADDRESSES,
      isLeaving: false,
      reason: 'Serving',
      inside: ['10.0.9.1', '2001:db8:9::1'],
      orders: null,
    })
  })

  it('is not complete until every published table was read: at a start addresses are held already', async () => {
    const world = new World()
    const prover = new Prover('node-a', world.balancer.state)
    const prove = (): Proof => prover.prove({ ms: 0, iso: '' })
    expect(prove()).toMatchObject({ isAlive: true, addresses: [], isComplete: false })
    world.isUnknown = true
    world.publish()
    world.publish({ addresses: ['203.0.113.77'] }, 'default.trunks')
    world.copies.set(ID, world.documents.get(ID)!)
    await world.start()
    expect(prove()).toMatchObject({ addresses: ADDRESSES, isComplete: false })
    world.isUnknown = false
    world.broken.add('table default.trunks')
    await world.pass()
    expect(prove()).toMatchObject({ addresses: ADDRESSES, isComplete: false })
    world.broken.clear()
    await world.pass()
    expect(prove()).toMatchObject({
      addresses: [...ADDRESSES, '203.0.113.77'],
      isComplete: true,
    })
    world.broken.add('tables')
    await world.pass()
    expect(prove().isComplete).toBe(true)
  })

  it('names older SipProxies first, and no more than is of use', async () => {
    const world = new World()
    const many = Array.from(
      { length: PROVED_ADDRESSES_MAX },
      (_, index) => `2001:db8::${(index + 1).toString(16)}`,
    )
    for (let from = 0; from < many.length; from += 16) {
      const objectCreated = '2026-11-01T00:00:00.000Z'
      world.publish({ addresses: many.slice(from, from + 16), objectCreated }, `default.p${from}`)
    }
    world.publish()
    await world.start()
    const { addresses, ready } = new Prover('a', world.balancer.state).prove({ ms: 0, iso: '' })
    expect(addresses.slice(0, ADDRESSES.length)).toEqual(ADDRESSES)
    expect(addresses).toHaveLength(PROVED_ADDRESSES_MAX)
    expect(ready.length).toBeLessThanOrEqual(PROVED_ADDRESSES_MAX)
  })

  it('wants addresses held that are not bound yet, or whose table waits for its key', async () => {
    const absent = { state: SocketState.addressAbsent, message: 'EADDRNOTAVAIL' }
    const unbound = await running((world) => Object.assign(world.socketState, absent))
    expect(unbound.prove()).toMatchObject({ addresses: ADDRESSES, ready: [] })
    const waiting = await running((world) => {
      world.documents.clear()
      world.publish({ signingKey: 99 })
    })
    expect(waiting.prove()).toMatchObject({ addresses: ADDRESSES, ready: [] })
  })

  it('names nothing of a removed SipProxy, nor what this balancer is not to serve', async () => {
    const { world, prove } = await running()
    world.publish({ epoch: 2, removed: true })
    for (let pass = 0; pass < 3; pass++) await world.pass()
    expect(prove()).toMatchObject({ addresses: [], ready: [], reason: 'Idle' })

    const narrow = new World({ addresses: ['203.0.113.1'] })
    narrow.publish({ addresses: ['203.0.113.1', '203.0.113.2'] })
    await narrow.start()
    const proof = new Prover('a', narrow.balancer.state).prove({ ms: 0, iso: '' })
    expect(proof.addresses).toEqual(['203.0.113.1'])
  })

  it('is not of a balancer without workers', async () => {
    const { world, prove } = await running()
    world.stopped.add(0)
    expect(prove()).toMatchObject({ isAlive: true, ready: [] })
    world.stopped.add(1)
    expect(prove()).toMatchObject({ isAlive: false, addresses: ADDRESSES, ready: [] })
  })

  it('serves nothing while a worker does not turn', async () => {
    const { world, prover, prove } = await running()
    prove()
    world.time.advance(TURN_FRESH_MS + 1)
    const stale = prover.prove({ ms: world.time.nowMs(), iso: '' })
    expect(stale).toMatchObject({ isAlive: true, ready: [], reason: 'WorkersStale' })
    expect(prove().ready).toEqual(ADDRESSES)
  })

  it('says that it leaves, for maintenance or at the end, and serves on', async () => {
    const { world, prove } = await running((one) => {
      one.orders.isMaintenanceWanted = true
    })
    expect(prove()).toMatchObject({ ready: ADDRESSES, isLeaving: true, reason: 'Maintenance' })
    world.orders.isMaintenanceWanted = false
    await world.pass()
    void world.balancer.stop()
    expect(prove()).toMatchObject({ ready: ADDRESSES, isLeaving: true, reason: 'Stopping' })
  })
})

describe('what the socket said', () => {
  it('is a proof, or none', async () => {
    const proof = (await running()).prove()
    expect(parseProof(JSON.stringify(proof))).toEqual(proof)
    const orders = { peers: [{ kind: 'BgpPeer' }], nodeLabels: { rack: '1' } }
    expect(parseProof(JSON.stringify({ ...proof, orders }))).toEqual({ ...proof, orders })
    const wrong = ['', '{', 'null', '[]', '{}', JSON.stringify({ ...proof, addresses: [1] })]
    for (const text of wrong) expect(parseProof(text)).toBeNull()
    const unlike = [
      { isAlive: 'yes' },
      { isLeaving: null },
      { inside: undefined },
      { orders: {} },
      { orders: { peers: [], nodeLabels: { rack: 1 } } },
    ]
    for (const one of unlike) expect(parseProof(JSON.stringify({ ...proof, ...one }))).toBeNull()
  })
})
