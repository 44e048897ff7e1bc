import { encodeTable, SLOTS_MAX, SUSPICION_MS } from '@sipcast/mapping'
import { describe, expect, it } from 'vitest'
import { ID, keysDocument, World } from './balancer.fixture.ts'
import { KEY_ID, REGISTRARS, table } from './forward.fixture.ts'
import { readiness } from './health.ts'
import {
  API_PATIENCE_MS,
  FAREWELL_MS,
  GATHER_MS,
  HEARTBEAT_MS,
  REPORT_RETRY_MS,
  WRITE_RETRY_MS,
} from './limits.ts'
import { SocketState } from './worker-config.ts'

const LATER = '2026-01-01T00:00:00.001Z'

async function running(prepare: (world: World) => void = () => undefined): Promise<World> {
  const world = new World()
  world.publish()
  prepare(world)
  await world.start()
  return world
}

describe('in an orderly world', () => {
  it('a published table reaches all workers, the prober, the disk and the report', async () => {
    const world = await running()
    expect(world.configs.map(([config]) => config?.pools[0]?.table.epoch)).toEqual([1, 1])
    expect(world.targets.map(({ id }) => id)).toEqual([0, 1, 2].map((n) => `${ID}/registrar-${n}`))
    expect(world.copies.get(ID)).toBe(world.documents.get(ID))
    expect(world.sipProxy).toMatchObject({ epoch: 1, uid: 'uid-1', problems: [], deadMarks: [] })
    expect(world.report).toMatchObject({
      name: 'node-a',
      version: '1.2.3',
      acceptedKeyIds: [KEY_ID],
    })
    expect(world.events()).toEqual(['TableInUse'])
  })

  it('a table is reported as in use when every worker uses it, not before', async () => {
    const world = await running()
    world.obey = false
    world.publish({ epoch: 2 })
    await world.pass()
    expect(world.configs[0]).toHaveLength(2)
    expect(world.sipProxy.epoch).toBe(1)
    world.acknowledge(0)
    await world.pass()
    expect(world.sipProxy.epoch).toBe(1)
    world.acknowledge(1)
    await world.pass()
    expect(world.sipProxy.epoch).toBe(2)
  })

  it('nothing is told to workers, kept or reported while nothing changes', async () => {
    const world = await running()
    const before = [world.configs[0]!.length, world.attempts.get('last-good'), world.reports.length]
    world.events()
    for (let pass = 0; pass < 5; pass++) await world.pass()
    expect([
      world.configs[0]!.length,
      world.attempts.get('last-good'),
      world.reports.length,
    ]).toEqual(before)
    expect(world.attempts.get(`table ${ID}`)).toBe(1)
    expect(world.events()).toEqual([])
  })

  it('a heartbeat is reported every HEARTBEAT_MS', async () => {
    const world = await running()
    const before = world.reports.length
    await world.pass(HEARTBEAT_MS - 1000)
    expect(world.reports).toHaveLength(before)
    await world.pass(1000)
    expect(world.reports).toHaveLength(before + 1)
  })

  it('many large tables leave memory as they come: copies are written, garbage is released', async () => {
    const slots = SLOTS_MAX
    const owners = new Uint16Array(slots)
    const ids = Array.from({ length: 20 }, (_, index) => `default.p${index}`)
    const world = await running((one) => {
      ids.forEach((id, index) => {
        const addresses = [`203.0.113.${index + 20}`]
        one.publish({ addresses, slots, owners, backups: owners }, id)
      })
    })
    expect(world.released).toBeGreaterThan(0)
    expect([...world.copies.keys()].toSorted()).toEqual([ID, ...ids].toSorted())
    expect(world.configs[0]!.at(-1)!.pools).toHaveLength(ids.length + 1)
    expect(world.attempts.get('last-good')).toBe(ids.length + 1)
  })

  it('a removed SipProxy is served no more, and its last table kept', async () => {
    const world = await running()
    world.obey = false
    world.publish({ epoch: 2, removed: true })
    await world.pass()
    expect(world.configs[0]!.at(-1)!.pools).toEqual([])
    expect(world.sipProxy.epoch).toBe(1)
    for (const worker of [0, 1]) world.acknowledge(worker)
    await world.pass()
    expect(world.report.sipProxies).toEqual([])
    expect(world.targets).toEqual([])
    expect(world.copies.get(ID)).toBe(world.documents.get(ID))
  })

  it('SIGTERM stops probes and workers, and the last report says so', async () => {
    const world = await running()
    await world.balancer.stop()
    expect(world.isStopped).toBe(true)
    expect(world.targets).toEqual([])
    expect(world.report).toMatchObject({
      sipProxies: [],
      conditions: [{ type: 'Ready', status: 'False', reason: 'Stopped' }],
    })
  })
})

