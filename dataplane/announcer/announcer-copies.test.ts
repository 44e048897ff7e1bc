/**
 * The announcer's announcing half over a node in memory: when copies come, are renewed, lapse and go. Not here:
 * holding (announcer.test.ts).
 */
import { describe, expect, it } from 'vitest'
import { STOPPING } from '../proof.ts'
import { ANNOUNCE_LINK } from './bird/limits.ts'
import {
  COPY_LIFETIME_SECONDS,
  COPY_PROOF_AGE_MAX_MS,
  COPY_RENEW_MS,
  EXPORT_PATIENCE_MS,
  HANDOVER_LIFETIME_SECONDS,
  LOOK_MS,
  RENEW_MS,
  SHUTDOWN_MS,
  STOP_LOOK_MS,
  STOP_PATIENCE_MS,
  STOP_WAIT_LOOK_MS,
} from './limits.ts'
import { A, B, FakeNode, FakeRouters } from './node.fixture.ts'
import { Silence } from './ports.ts'

const LAPSE_MS = COPY_LIFETIME_SECONDS * 1_000

type Announcing = FakeNode & { readonly routers: FakeRouters }

/** Announces both. */
async function announcing(): Promise<Announcing> {
  const node = new FakeNode(new FakeRouters())
  node.become({ ready: [A, B] })
  await node.start()
  await node.pass(RENEW_MS + LOOK_MS)
  expect(node.announced).toEqual([A, B])
  node.events()
  node.lines.length = 0
  return node as Announcing
}

