/**
 * The shared address announced by BGP on a cluster, under traffic that comes by the router: who is told what and when,
 * as pods end, die and freeze, as nodes are taken out and the product is upgraded; another maker's router; routers that
 * are not as they should be; and what the programs may do, tried from inside. It leaves the chart as it found it.
 * Not here: long series and targets (npm run bench -- anycast), routes by hand (balancers-fail.test.ts).
 */
import {
  byOutcome,
  type Call,
  ClusterRouter,
  type ClusterNode,
  isFailed,
  NAMESPACE,
  RouteKeeper,
  RouterKind,
  runProgram,
} from '@sipcast/lab'
import type { Table } from '@sipcast/mapping'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { movesBetween } from '../integration/table-log.ts'
import { requires } from '../requires.ts'
import { ADDRESS, AnnouncedPool, BIRD, FRR, WORD } from './announced-pool.ts'
import { AnnouncingRights } from './announcing-rights.ts'
import { clusterNeeded } from './cluster.ts'
import { PROXIES } from './example-pool.ts'
import { deletePod, signalPod } from './faults.ts'
import { ms, seconds } from './figures.ts'
import { PoolStory } from './pool-story.ts'
import { Told, toldUntil } from './told-path.ts'

const LOAD = { ringMs: 500, talkMs: 500, patienceMs: 8_000 }
const OTHER_ASN = 64_999
const ROW_PATIENCE_MS = 60_000
const NET_ADMIN = 1n << 12n
/** NET_BIND_SERVICE and NET_RAW. */
const BIRDS = (1n << 10n) | (1n << 13n)