describe('proxies that do not answer', () => {
  it('are marked dead in the memory that workers see, reported at once, and alive again later', async () => {
    const world = await running()
    const dead = new Uint8Array(world.configs[1]![0]!.pools[0]!.dead)
    for (let miss = 0; miss < 2; miss++) world.probed('registrar-1', 'timeout')
    expect([...dead]).toEqual([0, 1, 0])
    await world.pass()
    expect(world.sipProxy).toMatchObject({
      deadMarks: [{ id: 'registrar-1' }],
      unanswered: ['registrar-1'],
    })
    expect(world.events()).toContain('ProxyMarkedDead')
    for (let answer = 0; answer < 3; answer++) world.probed('registrar-1', 'accepted')
    expect([...dead]).toEqual([0, 0, 0])
    await world.pass()
    expect(world.sipProxy.deadMarks).toEqual([])
    expect(world.events()).toContain('ProxyMarkLifted')
  })

  it('stay marked over a table that says nothing new about them', async () => {
    const world = await running()
    for (let miss = 0; miss < 2; miss++) world.probed('registrar-1', 'timeout')
    world.publish({ epoch: 2, members: [...table().members].reverse() })
    await world.pass()
    expect([...new Uint8Array(world.configs[0]!.at(-1)!.pools[0]!.dead)]).toEqual([0, 1, 0])
    world.publish({ epoch: 3, members: table().members.map((one) => ({ ...one, since: LATER })) })
    await world.pass()
    expect([...new Uint8Array(world.configs[0]!.at(-1)!.pools[0]!.dead)]).toEqual([0, 0, 0])
  })

  it.each(['probe', 'packet'])(
    'are probed at once after a refused %s, and marked if nothing answers',
    async (what) => {
      const world = await running()
      const [host, port] = REGISTRARS[0].split(':')
      if (what === 'probe') world.probed('registrar-0', 'refused')
      else world.balancer.refused(host!, Number(port))
      expect(world.probedNow).toEqual([`${ID}/registrar-0`])
      await world.pass(SUSPICION_MS)
      await world.pass(GATHER_MS)
      expect(world.sipProxy.deadMarks).toMatchObject([{ id: 'registrar-0' }])
    },
  )

  it('are only reported while the panic guard holds', async () => {
    const world = await running()
    for (let miss = 0; miss < 2; miss++) {
      for (const member of ['registrar-0', 'registrar-1', 'registrar-2'])
        world.probed(member, 'timeout')
    }
    await world.pass()
    expect(world.sipProxy).toMatchObject({
      deadMarks: [],
      unanswered: ['registrar-0', 'registrar-1', 'registrar-2'],
      problems: [{ reason: 'ProbePanic' }],
    })
  })
})

