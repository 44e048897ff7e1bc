import { describe, expect, it } from 'vitest'
import { ID, World } from './balancer.fixture.ts'
import { table } from './forward.fixture.ts'
import type { Counters } from './counters.ts'
import {
  PROVED_ADDRESSES_MAX,
  SELF_TEST_FALL,
  SERVED_FRESH_MS,
  SOCKETS_PATIENCE_MS,
  TURN_FRESH_MS,
} from './limits.ts'
import { parseProof, type Proof, Prover } from './proof.ts'
import { Verdict } from './verdict.ts'
import { SocketState } from './worker-config.ts'

const ADDRESSES = table().addresses

async function running(prepare: (world: World) => void = () => undefined) {
  const world = new World()
  world.publish()
  prepare(world)
  await world.start()
  const prover = new Prover('node-a', world.balancer.state)
  const look = (): Proof => prover.prove({ ms: world.time.nowMs(), iso: 'now' })
  const prove = (): Proof => {
    for (const counters of world.counters) counters.turn()
    return look()
  }
  /** Proofs as an announcer asks for them, each after a turn of the workers that still turn. */
  const proveFor = (ms: number, meanwhile: () => void = () => undefined): Proof => {
    for (let passedMs = 0; passedMs < ms; passedMs += LOOK_MS) {
      world.time.advance(LOOK_MS)
      meanwhile()
      look()
    }
    return look()
  }
  const turn = (): void => world.counters.forEach((counters) => counters.turn())
  return { world, prover, prove, look, proveFor, turn }
}

