import type { BgpPeerStatus, SipBalancerStatus } from '@sipcast/crds'
import { describe, expect, it } from 'vitest'
import { isoTime } from './iso-time.ts'
import { BGP_PEER_SETTLE_MS, HEARTBEAT_AGE_MAX_MS } from './limits.ts'
import { World } from './world.fixture.ts'

const NAME = 'tor-a'
const SPEC = { peerAddress: '192.0.2.1', peerASN: 64512, localASN: 64513 }

type Sessions = NonNullable<SipBalancerStatus['bgpSessions']>

const up: Sessions = [{ peer: NAME, state: 'Established' }]

async function running(spec: object = SPEC) {
  const world = new World()
  await world.start()
  const { cluster, clock } = world
  const put = (wanted: object, generation = 1): void => {
    const object = {
      apiVersion: 'sipcast.io/v1alpha1',
      kind: 'BgpPeer',
      metadata: { name: NAME },
      spec: wanted,
    }
    const status = cluster.bgpPeers.peers.get(NAME)?.status ?? null
    cluster.bgpPeers.peers.set(NAME, { name: NAME, generation, object, status })
    cluster.emit({ what: 'bgpPeers' })
  }
  const report = (name: string, change: Partial<SipBalancerStatus>): void => {
    const heartbeatAt = isoTime(clock.nowMs())
    const status = { heartbeatAt, version: '0', sipProxies: [], acceptedKeyIds: [], ...change }
    cluster.report({ name, status })
  }
  const settled = async (): Promise<BgpPeerStatus | null> => {
    await world.pass(BGP_PEER_SETTLE_MS)
    return cluster.bgpPeers.peers.get(NAME)?.status ?? null
  }
  put(spec)
  return { world, put, report, settled }
}

function established(status: BgpPeerStatus | null) {
  return status?.conditions?.find(({ type }) => type === 'Established')
}

describe('the status of a BgpPeer', () => {
  it('counts sessions of the nodes that should have one', async () => {
    const { report, settled } = await running()
    expect(await settled()).toMatchObject({
      observedGeneration: 1,
      summary: { sessions: '0/0' },
      conditions: [
        { type: 'Accepted', status: 'True', observedGeneration: 1 },
        { type: 'Established', status: 'False', reason: 'NoNode' },
      ],
    })
    report('node-a', { bgpSessions: up })
    report('node-b', { bgpSessions: [{ peer: NAME, state: 'Active', message: 'refused' }] })
    report('node-c', { bgpSessions: [{ peer: 'tor-b', state: 'Established' }] })
    const half = await settled()
    expect(half?.summary).toEqual({ sessions: '1/2' })
    expect(established(half)).toMatchObject({
      status: 'False',
      reason: 'SomeDown',
      message: '1 of 2 nodes. node-b: Active: refused',
    })
    report('node-b', { bgpSessions: up })
    const whole = await settled()
    expect(whole?.summary).toEqual({ sessions: '2/2' })
    expect(established(whole)).toMatchObject({ status: 'True', reason: 'AllEstablished' })
  })

  it('says why a node has no session at all', async () => {
    const { report, settled } = await running()
    const message = `BgpPeer ${NAME}: no password in key password of Secret bgp`
    report('node-a', { bgpSessions: [], problems: [{ reason: 'PasswordMissing', message }] })
    const status = await settled()
    expect(status?.summary).toEqual({ sessions: '0/1' })
    expect(established(status)).toMatchObject({ status: 'False', reason: 'PasswordMissing' })
  })

  it('counts a session that goes on, whatever is wrong beside it', async () => {
    const { report, settled } = await running()
    const message = `BgpPeer ${NAME}: the password is gone; the last one is used`
    report('node-a', { bgpSessions: up, problems: [{ reason: 'PasswordMissing', message }] })
    expect((await settled())?.summary).toEqual({ sessions: '1/1' })
  })

  it('does not count a node that fell silent', async () => {
    const { world, report, settled } = await running()
    report('node-a', { bgpSessions: up })
    expect((await settled())?.summary).toEqual({ sessions: '1/1' })
    await world.pass(HEARTBEAT_AGE_MAX_MS + 10_000)
    expect((await settled())?.summary).toEqual({ sessions: '0/0' })
  })

  it('is written when it says something new, and keeps its times', async () => {
    const { world, report, settled } = await running()
    report('node-a', { bgpSessions: up })
    const first = await settled()
    const { writes } = world.cluster.bgpPeers
    await world.pass(20_000)
    report('node-a', { bgpSessions: up })
    expect(await settled()).toBe(first)
    expect(world.cluster.bgpPeers.writes).toBe(writes)
    report('node-b', { bgpSessions: up })
    const second = await settled()
    expect(second?.summary).toEqual({ sessions: '2/2' })
    expect(established(second)?.lastTransitionTime).toBe(established(first)?.lastTransitionTime)
  })

  it('names the field of an invalid one, and the log does once', async () => {
    const { world, put, settled } = await running({ ...SPEC, peerASN: 0 })
    const refused = (await settled())?.conditions?.find(({ type }) => type === 'Accepted')
    expect(refused).toMatchObject({ status: 'False', reason: 'InvalidSpec' })
    expect(refused?.message).toContain('spec.peerASN')
    await world.pass(20_000)
    const told = world.notices.filter(({ about }) => about?.kind === 'BgpPeer')
    expect(told).toMatchObject([{ level: 'error', event: 'InvalidSpec', about: { name: NAME } }])
    put(SPEC, 2)
    expect(await settled()).toMatchObject({
      observedGeneration: 2,
      conditions: [{ status: 'True', reason: 'Accepted' }, {}],
    })
    expect(world.notices.at(-1)).toMatchObject({ level: 'info', event: 'Accepted' })
  })
})

it('reports of balancers are told as news', async () => {
  const { world, report } = await running()
  report('node-a', { bgpSessions: up })
  report('node-a', { bgpSessions: [{ peer: NAME, state: 'Idle', message: 'BFD session down' }] })
  expect(world.notices.at(-1)).toMatchObject({
    level: 'warn',
    event: 'BgpSessionDown',
    about: { kind: 'BgpPeer', name: NAME },
  })
})