describe('in a broken world', () => {
  it('bad tables are refused, counted once, reported; the old one serves on until a good one comes', async () => {
    const world = await running()
    world.events()
    world.documents.set(ID, world.documents.get(ID)!.slice(0, 300))
    for (let pass = 0; pass < 3; pass++) await world.pass()
    expect(world.sipProxy).toMatchObject({ epoch: 1, problems: [{ reason: 'TableNotJson' }] })
    expect(world.balancer.state.tallies.tablesRefused.get('TableNotJson')).toBe(1)
    expect(world.events()).toEqual(['TableNotJson'])
    world.publish({ epoch: 2 })
    await world.pass()
    await world.pass()
    expect(world.sipProxy).toMatchObject({ epoch: 2, problems: [] })
    expect(world.events().toSorted()).toEqual(['TableInUse', 'TableNotJsonMended'])
  })

  it('an epoch that goes back is refused; an object made again is not', async () => {
    const world = await running((one) => one.publish({ epoch: 5 }))
    world.publish({ epoch: 4 })
    await world.pass()
    expect(world.sipProxy).toMatchObject({ epoch: 5, problems: [{ reason: 'EpochBack' }] })
    world.publish({ epoch: 1, uid: 'uid-2', objectCreated: LATER })
    await world.pass()
    await world.pass()
    expect(world.sipProxy).toMatchObject({ epoch: 1, uid: 'uid-2', problems: [] })
  })

  it('a vanished table changes nothing and is reported', async () => {
    const world = await running()
    world.documents.clear()
    await world.pass()
    expect(world.configs[0]).toHaveLength(1)
    expect(world.sipProxy).toMatchObject({ epoch: 1, problems: [{ reason: 'TableVanished' }] })
  })

  it('one table that cannot be read does not hold up the others', async () => {
    const world = await running((one) => {
      one.publish({ addresses: ['203.0.113.99'] }, 'default.a')
      one.publish({ addresses: ['203.0.113.98'] }, 'default.z')
      one.broken.add(`table ${ID}`)
    })
    expect(world.configs[0]!.at(-1)!.pools.map((pool) => pool.table.name)).toEqual(['a', 'z'])
    world.broken.clear()
    await world.pass()
    expect(world.configs[0]!.at(-1)!.pools).toHaveLength(3)
  })

  it('tables that cannot be listed are no vanished tables', async () => {
    const world = await running()
    world.broken.add('tables')
    for (let pass = 0; pass < 3; pass++) await world.pass()
    expect(world.sipProxy).toMatchObject({ epoch: 1, problems: [] })
    expect(world.events().filter((event) => event === 'StoreFailed')).toHaveLength(1)
    world.broken.clear()
    await world.pass()
    expect(world.events()).toEqual(['StoreFailedMended'])
  })

  it('missing keys are waited for: nothing is served, and the reason is plain', async () => {
    const world = await running((one) => {
      one.keysText = null
    })
    expect(world.configs[0]!.at(-1)!.pools).toEqual([])
    expect(world.sipProxy).toMatchObject({
      epoch: null,
      problems: [{ reason: 'SigningKeyUnknown' }],
    })
    expect(world.report.conditions).toMatchObject([{ status: 'False', reason: 'KeysMissing' }])
    expect(world.events()).toContain('KeysMissing')
    world.keysText = keysDocument(KEY_ID)
    await world.pass()
    await world.pass()
    expect(world.sipProxy).toMatchObject({ epoch: 1, problems: [] })
  })

  it('vanished or broken keys leave the last good ones in use', async () => {
    const world = await running()
    for (const text of [null, '{"keys": [']) {
      world.keysText = text
      await world.pass()
      expect(world.report.acceptedKeyIds).toEqual([KEY_ID])
      expect(world.configs[0]).toHaveLength(1)
    }
    expect(world.events()).toEqual(expect.arrayContaining(['KeysMissing', 'KeysBad']))
  })

  it('a disk that takes no copies is told once and tried again, and service goes on', async () => {
    const world = await running((one) => one.broken.add('last-good'))
    expect(world.sipProxy.epoch).toBe(1)
    for (let pass = 0; pass < 10; pass++) await world.pass(WRITE_RETRY_MS / 2)
    expect(world.events().filter((event) => event.startsWith('StoreFailed'))).toEqual([
      'StoreFailed',
    ])
    expect(world.balancer.state.tallies.storeFailures.get('last-good')).toBeLessThanOrEqual(6)
    world.broken.clear()
    await world.pass(WRITE_RETRY_MS)
    expect(world.copies.get(ID)).toBe(world.documents.get(ID))
    expect(world.events()).toEqual(['StoreFailedMended'])
  })

  it('a report that cannot be written is tried again, not with every pass', async () => {
    const world = await running((one) => one.broken.add('report'))
    expect(world.configs[0]!.at(-1)!.pools).toHaveLength(1)
    const tried = world.attempts.get('report')!
    for (let pass = 0; pass < 3; pass++) {
      world.balancer.sourceChanged()
      await world.pass(REPORT_RETRY_MS / 4)
    }
    expect(world.attempts.get('report')).toBe(tried)
    world.broken.clear()
    await world.pass(REPORT_RETRY_MS)
    expect(world.sipProxy.epoch).toBe(1)
  })

  it('a report that hangs delays no table, and the newest one follows it', async () => {
    const world = await running()
    const { promise, resolve } = Promise.withResolvers<void>()
    world.reportGate = promise
    world.publish({ epoch: 2 })
    await world.pass()
    expect(world.configs[0]!.at(-1)!.pools[0]!.table.epoch).toBe(2)
    world.publish({ epoch: 3 })
    for (let pass = 0; pass < 3; pass++) await world.pass()
    expect(world.configs[0]!.at(-1)!.pools[0]!.table.epoch).toBe(3)
    expect(world.sipProxy.epoch).toBe(1)
    resolve()
    for (let pass = 0; pass < 3; pass++) await world.pass()
    expect(world.sipProxy.epoch).toBe(3)
  })

  it('told to end, it says so at once and serves on for the drain time', async () => {
    const world = new World({ drainMs: 5_000 })
    world.publish()
    await world.start()
    const stopped = world.balancer.stop()
    expect(readiness(world.balancer.state)).toMatchObject({ isReady: false, reason: 'Stopping' })
    await world.pass(GATHER_MS)
    expect(world.report.conditions).toMatchObject([{ status: 'False', reason: 'Stopping' }])
    world.publish({ epoch: 2 })
    for (let pass = 0; pass < 4; pass++) await world.pass()
    expect(world.sipProxy.epoch).toBe(2)
    expect(world.isStopped).toBe(false)
    await world.pass()
    await stopped
    expect(world.isStopped).toBe(true)
  })

  it('the last report is not waited for beyond its time', async () => {
    const world = await running()
    world.reportGate = new Promise(() => undefined)
    world.balancer.sourceChanged()
    const stopped = world.balancer.stop()
    for (let step = 0; step < 4; step++) await world.pass(FAREWELL_MS)
    await stopped
    expect(world.isStopped).toBe(true)
    expect(world.events()).toContain('StoreFailed')
  })

  it('tables that may be old serve on, which is told once, after a while', async () => {
    const world = await running()
    world.events()
    world.stale = { sinceMs: world.time.nowMs(), message: 'connection refused' }
    await world.pass(API_PATIENCE_MS - 1)
    expect(world.events()).toEqual([])
    world.publish({ epoch: 2 })
    for (let pass = 0; pass < 3; pass++) await world.pass()
    expect(world.events()).toEqual(['StoreFailed', 'TableInUse'])
    expect(world.balancer.state.staleSinceMs).not.toBeNull()
    world.stale = null
    await world.pass()
    expect(world.events()).toEqual(['StoreFailedMended'])
  })

  it('a source that knows nothing yet is no empty one: copies serve, nothing is reported as gone', async () => {
    const before = await running()
    const world = new World()
    world.copies.set(ID, before.documents.get(ID)!)
    world.isUnknown = true
    await world.start()
    expect(world.sipProxy).toMatchObject({ epoch: 1, problems: [] })
    expect(world.events()).toEqual(['TableInUse'])
  })

  it('maintenance is reported as somebody wants it', async () => {
    const world = await running((one) => {
      one.orders.isMaintenanceWanted = true
    })
    expect(world.report.maintenance).toBe(true)
    world.orders.isMaintenanceWanted = false
    await world.pass()
    expect(world.report.maintenance).toBe(false)
  })

  it('a report that somebody removed is written again at once', async () => {
    const world = await running()
    const before = world.reports.length
    world.orders.isGone = true
    await world.pass()
    expect(world.reports).toHaveLength(before + 1)
  })

  it('a port that is taken is reported with the address, and told once', async () => {
    const world = await running((one) => {
      one.socketState = { state: SocketState.portInUse, message: 'EADDRINUSE' }
    })
    await world.pass()
    expect(world.sipProxy.addresses[0]).toMatchObject({
      address: '203.0.113.10',
      state: 'PortInUse',
    })
    expect(world.sipProxy.problems).toMatchObject([
      { reason: 'PortInUse' },
      { reason: 'PortInUse' },
    ])
    expect(world.report.conditions).toMatchObject([{ status: 'False', reason: 'NothingBound' }])
  })

  it('an inside port that is taken is told, and a problem of every SipProxy', async () => {
    const world = await running((one) => {
      one.insideState = { state: SocketState.portInUse, message: 'EADDRINUSE' }
    })
    await world.pass()
    const message = '10.0.9.1 port 5070: EADDRINUSE'
    expect(world.sipProxy.problems).toContainEqual({ reason: 'InsideNotBound', message })
    expect(world.events()).toContain('InsideNotBound')
    expect(world.report.conditions).toMatchObject([{ status: 'False', reason: 'InsideNotBound' }])
    world.insideState = {}
    world.acknowledge(0)
    world.acknowledge(1)
    await world.pass()
    expect(world.events()).toContain('InsideNotBoundMended')
  })
})

