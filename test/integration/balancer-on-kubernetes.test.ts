/**
 * The real balancer program against an API server that lies, hangs, forgets and goes away: what it serves, and
 * what its SipBalancer says. Not here: real clusters (test/cluster), each port by itself
 * (test/conformance/balancer-ports.test.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { paths } from '@sipcast/kube'
import { eventually } from '@sipcast/lab'
import { encodeTable } from '@sipcast/mapping'
import type { Announcement } from '../../dataplane/announcement.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  ClusterBalancer,
  NAME,
  SIP_BALANCER,
  TABLE,
  timed,
} from './balancer-on-kubernetes-world.ts'

/** Nothing is missed for longer, once the API server is back (`packages/kube`). */
const CATCH_UP_MS = 2_000
/** From an event to its effect, with all of the machine's other work. */
const SOON_MS = 1_000

let cluster: ClusterBalancer

beforeEach(async () => {
  cluster = await ClusterBalancer.create()
})

afterEach(() => cluster.stop())

async function isServing(): Promise<void> {
  const { lone } = cluster
  for (const proxy of [0, 1]) expect(await lone.register(lone.userOf(proxy))).toBe(proxy)
}

describe('with an API server that answers', () => {
  test('tables are taken up as they change, and the SipBalancer says so', async () => {
    const node = cluster.server.put(paths.node(NAME), { metadata: { name: NAME } })
    await cluster.start()
    await cluster.untilServing()
    await isServing()
    const [object] = cluster.server.objects(paths.sipBalancers())
    expect(object?.metadata.ownerReferences).toMatchObject([{ uid: node.metadata.uid }])
    expect(object?.['status']).toMatchObject({
      name: NAME,
      summary: { sipProxies: '1/1', serving: '1/1' },
      heldAddresses: [cluster.lone.shared],
      conditions: [{ type: 'Ready', status: 'True', reason: 'Serving' }],
    })
    cluster.publish({ epoch: 2 })
    expect(await cluster.untilServing(2)).toBeLessThan(SOON_MS)
    cluster.publish({ epoch: 3, removed: true })
    await eventually('no SipProxy', () => cluster.report()?.sipProxies.length === 0)
  })

  test('keys come from the Secret where no file is named, and a new one is taken up', async () => {
    cluster.putSecret(1)
    await cluster.startWithSecret()
    await cluster.untilServing()
    cluster.publish({ epoch: 2, signingKey: 2 })
    await cluster.reported('a wait for the key', ({ problems }) =>
      problems.some(({ reason }) => reason === 'SigningKeyUnknown'),
    )
    cluster.putSecret(1, 2)
    expect(await cluster.untilServing(2)).toBeLessThan(SOON_MS)
    expect(cluster.report()?.acceptedKeyIds).toEqual([1, 2])
  })

  test('keys of a file are taken up, too', async () => {
    await cluster.start()
    await cluster.untilServing()
    cluster.publish({ epoch: 2, signingKey: 2 })
    await cluster.writeKeys(1, 2)
    expect(await cluster.untilServing(2)).toBeLessThan(CATCH_UP_MS)
  })

  test('a deleted or broken table changes nothing but the report', async () => {
    await cluster.start()
    await cluster.untilServing()
    cluster.server.take(TABLE)
    const has = (reason: string) =>
      cluster.reported(reason, ({ problems }) => problems.some((one) => one.reason === reason))
    await has('TableVanished')
    await isServing()
    cluster.publishText('{')
    await has('TableNotJson')
    cluster.publishText(encodeTable(cluster.lone.table({ epoch: 2, name: 'other' })))
    await has('TableWrongName')
    cluster.publishText('{}', 'no-table-of-ours')
    await isServing()
    cluster.publish({ epoch: 2 })
    await cluster.untilServing(2)
    expect(cluster.report()?.sipProxies).toMatchObject([{ problems: [] }])
  })

  test('a deleted SipBalancer is made again; maintenance is obeyed and reported', async () => {
    await cluster.start()
    await cluster.untilServing()
    cluster.server.take(SIP_BALANCER)
    const backMs = await cluster.untilServing()
    expect(backMs).toBeLessThan(CATCH_UP_MS)
    const [object] = cluster.server.objects(paths.sipBalancers())
    cluster.server.put(SIP_BALANCER, { ...object!, spec: { maintenance: true } })
    await cluster.reported('maintenance', (_, { maintenance }) => maintenance === true)
    await isServing()
  })

  test('the announcer gets to know what the cluster wants, and the cluster how it fares', async () => {
    const { server, lone } = cluster
    server.put(paths.node(NAME), { metadata: { name: NAME, labels: { rack: '1' } } })
    const spec = { peerAddress: '192.0.2.1', peerASN: 64512, localASN: 64513 }
    server.put(paths.bgpPeer('tor-a'), { metadata: { name: 'tor-a' }, spec })
    await cluster.start()
    await cluster.untilServing()
    const announcement: Announcement = {
      announced: [],
      held: [lone.shared],
      isInMaintenance: false,
      sessions: [{ peer: 'tor-a', state: 'Established', bfd: 'Up' }],
      sessionsWanted: 1,
      problems: [],
    }
    const proof = await eventually('a passed test of its own', async () => {
      const answer = await cluster.announce(announcement)
      return answer.ready.length > 0 && answer
    })
    expect(proof).toMatchObject({
      ready: [lone.shared],
      isLeaving: false,
      orders: { peers: [{ metadata: { name: 'tor-a' }, spec }], nodeLabels: { rack: '1' } },
    })
    const announcing = (reason: string) =>
      eventually(reason, async () => {
        const announced = reason === 'Announced' ? [lone.shared] : []
        await cluster.announce({ ...announcement, announced })
        return cluster.report()?.conditions?.some((one) => one.reason === reason) ?? false
      })
    await announcing('NotAnnouncedYet')
    await announcing('Announced')
    expect(cluster.report()).toMatchObject({
      announcedAddresses: [lone.shared],
      bgpSessions: [{ peer: 'tor-a', state: 'Established' }],
      summary: { announced: '1/1', bgp: '1/1' },
    })
    server.put(SIP_BALANCER, { metadata: { name: NAME }, spec: { maintenance: true } })
    await announcing('Maintenance')
    expect(await cluster.announce(announcement)).toMatchObject({
      ready: [lone.shared],
      isLeaving: true,
    })
    await cluster.reported('silence', (_, { conditions }) => {
      return conditions?.some(({ reason }) => reason === 'AnnouncerSilent') ?? false
    })
  })

  test('ends in order, and says so', async () => {
    const balancer = await cluster.start()
    await cluster.untilServing()
    expect(await balancer.stop()).toEqual({ code: 0, signal: null })
    expect(cluster.report()).toMatchObject({
      sipProxies: [],
      conditions: [{ status: 'False', reason: 'Stopped' }],
    })
  })
})

