/**
 * The life of BIRD's configuration, with the real daemon and routers: rights, changes without a reset, refusals,
 * passwords, restarts. Not here: how quickly routes come and go (anycast-routes.test.ts).
 */
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Anycast, Namespace, namespacesUnavailable, startProcess } from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BGP_PORT } from '../../dataplane/announcer/bird/limits.ts'
import { renderBird } from '../../dataplane/announcer/bird/render.ts'
import { requires } from '../requires.ts'
import {
  AnnouncingNode,
  bgpPeer,
  birdDirectory,
  PASSWORD,
  peersOf,
  ROUTE_WAIT_MS,
  SHARED,
  untilRouted,
  within,
} from './announcing-node.ts'

const SETTLE_MS = 300
const LISTENER = `require('net').createServer().listen(process.argv[1], () => console.log('listening'))`
/** Bits 10 and 13 of linux/capability.h. */
const NET_BIND_SERVICE_AND_NET_RAW = '0000000000002400'

describe.runIf(requires('bird', { missing: await namespacesUnavailable() }))('BIRD', () => {
  let anycast: Anycast
  let directory: Awaited<ReturnType<typeof birdDirectory>>
  const nodes: AnnouncingNode[] = []

  beforeAll(async () => {
    directory = await birdDirectory()
    const path = directory.path
    const size = { balancers: 2, registrars: 0, homes: 0 }
    anycast = await Anycast.create({ ...size, directory: path, password: PASSWORD })
    for (const node of anycast.balancers) {
      nodes.push(await AnnouncingNode.start(node, path, peersOf(anycast)))
    }
    for (const node of nodes) await node.established()
    for (const node of nodes) await node.announce(SHARED.ipv4)
    await untilRouted(anycast, SHARED.ipv4, nodes)
  })
  afterAll(async () => {
    for (const { bird } of nodes) await bird.kill()
    await anycast?.close()
    await directory?.[Symbol.asyncDispose]()
  })

  const first = () => nodes[0] as AnnouncingNode
  const sinceOf = async ({ control }: AnnouncingNode) =>
    (await control.sessions()).map(({ peer, since }) => ({ peer, since }))

  test('has the two rights that it needs, and no more', async () => {
    const status = await readFile(`/proc/${first().bird.process.pid}/status`, 'utf8')
    expect(/^CapEff:\s+(\w+)$/m.exec(status)?.[1]).toBe(NET_BIND_SERVICE_AND_NET_RAW)
    expect(/^CapBnd:\s+(\w+)$/m.exec(status)?.[1]).toBe(NET_BIND_SERVICE_AND_NET_RAW)
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe('65534')
  })

  test('tells what routers are told', async () => {
    const { control, node } = first()
    expect(await control.status()).toMatchObject({
      version: expect.any(String),
      routerId: node.ipv4,
    })
    for (const { name } of anycast.routers) {
      expect(await control.routesTo(name)).toEqual([`${SHARED.ipv4}/32`])
    }
    const exported = (await control.sessions()).map((session) => session.exported)
    expect(exported).toEqual(Array(2).fill({ ipv4: 1, ipv6: 0 }))
  })

  test('takes a new pool up without a reset', async () => {
    const before = await sinceOf(first())
    await first().announce('198.51.100.7')
    await first().apply({ pools: [...(first().question.pools ?? []), '198.51.100.0/24'] })
    await within(2_000, async () => {
      const routes = await first().control.routesTo('router-a')
      expect(routes.toSorted()).toEqual(['198.51.100.7/32', `${SHARED.ipv4}/32`])
    })
    await first().withdraw('198.51.100.7')
    expect(await sinceOf(first())).toEqual(before)
  })

  test('asks routers to turn to others without a reset, and they do', async () => {
    const before = await sinceOf(first())
    await first().apply({ isShuttingDown: true })
    await untilRouted(anycast, SHARED.ipv4, nodes.slice(1))
    for (const node of nodes.slice(1)) await node.withdraw(SHARED.ipv4)
    await untilRouted(anycast, SHARED.ipv4, [first()])
    for (const node of nodes.slice(1)) await node.announce(SHARED.ipv4)
    await first().apply({ isShuttingDown: false })
    await untilRouted(anycast, SHARED.ipv4, nodes)
    expect(await sinceOf(first())).toEqual(before)
  })

  test('a router more or less resets no other session', async () => {
    const before = await sinceOf(first())
    const { peers, passwords } = first().question
    const absent = { peerAddress: '198.18.1.99', peerASN: 65_000, localASN: 64_512 }
    await first().apply({
      peers: [bgpPeer('absent', absent), ...peers],
      passwords: new Map([...passwords, ['absent', PASSWORD]]),
    })
    const sessions = await first().control.sessions()
    expect(sessions.map(({ peer }) => peer).toSorted()).toEqual(['absent', 'router-a', 'router-b'])
    const added = sessions.find(({ peer }) => peer === 'absent')
    expect(added).toMatchObject({
      peerAddress: '198.18.1.99',
      exported: { ipv4: 0, ipv6: 0 },
      bfd: 'Down',
    })
    expect(added?.state).not.toBe('Established')
    await first().apply({ peers, passwords })
    expect(await sinceOf(first())).toEqual(before)
  })

  test('refuses what it does not understand in its own words, and goes on as before', async () => {
    const before = await sinceOf(first())
    const good = renderBird(first().question).text
    const refused = first().file.apply(`${good}protocol bgp {`)
    await expect(refused).rejects.toThrow(/^line \d+:\d+ syntax error/)
    expect(await first().file.read()).toBe(good)
    await sleep(SETTLE_MS)
    expect(await sinceOf(first())).toEqual(before)
    await untilRouted(anycast, SHARED.ipv4, nodes)
  })

  test('comes back from its end with the last good configuration', async () => {
    await first().bird.kill()
    await untilRouted(anycast, SHARED.ipv4, nodes.slice(1))
    await expect(first().control.status()).rejects.toMatchObject({ code: 'absent' })
    await first().bird.revive()
    await first().established()
    await untilRouted(anycast, SHARED.ipv4, nodes)
  })

  test('gives up where its port was taken as it began, and begins again when told to', async () => {
    await first().bird.kill()
    const other = await startProcess({
      name: 'other',
      command: process.execPath,
      args: ['-e', LISTENER, String(BGP_PORT)],
      namespace: first().node.namespace,
      ready: async ({ log }) => void (await log.until(/listening/)),
    })
    await first().bird.revive()
    await within(5_000, async () => {
      const sessions = await first().control.sessions()
      expect(sessions.map(({ isGivenUp }) => isGivenUp)).toEqual([true, true])
    })
    await first().control.enable('router-a')
    await sleep(SETTLE_MS)
    expect((await first().control.sessions())[0]?.isGivenUp).toBe(true)
    await other.stop()
    for (const { peer } of await first().control.sessions()) await first().control.enable(peer)
    await first().established()
    await untilRouted(anycast, SHARED.ipv4, nodes)
  })

  test('frozen, it is reported as silent', async () => {
    first().bird.freeze()
    await expect(first().control.sessions()).rejects.toMatchObject({ code: 'silent' })
    await untilRouted(anycast, SHARED.ipv4, nodes.slice(1))
    await first().bird.revive()
    await first().established()
    await untilRouted(anycast, SHARED.ipv4, nodes)
  })

  test('with another password than the router there is no session', async () => {
    const { passwords } = first().question
    await first().apply({ passwords: new Map([...passwords, ['router-a', 'another']]) })
    await sleep(3_000)
    const states = (await first().control.sessions()).map(({ peer, state }) => [peer, state])
    expect(Object.fromEntries(states)).toMatchObject({ 'router-b': 'Established' })
    expect(Object.fromEntries(states)['router-a']).not.toBe('Established')
    await first().apply({ passwords })
    await first().established()
  })

  test('where the node has no IPv6 address, routers are told of IPv4 only, and that is seen', async () => {
    const { node, bird } = first()
    const namespace = new Namespace(node.namespace)
    const exported = async () =>
      (await first().control.sessions()).find(({ peer }) => peer === 'router-a')?.exported
    await first().announce(SHARED.ipv6)
    await untilRouted(anycast, SHARED.ipv6, [first()])
    expect(await exported()).toEqual({ ipv4: 1, ipv6: 1 })

    const [, device] = (await namespace.ip(`-o addr show to ${node.ipv6}`)).split(/\s+/)
    await namespace.ip(`addr del ${node.ipv6}/64 dev ${device}`)
    await bird.kill()
    await bird.revive()
    await within(ROUTE_WAIT_MS, async () => expect(await exported()).toEqual({ ipv4: 1, ipv6: 0 }))
    await sleep(SETTLE_MS)
    for (const router of anycast.routers) expect(await router.nextHops(SHARED.ipv6)).toEqual([])

    await namespace.ip(`addr add ${node.ipv6}/64 dev ${device} nodad`)
    await bird.kill()
    await bird.revive()
    await first().established()
    await untilRouted(anycast, SHARED.ipv6, [first()])
  })
})