describe('without an operator', () => {
  it('the last good tables serve at once', async () => {
    const before = await running()
    const world = new World()
    for (const [id, text] of before.copies) world.copies.set(id, text)
    world.broken.add('tables')
    await world.start()
    expect(world.sipProxy).toMatchObject({ epoch: 1 })
    expect(world.report.conditions).toMatchObject([{ status: 'True', reason: 'Serving' }])
  })

  it('a published table that is older than the last good one does not come into use', async () => {
    const before = await running((one) => one.publish({ epoch: 9 }))
    const world = new World()
    for (const [id, text] of before.copies) world.copies.set(id, text)
    world.publish({ epoch: 3 })
    await world.start()
    expect(world.sipProxy).toMatchObject({ epoch: 9, problems: [{ reason: 'EpochBack' }] })
  })

  it('a broken copy is refused like any table', async () => {
    const world = new World()
    world.copies.set(ID, '{')
    world.publish()
    await world.start()
    expect(world.sipProxy).toMatchObject({ epoch: 1, problems: [] })
    expect(world.balancer.state.tallies.tablesRefused.get('TableNotJson')).toBe(1)
  })

  it('a SipProxy that was removed before the restart stays removed', async () => {
    const before = await running((one) => one.publish({ epoch: 2, removed: true }))
    const world = new World()
    for (const [id, text] of before.copies) world.copies.set(id, text)
    world.publish({ epoch: 1 })
    await world.start()
    expect(world.configs[0]!.at(-1)!.pools).toEqual([])
  })
})

