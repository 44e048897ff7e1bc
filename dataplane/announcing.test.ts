import { describe, expect, it } from 'vitest'
import type { Announcement } from './announcement.ts'
import { World } from './balancer.fixture.ts'
import { table } from './forward.fixture.ts'
import { ANNOUNCEMENT_FRESH_MS, GATHER_MS, HEARTBEAT_MS, PASS_GAP_MAX_MS } from './limits.ts'
import { SocketState } from './worker-config.ts'

const ADDRESSES = table().addresses

const WELL: Announcement = {
  announced: ADDRESSES,
  held: ADDRESSES,
  isInMaintenance: false,
  sessions: [
    { peer: 'tor-a', peerAddress: '192.0.2.1', state: 'Established', bfd: 'Up', announced: 2 },
    { peer: 'tor-b', peerAddress: '192.0.2.2', state: 'Established', bfd: 'Up', announced: 2 },
  ],
  sessionsWanted: 2,
  problems: [],
}

async function heard(announcement: Partial<Announcement>, prepare?: (world: World) => void) {
  const world = new World()
  world.publish()
  prepare?.(world)
  await world.start()
  /** What the announcer says from now on, several times. */
  const say = async (change: Partial<Announcement>): Promise<void> => {
    for (let look = 0; look < 2; look++) {
      world.counters.forEach((counters) => counters.turn())
      world.balancer.prove()
      world.balancer.announced({ ...WELL, ...change })
      await world.pass(GATHER_MS)
    }
  }
  await say(announcement)
  return { world, say, condition: () => conditionOf(world) }
}

function conditionOf(world: World) {
  return world.report.conditions!.find(({ type }) => type === 'Announcing')
}

const idle = (peer: string, message?: string) => ({
  peer,
  state: 'Active' as const,
  ...(message === undefined ? {} : { message }),
})