const LOOK_MS = 200

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
    const { addresses } = new Prover('a', world.balancer.state).prove({ ms: 0, iso: '' })
    expect(addresses.slice(0, ADDRESSES.length)).toEqual(ADDRESSES)
    expect(addresses).toHaveLength(PROVED_ADDRESSES_MAX)
  })

  it('goes on with an address that another SipProxy wants to use with a port that cannot be bound', async () => {
    const { world, prove } = await running()
    expect(prove().ready).toEqual(ADDRESSES)
    world.socketStates.set('80', { state: SocketState.failed, message: 'EACCES' })
    world.publish({ addresses: ADDRESSES, port: 80, uid: 'another' }, 'default.greedy')
    for (let pass = 0; pass < 3; pass++) {
      await world.pass()
      expect(prove().ready).toEqual(ADDRESSES)
    }
    expect(world.balancer.state.sockets.merged().filter(({ port }) => port === 80)).toHaveLength(
      ADDRESSES.length,
    )
  })

  it('does not begin with an address whose oldest SipProxy it cannot serve', async () => {
    const { world, proveFor, turn } = await running((world) => {
      world.socketStates.set('5060', { state: SocketState.portInUse, message: 'EADDRINUSE' })
      const objectCreated = '2026-11-01T00:00:00.000Z'
      const younger = { addresses: ADDRESSES, port: 5080, objectCreated, uid: 'another' }
      world.publish(younger, 'default.a-younger-one')
    })
    await world.pass()
    expect(proveFor(10 * SOCKETS_PATIENCE_MS, turn)).toMatchObject({ ready: [], reason: 'Serving' })
    world.socketStates.clear()
    world.publish({ epoch: 2 })
    for (let pass = 0; pass < 3; pass++) await world.pass()
    expect(proveFor(LOOK_MS, turn).ready).toEqual(ADDRESSES)
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

  it('serves by the old table until the new one is in use', async () => {
    const { world, prove } = await running()
    world.obey = false
    world.publish({ epoch: 2 })
    await world.pass()
    expect(prove()).toMatchObject({ ready: ADDRESSES, reason: 'Serving' })
    world.acknowledge(0)
    expect(prove().ready).toEqual(ADDRESSES)
    world.acknowledge(1)
    await world.pass()
    expect(prove().ready).toEqual(ADDRESSES)
  })

  it('is not of a balancer without workers', async () => {
    const { world, prove } = await running()
    world.stopped.add(0)
    expect(prove()).toMatchObject({ isAlive: true, ready: [] })
    world.stopped.add(1)
    expect(prove()).toMatchObject({ isAlive: false, addresses: ADDRESSES, ready: [] })
  })

  it('serves nothing while a worker does not turn', async () => {
    const { world, prove, proveFor } = await running()
    expect(prove().ready).toEqual(ADDRESSES)
    const stale = proveFor(TURN_FRESH_MS + LOOK_MS, () => world.counters[0]!.turn())
    expect(stale).toMatchObject({ isAlive: true, ready: [], reason: 'WorkersStale' })
    expect(prove().ready).toEqual(ADDRESSES)
  })

  it('takes no standstill of its own for one of the workers', async () => {
    const { world, prove, look } = await running()
    prove()
    world.time.advance(10 * TURN_FRESH_MS)
    expect(look().ready).toEqual(ADDRESSES)
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

describe('the test of our own addresses', () => {
  const flood =
    (world: World, addresses = ADDRESSES) =>
    () => {
      world.counters.forEach((counters) => counters.turn())
      world.counters[1]!.decided(Verdict.dropRate)
      for (const one of addresses) world.served.set(one, (world.served.get(one) ?? 0) + 1)
      world.acknowledge(1)
    }
  const fail = (world: World): void => {
    for (let miss = 0; miss < SELF_TEST_FALL; miss++) world.selfTested('timeout')
  }

  it('has to be passed before an address is served, whatever flows', async () => {
    const { world, prove, proveFor } = await running((one) => {
      one.answersItself = false
    })
    expect(world.ownTargets.map(({ address, port }) => [address, port])).toEqual(
      ADDRESSES.map((address) => [address, 5060]),
    )
    const unproven = { addresses: ADDRESSES, ready: [], reason: 'SelfTestUnanswered' }
    expect(prove()).toMatchObject(unproven)
    expect(proveFor(3 * SERVED_FRESH_MS, flood(world))).toMatchObject(unproven)
    world.selfTested('rejected')
    expect(prove()).toMatchObject(unproven)
    world.selfTested('accepted')
    expect(prove()).toMatchObject({ ready: ADDRESSES, reason: 'Serving' })
  })

  it('is of each address', async () => {
    const { world, prove } = await running((one) => {
      one.answersItself = false
    })
    world.ownTargets = world.ownTargets.slice(1)
    world.selfTested('accepted')
    expect(prove()).toMatchObject({ ready: ADDRESSES.slice(1), reason: 'SelfTestUnanswered' })
  })

  it('may go unanswered now and then', async () => {
    const { world, prove, proveFor, turn } = await running()
    prove()
    for (let miss = 1; miss < SELF_TEST_FALL; miss++) world.selfTested('timeout')
    expect(proveFor(2 * SERVED_FRESH_MS, turn).ready).toEqual(ADDRESSES)
  })

  it('may drown in a flood that is being dealt with', async () => {
    const { world, prove, proveFor, turn } = await running()
    prove()
    flood(world)()
    fail(world)
    expect(proveFor(10_000, flood(world)).ready).toEqual(ADDRESSES)
    expect(proveFor(SERVED_FRESH_MS + LOOK_MS, turn)).toMatchObject({
      ready: [],
      reason: 'SelfTestUnanswered',
    })
  })

  it('does not drown where another address is flooded', async () => {
    const { world, prove, proveFor } = await running()
    prove()
    const [flooded = '', ...others] = ADDRESSES
    expect(others).not.toEqual([])
    proveFor(SERVED_FRESH_MS, flood(world, [flooded]))
    fail(world)
    expect(proveFor(SERVED_FRESH_MS + LOOK_MS, flood(world, [flooded])).ready).toEqual([flooded])
  })

  it('counts where nothing flows, and then anew', async () => {
    const { world, proveFor, turn } = await running()
    expect(proveFor(2 * SERVED_FRESH_MS, turn).ready).toEqual(ADDRESSES)
    fail(world)
    expect(proveFor(LOOK_MS, turn).ready).toEqual([])
    expect(proveFor(LOOK_MS, flood(world)).ready).toEqual([])
    world.selfTested('accepted')
    expect(proveFor(LOOK_MS, turn).ready).toEqual(ADDRESSES)
  })

  it.each([
    ['our own tests', (one: Counters) => one.decided(Verdict.answerSelfTest)],
    ['what we cannot place', (one: Counters) => one.decided(Verdict.dropNoSipProxy)],
    [
      'what the kernel does not send',
      (one: Counters) => {
        one.decided(Verdict.toOwner)
        one.sendFailed()
      },
    ],
  ])('is not made up for by %s', async (_what, count) => {
    const { world, prove, proveFor, turn } = await running()
    expect(prove().ready).toEqual(ADDRESSES)
    proveFor(2 * SERVED_FRESH_MS, turn)
    fail(world)
    const proof = proveFor(LOOK_MS, () => {
      turn()
      count(world.counters[0]!)
    })
    expect(proof.ready).toEqual([])
  })

  it('ends with the socket, and begins with it', async () => {
    const { world, prove } = await running()
    expect(prove().ready).toEqual(ADDRESSES)
    world.answersItself = false
    world.socketState = { state: SocketState.addressAbsent, message: 'EADDRNOTAVAIL' }
    for (const index of [0, 1]) world.acknowledge(index)
    await world.pass()
    expect([prove().ready, world.ownTargets]).toEqual([[], []])
    world.socketState = {}
    for (const index of [0, 1]) world.acknowledge(index)
    await world.pass()
    expect(prove()).toMatchObject({ ready: [], reason: 'SelfTestUnanswered' })
    world.selfTested('accepted')
    expect(prove().ready).toEqual(ADDRESSES)
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
      { isLeaving: 'perhaps' },
      { isLeaving: undefined },
      { inside: undefined },
      { orders: {} },
      { orders: { peers: [], nodeLabels: { rack: 1 } } },
    ]
    for (const one of unlike) expect(parseProof(JSON.stringify({ ...proof, ...one }))).toBeNull()
  })
})