describe('copies', () => {
  it('come when they are ready, after they are held', async () => {
    const node = new FakeNode(new FakeRouters())
    await node.start()
    await node.pass(RENEW_MS)
    expect([node.held, node.announced]).toEqual([[A, B], []])
    node.become({ ready: [B, '198.51.100.1'] })
    await node.pass(LOOK_MS)
    expect([node.held, node.announced]).toEqual([[A, B], [B]])
    expect(node.events()).toEqual(['AddressHeld', 'AddressHeld', 'AddressAnnounced'])
    await node.pass(LOOK_MS)
    expect(node.told).toMatchObject({ held: [A, B], announced: [B], sessions: [] })
  })

  it('are renewed for as long as they are ready, in few runs of `ip`', async () => {
    const node = await announcing()
    for (let ms = 0; ms < 10 * RENEW_MS; ms += LOOK_MS) {
      await node.pass(LOOK_MS)
      expect(node.announced).toEqual([A, B])
    }
    const renewals = node.lines.filter((line) => line.includes(`${A}/32 dev ${ANNOUNCE_LINK}`))
    expect(renewals.length).toBeLessThanOrEqual((10 * RENEW_MS) / (COPY_RENEW_MS - LOOK_MS) + 1)
    expect(node.lines.every((line) => line.startsWith('address change '))).toBe(true)
    expect(node.events()).toEqual([])
  })

  const notReady: readonly [string, (node: FakeNode) => void, string][] = [
    ['the balancer says that it is not ready', (node) => node.become({ ready: [] }), ''],
    ['the balancer has no workers', (node) => node.become({ isAlive: false }), ''],
    ['nobody is behind its socket', (node) => void (node.answer = Silence.absent), ''],
  ]
  it.each(notReady)('%s: they go at once, and are held on', async (_, become) => {
    const node = await announcing()
    become(node)
    await node.pass(LOOK_MS)
    expect([node.announced, node.held]).toEqual([[], [A, B]])
    expect(node.events()).toEqual(['AddressWithdrawn', 'AddressWithdrawn'])
    expect(node.announcer.state.lapses.size).toBe(0)
  })

  it('no answer: nothing is touched, and they lapse; back, they are there at once', async () => {
    const node = await announcing()
    const { answer } = node
    node.answer = Silence.silent
    await node.pass(LAPSE_MS - COPY_RENEW_MS - LOOK_MS)
    expect([node.announced, node.lines]).toEqual([[A, B], []])
    await node.pass(2 * COPY_RENEW_MS + LOOK_MS)
    expect([node.announced, node.held, node.lines]).toEqual([[], [A, B], []])
    const lapsed = ['AnnouncementLapsed', 'AnnouncementLapsed']
    expect(node.events().slice(0, 4)).toEqual([...lapsed, 'AddressWithdrawn', 'AddressWithdrawn'])
    expect([...node.announcer.state.lapses]).toEqual([['unproven', 2]])
    node.answer = answer
    await node.pass(LOOK_MS)
    expect(node.announced).toEqual([A, B])
  })

  it('an announcer that was frozen counts what has lapsed as late, and announces it again', async () => {
    const node = await announcing()
    node.time.advance(LAPSE_MS + 1)
    await node.settle()
    await node.pass(LOOK_MS)
    expect(node.announced).toEqual([A, B])
    expect([...node.announcer.state.lapses]).toEqual([['late', 2]])
    expect(node.events()).toEqual(['AnnouncementLapsed', 'AnnouncementLapsed'])
  })

  it('a proof that grew old between asking and renewing renews no copy', async () => {
    const node = await announcing()
    node.listMs = COPY_PROOF_AGE_MAX_MS + 1
    let listedMs = 0
    node.listing = () => {
      listedMs ||= node.time.nowMs()
      node.answer = Silence.silent
    }
    while (listedMs === 0) await node.pass(LOOK_MS)
    await node.pass(listedMs + LAPSE_MS - node.time.nowMs())
    expect([node.announced, node.held]).toEqual([[], [A, B]])
  })

  it('are renewed by the next proof where the node takes long to list its addresses', async () => {
    const node = await announcing()
    node.listMs = COPY_PROOF_AGE_MAX_MS + 1
    for (let ms = 0; ms < 10 * RENEW_MS; ms += LOOK_MS) {
      await node.pass(LOOK_MS)
      expect(node.announced).toEqual([A, B])
    }
    expect(node.events()).toEqual([])
  })

  it('that are not there yet are added by a proof that is fresh', async () => {
    const node = await announcing()
    node.become({ ready: [A] })
    await node.pass(LOOK_MS)
    node.listMs = COPY_PROOF_AGE_MAX_MS + 1
    node.become({ ready: [A, B] })
    await node.pass(RENEW_MS)
    expect(node.announced).toEqual([A])
    node.listMs = 0
    await node.pass(2 * LOOK_MS)
    expect(node.announced).toEqual([A, B])
  })

  it('of a predecessor are adopted without a gap, strangers are removed', async () => {
    const node = new FakeNode(new FakeRouters())
    node.become({ ready: [A, B] })
    node.link = { kind: 'dummy', isUp: true }
    for (const address of [A, B]) node.put('lo', address, 8)
    node.put(ANNOUNCE_LINK, A, HANDOVER_LIFETIME_SECONDS)
    node.put(ANNOUNCE_LINK, '203.0.113.99', 1_000)
    node.put(ANNOUNCE_LINK, 'fe80::1', 1_000)
    await node.start()
    expect(node.announced).toEqual([A, 'fe80::1', B])
    expect(node.lines.filter((line) => line.startsWith('address del'))).toEqual([
      `address del 203.0.113.99/32 dev ${ANNOUNCE_LINK}`,
    ])
    expect(node.lines.some((line) => line.startsWith(`address change ${A}/32 dev dummy`))).toBe(
      true,
    )
  })

  it('until it is known whether the node is in maintenance, those that are there stay, and none comes', async () => {
    const routers = new FakeRouters()
    routers.isInMaintenance = null
    const node = new FakeNode(routers)
    node.become({ ready: [A, B] })
    node.link = { kind: 'dummy', isUp: true }
    node.put('lo', A, 8)
    node.put(ANNOUNCE_LINK, A, COPY_LIFETIME_SECONDS)
    await node.start()
    await node.pass(2 * LAPSE_MS)
    expect([node.announced, node.held]).toEqual([[A], [A, B]])
    routers.isInMaintenance = false
    routers.maintenanceChanged()
    await node.settle()
    expect(node.announced).toEqual([A, B])
  })

  it('nor while the balancer does not know that', async () => {
    const node = await announcing()
    node.become({ isLeaving: null, ready: [A, B] })
    node.lapses.delete(`${ANNOUNCE_LINK} ${B}`)
    await node.pass(2 * LAPSE_MS)
    expect(node.announced).toEqual([A])
    node.become({ isLeaving: false })
    await node.pass(RENEW_MS)
    expect(node.announced).toEqual([A, B])
  })

  it('go with what is no longer held', async () => {
    const node = await announcing()
    node.foreign = [{ interface: 'eth0', address: A, isOurs: false }]
    await node.pass(RENEW_MS)
    expect([node.announced, node.held]).toEqual([[B], [B]])
  })
})