describe('what the announcer says', () => {
  it('is in the report, address by address and router by router', async () => {
    const { world, condition } = await heard({})
    expect(world.report).toMatchObject({
      heldAddresses: ADDRESSES,
      announcedAddresses: ADDRESSES,
      bgpSessions: WELL.sessions,
      problems: [],
      summary: { serving: '2/2', announced: '2/2', bgp: '2/2' },
      sipProxies: [{ announced: ADDRESSES, problems: [] }],
    })
    expect(condition()).toMatchObject({ status: 'True', reason: 'Announced' })
  })

  it('is reported when it changes, not whenever it is said', async () => {
    const { world, say } = await heard({})
    const reports = world.reports.length
    for (let look = 0; look < 20; look++) await say({})
    expect(world.reports).toHaveLength(reports)
    await say({ announced: ADDRESSES.slice(0, 1) })
    expect(world.reports).toHaveLength(reports + 1)
    expect(world.report.summary?.announced).toBe('1/2')
    expect(world.report.sipProxies[0]!.announced).toEqual(ADDRESSES.slice(0, 1))
  })

  it('is nothing where it announces to nobody', async () => {
    const { world, condition } = await heard({ sessions: null, announced: [], sessionsWanted: 0 })
    expect(condition()).toBeUndefined()
    expect(world.report.heldAddresses).toEqual(ADDRESSES)
    expect(world.report.bgpSessions).toBeUndefined()
    expect(world.report.summary).toEqual({ sipProxies: '1/1', serving: '2/2' })
  })

  it('is not known before it was heard', async () => {
    const world = new World()
    world.publish()
    await world.start()
    await world.pass(HEARTBEAT_MS)
    expect(world.report.conditions).toMatchObject([{ type: 'Ready' }])
    expect(world.events()).not.toContain('AnnouncerSilent')
  })

  const rows: readonly [string, Partial<Announcement>, object][] = [
    [
      'no BgpPeer selects this node',
      { sessions: [], sessionsWanted: 0 },
      { status: 'False', reason: 'NoPeer' },
    ],
    [
      'no session is established; each router says why',
      { sessions: [idle('tor-a', 'Connection refused'), idle('tor-b')] },
      {
        status: 'False',
        reason: 'NoSession',
        message: expect.stringContaining('tor-a: Connection refused; tor-b: Active'),
      },
    ],
    [
      'one session is enough',
      { sessions: [WELL.sessions![0]!, idle('tor-b')] },
      { status: 'True' },
    ],
    [
      'BIRD does not run',
      { sessions: [], problems: [{ reason: 'BirdAbsent', message: 'no control socket' }] },
      { status: 'False', reason: 'BirdAbsent', message: 'no control socket' },
    ],
    [
      'a refused configuration, while the last good one serves',
      { problems: [{ reason: 'BirdRefused', message: 'line 3: syntax error' }] },
      { status: 'True', reason: 'Announced' },
    ],
    [
      'one address of two',
      { announced: ADDRESSES.slice(1) },
      {
        status: 'True',
        reason: 'PartlyAnnounced',
        message: expect.stringContaining('203.0.113.10'),
      },
    ],
    ['no address yet', { announced: [] }, { status: 'False', reason: 'NotAnnouncedYet' }],
    [
      'no address, and why',
      { announced: [], problems: [{ reason: 'IpFailed', message: 'EPERM' }] },
      { status: 'False', reason: 'IpFailed', message: 'EPERM' },
    ],
  ]
  it.each(rows)('%s', async (_sentence, announcement, condition) => {
    expect((await heard(announcement)).condition()).toMatchObject(condition)
  })

  it("a problem is the node's, or that of the SipProxy whose address it names", async () => {
    const refused = { reason: 'AddressOutsidePools', message: ADDRESSES[0]! }
    const bird = { reason: 'BirdRefused', message: 'line 3' }
    const { world } = await heard({ problems: [bird, refused] })
    expect(world.report.problems).toEqual([bird, refused])
    expect(world.report.sipProxies[0]!.problems).toEqual([refused])
  })

  it('a word too many does not cost the report', async () => {
    const message = 'x'.repeat(5000)
    const session = { ...WELL.sessions![0]!, since: 'yesterday', message }
    const { world } = await heard({
      sessions: [session],
      problems: Array.from({ length: 40 }, () => ({ reason: 'BirdRefused', message })),
    })
    expect(world.report.bgpSessions).toMatchObject([{ peer: 'tor-a', message: 'x'.repeat(1024) }])
    expect(world.report.problems).toHaveLength(16)
  })
})

it('orders of the cluster reach the announcer with the proof; that they are not known is a reason', async () => {
  const { world, say, condition } = await heard({ sessions: [], sessionsWanted: 0 })
  expect(world.balancer.prove().orders).toBeNull()
  world.wishTrouble = { reason: 'OrdersUnread', message: 'BgpPeers: forbidden' }
  await world.pass()
  expect(condition()).toMatchObject({ status: 'False', reason: 'OrdersUnread' })
  expect(world.events()).toContain('OrdersUnread')
  world.wishes = { peers: [{ kind: 'BgpPeer' }], nodeLabels: { rack: '1' } }
  world.wishTrouble = null
  await say({})
  await world.pass()
  expect(world.balancer.prove().orders).toEqual(world.wishes)
  expect(condition()).toMatchObject({ status: 'True' })
})