describe('two SipProxies that claim one address', () => {
  it('are both served, the younger without it, and told so', async () => {
    const world = await running((one) => {
      one.publish(
        { addresses: ['203.0.113.10', '203.0.113.11'], objectCreated: LATER },
        'default.young',
      )
    })
    const served = world.configs[0]!.at(-1)!.pools.map((pool) => [...pool.table.addresses])
    expect(served).toEqual([['203.0.113.10', '2001:db8::10'], ['203.0.113.11']])
    const young = world.report.sipProxies.find(({ name }) => name === 'young')!
    expect(young.problems).toMatchObject([{ reason: 'AddressTaken' }])
    const generations = world.configs[0]!.length
    await world.pass()
    expect(world.configs[0]).toHaveLength(generations)
  })
})

it('a SipProxy that was removed while this balancer was away does not keep its address from another', async () => {
  const world = await running((one) => {
    one.copies.set(ID, encodeTable(table()))
    one.documents.clear()
    one.publish({ objectCreated: LATER }, 'default.young')
  })
  const served = world.configs[0]!.at(-1)!.pools.map(({ table: { name } }) => name)
  expect(served).toEqual(['young'])
  const gone = world.report.sipProxies.find(({ name }) => name === 'registrars')!
  expect(gone.problems.map(({ reason }) => reason)).toContain('AddressTaken')
  const young = world.report.sipProxies.find(({ name }) => name === 'young')!
  expect(young.problems).toEqual([])
})

it('only the addresses of --address are asked of the workers', async () => {
  const world = new World({ addresses: ['203.0.113.10'] })
  world.publish()
  await world.start()
  expect(world.configs[0]![0]!.addresses).toEqual(['203.0.113.10'])
  expect(world.sipProxy.addresses.map(({ address }) => address)).toEqual(['203.0.113.10'])
})

it('proxies of an IP version without an inside address are reported', async () => {
  const world = new World({ inside: [{ address: '10.0.9.1', port: 5070 }] })
  world.publish()
  await world.start()
  expect(world.sipProxy.problems).toMatchObject([{ reason: 'NoInsideAddress' }])
})