describe('with an API server in trouble', () => {
  test('starts without it from the last good tables, at once, and catches up when it is there', async () => {
    const first = await cluster.start()
    await cluster.untilServing()
    await first.stop()
    await cluster.server.goAway()
    await cluster.start()
    expect(await cluster.untilInUse(1)).toBeLessThan(2 * SOON_MS)
    await isServing()
    await eventually('a word', () => cluster.said('StoreFailed') >= 2)
    await eventually('staleness', async () => {
      return ((await cluster.metric('sipcast_balancer_tables_stale_seconds')) ?? 0) > 5
    })
    await sleep(3_000)
    // Of tables and of the report: once each.
    expect(cluster.said('StoreFailed')).toBe(2)
    await isServing()
    cluster.publish({ epoch: 2 })
    await cluster.server.comeBack()
    expect(await cluster.untilServing(2)).toBeLessThan(CATCH_UP_MS + SOON_MS)
    await eventually('mended', () => cluster.said('StoreFailedMended') === 2)
    expect(await cluster.metric('sipcast_balancer_tables_stale_seconds')).toBe(0)
  })

  const faults = [
    ['hangs', { kind: 'silence' }],
    ['is slow', { kind: 'delay', ms: 3_000 }],
    ['conflicts', { kind: 'refusal', status: 409, reason: 'Conflict' }],
    ['is denied', { kind: 'refusal', status: 403, reason: 'Forbidden' }],
    ['is throttled', { kind: 'refusal', status: 429, retryAfterSeconds: 1 }],
    ['is cut off', { kind: 'reset' }],
  ] as const
  test.each(faults)('a report that %s delays neither tables nor dead marks', async (_, effect) => {
    await cluster.start()
    await cluster.untilServing()
    const end = cluster.server.inject({ effect, resource: 'sipbalancers', verbs: ['apply'] })
    cluster.publish({ epoch: 2 })
    expect(await cluster.untilInUse(2)).toBeLessThan(SOON_MS)
    cluster.lone.proxies[0]!.close()
    const marked =
      'sipcast_balancer_proxy_marked_dead{namespace="default",name="registrars",proxy="registrar-0"}'
    await eventually('a mark', async () => (await cluster.metric(marked)) === 1)
    expect(await cluster.lone.register(cluster.lone.userOf(0))).toBe(1)
    cluster.publish({ epoch: 3 })
    expect(await cluster.untilInUse(3)).toBeLessThan(SOON_MS)
    expect(cluster.report()?.sipProxies[0]?.epoch).not.toBe(3)
    end()
    await cluster.reported('epoch 3, a mark', ({ epoch, deadMarks }) => {
      return epoch === 3 && deadMarks.length === 1
    })
    cluster.lone.proxies.shift()
  })

  test('nothing is missed after resets, 410, 500, stale lists and outages', async () => {
    await cluster.start()
    await cluster.untilServing()
    let epoch = 1
    const missesNothing = async (what: string): Promise<void> => {
      epoch += 1
      cluster.publish({ epoch })
      expect(await cluster.untilServing(epoch), what).toBeLessThan(CATCH_UP_MS + SOON_MS)
    }
    cluster.server.eachWatch((feed) => feed.endCleanly())
    await missesNothing('a clean end')
    cluster.server.expire()
    await missesNothing('410')
    const failing = cluster.server.inject({ effect: { kind: 'refusal', status: 500 } })
    cluster.server.eachWatch((feed) => feed.endCleanly())
    await sleep(1_500)
    failing()
    await missesNothing('500')
    const stale = cluster.server.inject({ effect: { kind: 'staleLists' }, verbs: ['list'] })
    cluster.server.expire()
    await sleep(500)
    stale()
    await missesNothing('stale lists')
    await cluster.server.goAway()
    await sleep(1_500)
    await cluster.server.comeBack()
    await missesNothing('an outage')
    await isServing()
    expect(cluster.report()?.sipProxies).toMatchObject([{ problems: [] }])
  })

  test('ends soon although nobody takes its last report', async () => {
    const balancer = await cluster.start()
    await cluster.untilServing()
    cluster.server.inject({ effect: { kind: 'silence' } })
    cluster.publish({ epoch: 2 })
    await cluster.untilInUse(2)
    const endedMs = await timed('the end', async () => (await balancer.stop(20_000)).code === 0)
    expect(endedMs).toBeLessThan(7_000)
  })
})