describe('the link', () => {
  it('is a bridge where there are no dummies', async () => {
    const node = new FakeNode(new FakeRouters())
    node.linkKinds = ['bridge']
    await node.start()
    expect(node.link).toEqual({ kind: 'bridge', isUp: true })
    expect(node.events()).toEqual(['AddressHeld', 'AddressHeld'])
  })

  it('is made again where it was taken away', async () => {
    const node = await announcing()
    node.link = null
    node.lapses.delete(`${ANNOUNCE_LINK} ${A}`)
    node.lapses.delete(`${ANNOUNCE_LINK} ${B}`)
    await node.pass(RENEW_MS)
    expect(node.announced).toEqual([A, B])
  })

  it.each(['vlan', null])(
    'of kind %s is left alone, and addresses are held all the same',
    async (kind) => {
      const node = new FakeNode(new FakeRouters())
      node.become({ ready: [A, B] })
      node.link = { kind, isUp: true }
      await node.start()
      await node.pass(RENEW_MS)
      expect([node.announced, node.held]).toEqual([[], [A, B]])
      expect(node.events()).toEqual(['AddressHeld', 'AddressHeld', 'LinkForeign'])
      expect(node.told?.problems).toMatchObject([{ reason: 'LinkForeign' }])
      expect(node.announcer.readinessProblem()).toMatch('LinkForeign')
    },
  )

  it('that cannot be had is a problem, and tried again', async () => {
    const node = new FakeNode(new FakeRouters())
    node.become({ ready: [A] })
    node.linkKinds = []
    await node.start()
    expect(node.events()).toContain('LinkFailed')
    node.linkKinds = ['dummy']
    await node.pass(RENEW_MS + LOOK_MS)
    expect(node.announced).toEqual([A])
    expect(node.events()).toContain('LinkFailedMended')
  })
})

describe('readiness', () => {
  const problem = { subject: 'router-b', reason: 'PasswordMissing', message: 'none' }
  const rows: readonly [string, (node: Announcing) => void, RegExp | null][] = [
    ['announcing', () => undefined, null],
    ['one router of two', ({ routers }) => void (routers.problems = [problem]), null],
    ['no router listens', ({ routers }) => void (routers.hasSession = false), /^NoSession/],
    [
      'no router listens, and it is known why',
      ({ routers }) => void Object.assign(routers, { hasSession: false, problems: [problem] }),
      /^PasswordMissing: none/,
    ],
    [
      'there is nobody to tell',
      ({ routers }) => void Object.assign(routers, { hasSession: false, sessionsWanted: 0 }),
      null,
    ],
    [
      'nobody knows yet whom to tell',
      ({ routers }) => void Object.assign(routers, { hasSession: false, sessionsWanted: null }),
      /^NoSession/,
    ],
    ['there is nothing to announce', (node) => node.become({ ready: [] }), null],
    ['an address outside the pools', (node) => node.become({ ready: ['198.51.100.1'] }), null],
    ['the kernel refuses the copy', (node) => void node.refused.add(A), /^cannot add/],
    ['the balancer is gone', (node) => void (node.answer = Silence.absent), /^NoProof/],
  ]
  it.each(rows)('%s', async (_, become, expected) => {
    const node = await announcing()
    become(node)
    await node.pass(RENEW_MS + LOOK_MS)
    const said = node.announcer.readinessProblem()
    if (expected === null) expect(said).toBeNull()
    else expect(said).toMatch(expected)
  })
})

it('tells of addresses that no router is told of', async () => {
  const node = await announcing()
  node.routers.exported = { ipv4: 1, ipv6: 0 }
  await node.pass(EXPORT_PATIENCE_MS + 2 * LOOK_MS)
  expect(node.events()).toEqual(['NotExported'])
  expect(node.told?.problems).toMatchObject([{ reason: 'NotExported' }])
  node.routers.exported = { ipv4: 1, ipv6: 1 }
  await node.pass(2 * LOOK_MS)
  expect([node.events(), node.told?.problems]).toEqual([['NotExportedMended'], []])
})