describe('a node that announces nothing', () => {
  it('is not ready: the condition says why', async () => {
    const { condition } = await heard({ announced: [] }, (world) => {
      world.answersItself = false
    })
    expect(condition()).toMatchObject({
      status: 'False',
      reason: 'NotReady',
      message: expect.stringContaining('SelfTestUnanswered'),
    })
  })

  it('waits for a word about maintenance: the condition says why there is none', async () => {
    const wishTrouble = { reason: 'OrdersUnread', message: 'SipBalancer: forbidden' }
    const nothing = { announced: [], isInMaintenance: null }
    const { world, say, condition } = await heard(nothing, (world) => {
      world.orders.isMaintenanceWanted = null
      world.wishTrouble = wishTrouble
    })
    expect(condition()).toMatchObject({ status: 'False', ...wishTrouble })
    world.orders.isMaintenanceWanted = false
    await world.pass()
    await say(nothing)
    expect(condition()).toMatchObject({ status: 'False', reason: 'NotAnnouncedYet' })
  })

  it('names the socket of the address that is missing, and no other', async () => {
    const { condition } = await heard({ announced: ADDRESSES.slice(0, 1) }, (world) => {
      world.socketStates.set('80', { state: SocketState.portInUse, message: 'EADDRINUSE' })
      const addresses = ADDRESSES.slice(0, 1)
      world.publish({ addresses, port: 80, uid: 'another' }, 'default.another')
    })
    const message = `not announced: ${ADDRESSES[1]}: the balancer says Serving`
    expect(condition()).toMatchObject({ status: 'True', reason: 'PartlyAnnounced', message })
  })

  it('announces partly where no router is told of an address', async () => {
    const { condition } = await heard({
      problems: [{ reason: 'NotExported', message: 'no router is told of IPv6' }],
    })
    expect(condition()).toMatchObject({
      status: 'True',
      reason: 'PartlyAnnounced',
      message: 'no router is told of IPv6',
    })
  })

  it('is in maintenance, as the cluster or the announcer says, and says so in its proof at once', async () => {
    const { world, say, condition } = await heard({})
    world.orders.isMaintenanceWanted = true
    await world.pass()
    expect(condition()).toMatchObject({ status: 'False', reason: 'Maintenance' })
    world.orders.isMaintenanceWanted = false
    await world.pass()
    expect(condition()).toMatchObject({ status: 'True', reason: 'Announced' })
    world.balancer.announced({ ...WELL, isInMaintenance: true })
    expect(world.balancer.prove()).toMatchObject({ isLeaving: true, reason: 'Maintenance' })
    await say({ isInMaintenance: true })
    expect(world.report).toMatchObject({ maintenance: true })
    expect(condition()).toMatchObject({ status: 'False', reason: 'Maintenance' })
    // Started anew, it has not read its directory yet.
    await say({ isInMaintenance: null })
    expect(world.balancer.prove()).toMatchObject({ isLeaving: true })
    await say({})
    expect(world.balancer.prove()).toMatchObject({ isLeaving: false })
  })

  it('leaves, and in the end has stopped', async () => {
    const world = new World({ drainMs: 10_000 })
    world.publish()
    await world.start()
    world.balancer.announced(WELL)
    const stopped = world.balancer.stop()
    await world.pass()
    expect(conditionOf(world)).toMatchObject({ status: 'False', reason: 'Leaving' })
    await world.pass(10_000)
    await stopped
    expect(conditionOf(world)).toMatchObject({ status: 'False', reason: 'Stopped' })
    expect(world.report.bgpSessions).toBeUndefined()
  })

  it('has a silent announcer: what it said last counts no more', async () => {
    const { world, say, condition } = await heard({ isInMaintenance: true })
    await say({})
    for (let ms = 0; ms <= ANNOUNCEMENT_FRESH_MS; ms += 1000) await world.pass()
    await world.pass()
    expect(condition()).toMatchObject({ status: 'False', reason: 'AnnouncerSilent' })
    expect(world.report.announcedAddresses).toBeUndefined()
    expect(world.report.summary?.announced).toBeUndefined()
    expect(world.events().filter((event) => event === 'AnnouncerSilent')).toHaveLength(1)
    await say({})
    expect(condition()).toMatchObject({ status: 'True', reason: 'Announced' })
    expect(world.events()).toContain('AnnouncerSilentMended')
  })

  it('has stood still itself: that is no silence of the announcer', async () => {
    const { world, condition } = await heard({})
    await world.pass(60_000)
    expect(PASS_GAP_MAX_MS).toBeLessThan(ANNOUNCEMENT_FRESH_MS)
    expect(condition()).toMatchObject({ status: 'True' })
  })
})