describe.runIf(requires('helm', 'network-namespaces', clusterNeeded))('announced by BGP', () => {
  let story: PoolStory
  let announced: AnnouncedPool
  let node: ClusterNode
  let other: ClusterNode
  let before: Table
  let beganMs = 0

  beforeAll(async () => {
    story = await PoolStory.begin('announced by BGP', LOAD)
    announced = await AnnouncedPool.begin(story)
    ;[node, other] = announced.nodes as [ClusterNode, ClusterNode]
  })
  beforeEach(() => {
    before = story.pool.tables.latest
    beganMs = performance.now()
  })
  afterEach(async ({ task }) => {
    await story.load.untilEnded()
    const outcomes = JSON.stringify(byOutcome(calls()))
    story.figures.note(`${task.name} (${seconds(performance.now() - beganMs)}): calls ${outcomes}`)
  })
  afterAll(async () => {
    try {
      await announced?.end()
    } finally {
      await story?.end()
    }
  })

  test('helm upgrade from announce: none: no call is lost, and the router sends to every node', async () => {
    const keeper = new RouteKeeper(story.cluster.network, announced.nodes)
    await announced.upgrade()
    await announced.untilRouted()
    await keeper.stop()
    await story.cluster.network.routeVia([announced.router])
    await expectNoneLost()
  })

  test('kubectl tells of sessions and addresses as they are, and calls go by every node', async () => {
    const counts = await story.cluster.packetsOfBalancers()
    await untilRow('bgppeers', BIRD, {
      PEER: announced.router.ipv4,
      'PEER-ASN': `${announced.router.asn}`,
      BFD: 'true',
      SESSIONS: '2/2',
      REASON: 'AllEstablished',
    })
    for (const { name } of announced.nodes) {
      await untilRow('sipbalancers', name, { READY: 'True', ANNOUNCED: '1/1', BGP: '1/1' })
      const { status } = await story.cluster.sipBalancer(name)
      expect(status.announcedAddresses).toEqual([ADDRESS])
      expect(status.bgpSessions).toMatchObject([
        { peer: BIRD, peerAddress: announced.router.ipv4, state: 'Established', bfd: 'Up' },
      ])
    }
    await expectNoneLost()
    for (const [name, count] of await story.cluster.packetsOfBalancers()) {
      expect(count).toBeGreaterThan(counts.get(name)!)
    }
  })

  test('its pod deleted: marked, withdrawn, and only then it ends: no call is lost', async () => {
    const pod = await announced.podOn(node)
    const deletedMs = await deletePod(story.cluster, pod, { namespace: NAMESPACE })
    const told = await toldUntil(Told.gone, announced.router, ADDRESS, node)
    expect(told.slice(-2)).toEqual([Told.marked, Told.gone])
    note('pod deleted', await announced.untilAvoided(node, deletedMs))
    await announced.untilBack(node, pod.metadata.uid)
    await expectNoneLost()
  })

  // Not twice the same container: the kubelet waits ever longer before it starts one again.
  test.each([
    ['its balancer killed', 0, 'KILL', ['balancer']],
    ['all of its pod killed', 1, 'KILL', ['balancer', 'announcer', 'bird']],
    ['its BIRD killed', 0, 'KILL', ['bird']],
    ['its balancer frozen', 0, 'STOP', ['balancer']],
    ['all of its pod frozen', 1, 'STOP', ['balancer', 'announcer', 'bird']],
  ] as const)('%s: avoided, calls go on, and it comes back', async (what, index, signal, names) => {
    const victim = announced.nodes[index]!
    const pod = await announced.podOn(victim)
    const failedMs = await signalPod(pod, signal, names)
    note(what, await announced.untilAvoided(victim, failedMs))
    if (signal === 'STOP') await signalPod(pod, 'CONT', names)
    await announced.untilBack(victim)
    expectNobodyMoved()
    await story.expectReached()
  })

  test('its announcer ends alone: the next one finds what it left, and no router notices', async () => {
    const endedMs = await signalPod(await announced.podOn(node), 'TERM', ['announcer'])
    await story.cluster.until('another announcer', async () => {
      const { status } = await announced.podOn(node)
      const now = status.containerStatuses?.find(({ name }) => name === 'announcer')
      return now?.ready === true && now.restartCount > 0
    })
    const seen = announced.hops.since(endedMs).map(({ hops }) => hops.length)
    expect(seen).toEqual([2])
    await expectNoneLost()
  })

  test('maintenance: marked, withdrawn, still served, and back', async () => {
    const patchedMs = performance.now()
    await announced.maintain(node, true)
    const told = await toldUntil(Told.gone, announced.router, ADDRESS, node)
    expect(told.slice(-2)).toEqual([Told.marked, Told.gone])
    note('maintenance', await announced.untilAvoided(node, patchedMs))
    await untilRow('sipbalancers', node.name, {
      READY: 'True',
      MAINTENANCE: 'true',
      ANNOUNCED: '0/1',
      BGP: '1/1',
    })
    await untilRow('sipbalancers', other.name, { MAINTENANCE: 'false', ANNOUNCED: '1/1' })
    // Whoever still sends there is answered.
    await story.cluster.network.routeVia([node])
    await story.expectReached()
    await story.cluster.network.routeVia([announced.router])
    await announced.maintain(node, false)
    await announced.untilBack(node)
    await expectNoneLost()
  })

  test('a node taken out, drained, rebooted and back: only calls of users who moved are lost', async () => {
    await announced.maintain(node, true)
    await announced.untilRouted([other])
    try {
      const words = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=240s']
      await story.cluster.kubectl.run('drain', node.name, ...words)
      await story.pool.untilShared(PROXIES)
      await runProgram('docker', ['restart', node.name])
    } finally {
      await story.cluster.kubectl.run('uncordon', node.name)
      await announced.maintain(node, false)
    }
    await announced.untilBack(node)
    await story.load.untilEnded()
    const failed = calls().filter(isFailed)
    expect(failed.filter((call) => !story.excuses.isExcused(call))).toEqual([])
    await story.expectReached()
  })

  test('rolled by helm upgrade: the router always has a next hop, no call is lost, nobody moves', async () => {
    await announced.upgrade('balancer.podAnnotations.revision=next')
    await announced.untilRouted()
    const seen = announced.hops.since(beganMs).map(({ hops }) => hops)
    expect(seen.filter((hops) => hops.length === 0)).toEqual([])
    for (const { ipv4 } of announced.nodes) expect(seen.flat()).toContain(ipv4)
    expect(seen.filter((hops) => hops.length === 1).length).toBeGreaterThanOrEqual(2)
    expectNobodyMoved()
    await expectNoneLost()
    await story.expectReached()
  })

  test('FRR, by a BgpPeer of its own: told the same, and calls go by it', async () => {
    const { cluster } = story
    const frr = await ClusterRouter.start({
      name: `${cluster.kind.name}-${FRR}`,
      kind: RouterKind.frr,
      cluster: cluster.kind.name,
      nodes: announced.nodes,
      asn: OTHER_ASN,
      password: WORD,
    })
    try {
      await applyPeer(FRR, { ...frr.peer, passwordSecretRef: { name: FRR } })
      await cluster.until('routes of FRR', async () => (await frr.nextHops(ADDRESS)).length === 2)
      await untilRow('bgppeers', FRR, { SESSIONS: '2/2', REASON: 'AllEstablished' })
      await untilRow('sipbalancers', node.name, { BGP: '2/2' })
      await cluster.until('BFD with FRR', async () => {
        const sessions = await announced.sessionsWith(FRR)
        return sessions.length === 2 && sessions.every(({ bfd }) => bfd === 'Up')
      })
      await cluster.network.routeVia([frr])
      await story.expectReached()
      await announced.maintain(node, true)
      const isTurned = async () => (await frr.nextHops(ADDRESS)).join() === other.ipv4
      await cluster.until('FRR to turn away', isTurned)
      await announced.maintain(node, false)
      await cluster.until('routes of FRR', async () => (await frr.nextHops(ADDRESS)).length === 2)
      await announced.untilRouted()
    } finally {
      await cluster.network.routeVia([announced.router])
      await deletePeers(FRR)
      await frr.remove()
    }
    await untilRow('sipbalancers', node.name, { BGP: '1/1' })
    await expectNoneLost()
  })

  test('routers that are not as they should be: each is told why, the others never notice', async () => {
    const since = (await announced.sessionsWith(BIRD)).map((session) => session.since)
    const { peerAddress, localASN } = announced.router.peer
    const port = 1179
    const wrong = { peerAddress, localASN, port, peerASN: OTHER_ASN }
    const nameless = { ...wrong, peerAddress: 'router.example.com' }
    await expect(applyPeer('nameless', nameless)).rejects.toThrow('must be an IPv4 or IPv6 address')
    await applyPeer('nobody-there', wrong)
    const secret = { passwordSecretRef: { name: 'not-mounted' } }
    await applyPeer('no-password', { ...wrong, port: port + 1, ...secret })
    await applyPeer('elsewhere', { ...wrong, port: port + 2, nodeSelector: { moon: 'far-side' } })
    try {
      await untilRow('bgppeers', 'nobody-there', { SESSIONS: '0/2', REASON: 'NoSession' })
      await untilRow('bgppeers', 'no-password', { SESSIONS: '0/2', REASON: 'PasswordMissing' })
      await untilRow('bgppeers', 'elsewhere', { SESSIONS: '0/0', REASON: 'NoNode' })
      const described = await story.cluster.kubectl.run('describe', 'bgppeer', 'no-password')
      expect(described).toContain('not-mounted')
      expect(described).toContain('passwordSecrets')
      await untilRow('sipbalancers', node.name, { READY: 'True', ANNOUNCED: '1/1', BGP: '1/3' })
      // Pods stay ready: an upgrade must not take them for broken.
      const pods = await story.cluster.podsOf('balancer')
      expect(
        pods.map(({ status }) => status.containerStatuses?.every(({ ready }) => ready)),
      ).toEqual(pods.map(() => true))
    } finally {
      await deletePeers('nobody-there', 'no-password', 'elsewhere')
    }
    await untilRow('sipbalancers', node.name, { BGP: '1/1' })
    expect((await announced.sessionsWith(BIRD)).map((session) => session.since)).toEqual(since)
    await expectNoneLost()
  })

  test('what its programs may do, tried from inside', async () => {
    const rights = new AnnouncingRights(story.cluster.kubectl, await announced.podOn(node), node)
    const none = { CapEff: 0n, CapPrm: 0n, CapInh: 0n, CapAmb: 0n }
    const sipcast = { Uid: 65_532, Gid: 65_532, Seccomp: 2, ...none }
    expect(await rights.of('balancer', 'node-MainThread')).toEqual({ ...sipcast, CapBnd: 0n })
    expect(await rights.of('announcer', 'node-MainThread')).toEqual({
      ...sipcast,
      CapBnd: NET_ADMIN,
    })
    const ofBird = { ...none, CapEff: BIRDS, CapPrm: BIRDS, CapBnd: BIRDS }
    expect(await rights.of('bird', 'bird')).toEqual({ ...sipcast, Uid: 65_533, ...ofBird })

    expect(await rights.addsAddress('announcer')).toMatchObject({ isDone: true })
    expect(await rights.addsAddress('balancer')).toMatchObject({ isDone: false })
    const attempt = await rights.addsRoute()
    expect(attempt).toMatchObject({ isDone: false })
    expect(attempt.said).toContain('Operation not permitted')

    const folders = ['/', '/tmp', '/etc', '/run', '/run/bird', '/run/bird/config']
    const readOnly = Object.fromEntries(folders.map((folder) => [folder, 'Read-only file system']))
    expect(await rights.writes('bird', folders)).toEqual(readOnly)
    expect(await rights.writes('announcer', ['/run/bird/config', '/run/bird/control'])).toEqual({
      '/run/bird/config': 'written',
      '/run/bird/control': 'Read-only file system',
    })
    const secrets = ['/var/run/secrets', '/etc/sipcast/keys', '/etc/sipcast/passwords']
    const shared = ['/run/sipcast', '/run/bird']
    expect(await rights.sees('bird', [...secrets, ...shared])).toEqual(['/run/bird'])
    expect(await rights.sees('announcer', secrets)).toEqual(['/etc/sipcast/passwords'])
    expect(await rights.sees('balancer', [...secrets, '/run/bird'])).toEqual([
      '/etc/sipcast/keys',
      '/var/run/secrets',
    ])
  })

  function calls(): readonly Call[] {
    return story.load.calls.filter((call) => call.beganMs >= beganMs)
  }

  async function expectNoneLost(): Promise<void> {
    await story.load.untilEnded()
    expect(calls().length).toBeGreaterThan(0)
    expect(calls().filter(isFailed)).toEqual([])
  }

  function expectNobodyMoved(): void {
    expect(movesBetween(before, story.pool.tables.latest).moved).toBe(0)
  }

  function note(what: string, durationMs: number): void {
    story.figures.note(`  ${what} → no next hop ${ms(durationMs)}`)
  }

  /** kubectl prints a row that has these cells. */
  async function untilRow(
    kind: 'bgppeers' | 'sipbalancers',
    name: string,
    cells: Readonly<Record<string, string>>,
  ): Promise<void> {
    await expect
      .poll(async () => (await announced.rowsOf(kind)).get(name), { timeout: ROW_PATIENCE_MS })
      .toMatchObject(cells)
  }

  async function applyPeer(name: string, spec: object): Promise<void> {
    const object = { apiVersion: 'sipcast.io/v1alpha1', kind: 'BgpPeer', metadata: { name }, spec }
    await story.cluster.kubectl.apply(object)
  }

  async function deletePeers(...names: readonly string[]): Promise<void> {
    await story.cluster.kubectl.run('delete', 'bgppeer', ...names)
  }
})