describe('leaving', () => {
  it('asks routers first, withdraws then, holds on; and comes back', async () => {
    const node = await announcing()
    node.become({ isLeaving: true, reason: 'Maintenance' })
    await node.pass(LOOK_MS)
    expect([node.routers.isShuttingDown, node.announced]).toEqual([true, [A, B]])
    await node.pass(SHUTDOWN_MS - LOOK_MS)
    expect(node.announced).toEqual([A, B])
    await node.pass(2 * LOOK_MS)
    expect([node.announced, node.held]).toEqual([[], [A, B]])
    await node.pass(10 * RENEW_MS)
    expect([node.routers.isShuttingDown, node.announced, node.held]).toEqual([true, [], [A, B]])
    expect(node.announcer.readinessProblem()).toBeNull()
    node.become({ isLeaving: false, reason: '' })
    await node.pass(LOOK_MS)
    expect([node.routers.isShuttingDown, node.announced]).toEqual([false, [A, B]])
  })

  it('withdraws at once where no router listens', async () => {
    const node = await announcing()
    node.routers.hasSession = false
    node.become({ isLeaving: true })
    await node.pass(LOOK_MS)
    expect(node.announced).toEqual([])
  })

  it('as a directory wants it, and tells the balancer', async () => {
    const node = await announcing()
    node.routers.isInMaintenance = true
    node.routers.maintenanceChanged()
    await node.settle()
    expect(node.routers.isShuttingDown).toBe(true)
    await node.pass(SHUTDOWN_MS + 2 * LOOK_MS)
    expect(node.announced).toEqual([])
    expect(node.told?.isInMaintenance).toBe(true)
  })

  it('turned back before the withdrawal, nothing happens', async () => {
    const node = await announcing()
    node.become({ isLeaving: true })
    await node.pass(2 * LOOK_MS)
    node.become({ isLeaving: false })
    await node.pass(SHUTDOWN_MS + RENEW_MS)
    expect([node.announced, node.events()]).toEqual([[A, B], []])
  })
})

describe('at its end', () => {
  async function stopping(): Promise<{
    node: Awaited<ReturnType<typeof announcing>>
    isEnded: () => boolean
  }> {
    const node = await announcing()
    let isEnded = false
    void node.announcer.stop().then(() => {
      isEnded = true
    })
    await node.settle()
    return { node, isEnded: () => isEnded }
  }

  it('of a balancer that goes on, copies stay for a successor; BIRD stays', async () => {
    const { node, isEnded } = await stopping()
    await node.pass(STOP_PATIENCE_MS + 2 * STOP_LOOK_MS, STOP_LOOK_MS)
    expect([isEnded(), node.routers.isBirdEnded, node.announced]).toEqual([true, false, [A, B]])
    node.time.advance(HANDOVER_LIFETIME_SECONDS * 1_000 - 2 * STOP_LOOK_MS)
    expect(node.announced).toEqual([A, B])
    node.time.advance(2 * STOP_LOOK_MS)
    expect(node.announced).toEqual([])
    expect(node.routers.isShuttingDown).toBe(false)
  })

  it('with the balancer, everything goes in its order, and BIRD ends', async () => {
    const { node, isEnded } = await stopping()
    node.become({ isLeaving: true, reason: STOPPING })
    await node.pass(STOP_LOOK_MS, STOP_LOOK_MS)
    expect([node.routers.isShuttingDown, node.announced]).toEqual([true, [A, B]])
    await node.pass(SHUTDOWN_MS + STOP_WAIT_LOOK_MS, STOP_LOOK_MS)
    expect([node.announced, node.held, isEnded()]).toEqual([[], [A, B], false])
    await node.pass(30_000, STOP_WAIT_LOOK_MS)
    expect([node.announced, node.held, isEnded()]).toEqual([[], [A, B], false])
    node.answer = Silence.absent
    await node.pass(STOP_WAIT_LOOK_MS, STOP_LOOK_MS)
    expect([node.held, node.link, isEnded(), node.routers.isBirdEnded]).toEqual([
      [],
      null,
      true,
      true,
    ])
  })

  it('during maintenance, leaves nothing announced behind', async () => {
    const node = await announcing()
    node.become({ isLeaving: true, reason: 'Maintenance' })
    await node.pass(LOOK_MS)
    const stopped = node.announcer.stop()
    await node.pass(STOP_PATIENCE_MS + 2 * STOP_WAIT_LOOK_MS, STOP_LOOK_MS)
    await stopped
    expect([node.announced, node.held]).toEqual([[], [A, B]])
  })
})
