/**
 * FRR as the router: what the product's BIRD tells it, its kernel does. Prints what it measures (docs/benchmarks.md).
 * Not here: BIRD as the router (anycast-routes.test.ts), the examples for those who run routers
 * (router-examples.test.ts).
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Frr, frrConfig, NODE_ASN, namespacesUnavailable } from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { AnnouncingNode, birdDirectory, SHARED, untilRouted } from './announcing-node.ts'
import { peersAt, RouterSegment, type SegmentRouter } from './router-segment.ts'

const ROUTER_ASN = 64_601
/** To FRR, a password ends with the first space. */
const WORD = 'one:{word};'
const ROUNDS = 5
const SETTLE_MS = 3_000

const BFD = { intervalMs: 100, multiplier: 3 }

const families = [{ family: 'ipv4' as const }, { family: 'ipv6' as const }]

const isPossible = requires('bird', 'frr', { missing: await namespacesUnavailable() })

describe.runIf(isPossible)('FRR', () => {
  let segment: RouterSegment
  let directory: Awaited<ReturnType<typeof birdDirectory>>
  let frr: Frr
  const nodes: AnnouncingNode[] = []
  const first = () => nodes[0] as AnnouncingNode
  const others = () => nodes.slice(1)

  beforeAll(async () => {
    directory = await birdDirectory()
    segment = await RouterSegment.create(2, [{ name: 'router', asn: ROUTER_ASN }])
    const router = segment.routers[0] as SegmentRouter
    const config = frrConfig({
      asn: router.asn,
      routerId: router.ipv4,
      bfd: BFD,
      nodes: segment.nodes.map(({ name, ipv4, ipv6 }) => {
        return { name, asn: NODE_ASN, addresses: [ipv4, ipv6], password: WORD }
      }),
    })
    frr = await Frr.start({ name: router.name, namespace: router.namespace, config })
    const peers = peersAt(segment.routers)
    for (const node of segment.nodes) {
      nodes.push(await AnnouncingNode.start(node, directory.path, peers, WORD))
    }
    for (const node of nodes) await node.established()
  })
  afterAll(async () => {
    for (const { bird } of nodes) await bird.kill()
    await frr?.stop()
    await segment?.close()
    await directory?.[Symbol.asyncDispose]()
  })

  test('none of its programs is root', async () => {
    for (const pid of frr.pids) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8')
      expect(/^Uid:\s+(\d+)\s+(\d+)/m.exec(status)?.slice(1)).not.toContain('0')
    }
  })

  test('has sessions of both IP versions, under a password, watched by BFD', async () => {
    const addresses = segment.nodes.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).toSorted()
    const summary = await frr.show<Summary>('bgp summary')
    for (const family of ['ipv4Unicast', 'ipv6Unicast'] as const) {
      const { peers } = summary[family]
      expect(Object.keys(peers).toSorted()).toEqual(addresses)
      for (const { state } of Object.values(peers)) expect(state).toBe('Established')
    }
    const watched = await frr.show<readonly BfdPeer[]>('bfd peers')
    expect(watched.map(({ peer }) => peer).toSorted()).toEqual(addresses)
    for (const peer of watched) {
      expect(peer).toMatchObject({ status: 'up', 'remote-detect-multiplier': 3 })
    }
  })

  describe.each(families)('$family', ({ family }) => {
    const address = SHARED[family]

    test('an announced copy is a route at the router, and gone with it', async () => {
      for (const node of others()) await node.announce(address)
      await untilRouted(segment, address, others())
      const coming: number[] = []
      const going: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        await first().announce(address)
        coming.push(await untilRouted(segment, address, nodes))
        await first().withdraw(address)
        going.push(await untilRouted(segment, address, others()))
      }
      print(`FRR, ${family}: copy added, route at the router`, coming)
      print(`FRR, ${family}: copy removed, route gone at the router`, going)
    })

    test('it turns to others when a node asks for it, and back when there are none', async () => {
      await first().announce(address)
      await untilRouted(segment, address, nodes)
      const before = await first().control.sessions()
      const begun = performance.now()
      await first().apply({ isShuttingDown: true })
      await untilRouted(segment, address, others())
      print(`FRR, ${family}: graceful shutdown asked for, next hop gone`, [
        performance.now() - begun,
      ])
      for (const node of others()) await node.withdraw(address)
      await untilRouted(segment, address, [first()])
      for (const node of others()) await node.announce(address)
      await untilRouted(segment, address, others())
      await first().apply({ isShuttingDown: false })
      await untilRouted(segment, address, nodes)
      const after = await first().control.sessions()
      expect(after.map(({ since }) => since)).toEqual(before.map(({ since }) => since))
    })

    test('a silent node is found out by BFD, and comes back', async () => {
      // Once: with every error, BIRD waits longer before it talks to that router again.
      await segment.silence(first().node)
      const silentMs = await untilRouted(segment, address, others())
      print(`FRR, ${family}: node silent, link up, route gone at the router`, [silentMs])
      await segment.hear(first().node)
      const backMs = await untilRouted(segment, address, nodes)
      print(`FRR, ${family}: node heard again, route at the router`, [backMs])
      await first().established()
    })
  })

  test('the end of BIRD is the end of its routes', async () => {
    await first().bird.kill()
    for (const { family } of families) {
      print(`FRR, ${family}: BIRD killed, route gone at the router`, [
        await untilRouted(segment, SHARED[family], others()),
      ])
    }
    await first().bird.revive()
    await first().established()
    for (const { family } of families) await untilRouted(segment, SHARED[family], nodes)
  })

  test('with another password there is no session', async () => {
    const [spared, spoilt] = peersAt(segment.routers).map(({ name }) => name)
    const { passwords } = first().question
    await first().apply({ passwords: new Map([...passwords, [spoilt as string, 'another']]) })
    await sleep(SETTLE_MS)
    const states = (await first().control.sessions()).map(({ peer, state }) => [peer, state])
    expect(Object.fromEntries(states)).toMatchObject({ [spared as string]: 'Established' })
    expect(Object.fromEntries(states)[spoilt as string]).not.toBe('Established')
    await first().apply({ passwords })
    await first().established()
  })
})

describe.runIf(isPossible).each([
  { kind: 'internal', asn: NODE_ASN, spec: {} },
  // BFD packets of BIRD start with a TTL of 64, and FRR counts from 255.
  { kind: 'several hops away', asn: ROUTER_ASN, spec: { multihop: 3 }, hops: 255 },
])('FRR, $kind', ({ asn, spec, hops }) => {
  test('believes nodes, turns away from one that asks for it, and from a silent one', async () => {
    await using directory = await birdDirectory()
    await using ending = new AsyncDisposableStack()
    const segment = await RouterSegment.create(2, [{ name: 'router', asn }])
    ending.defer(() => segment.close())
    const router = segment.routers[0] as SegmentRouter
    const config = frrConfig({
      asn,
      routerId: router.ipv4,
      bfd: BFD,
      nodes: segment.nodes.map(({ name, ipv4, ipv6 }) => {
        return { name, asn: NODE_ASN, addresses: [ipv4, ipv6], password: WORD }
      }),
      ...(hops === undefined ? {} : { hops }),
    })
    const frr = await Frr.start({ name: router.name, namespace: router.namespace, config })
    ending.defer(() => frr.stop())
    const nodes: AnnouncingNode[] = []
    for (const node of segment.nodes) {
      const peers = peersAt(segment.routers, spec)
      const started = await AnnouncingNode.start(node, directory.path, peers, WORD)
      ending.defer(() => started.bird.kill())
      nodes.push(started)
    }
    for (const node of nodes) await node.established()
    const [first, ...others] = nodes as [AnnouncingNode, ...AnnouncingNode[]]
    for (const address of Object.values(SHARED)) {
      for (const node of nodes) await node.announce(address)
      await untilRouted(segment, address, nodes)
    }
    await first.apply({ isShuttingDown: true })
    for (const address of Object.values(SHARED)) await untilRouted(segment, address, others)
    await first.apply({ isShuttingDown: false })
    for (const address of Object.values(SHARED)) await untilRouted(segment, address, nodes)
    await segment.silence(first.node)
    const silentMs = await untilRouted(segment, SHARED.ipv4, others)
    print('FRR: node silent, link up, route gone at the router', [silentMs])
  })
})

interface Summary {
  readonly ipv4Unicast: Sessions
  readonly ipv6Unicast: Sessions
}

interface Sessions {
  readonly peers: Readonly<Record<string, { readonly state: string }>>
}

interface BfdPeer {
  readonly peer: string
}

function print(what: string, times: readonly number[]): void {
  const sorted = times.map(Math.round).toSorted((a, b) => a - b)
  console.log(`${what}: ${[...new Set([sorted[0], sorted.at(-1)])].join('–')} ms`)
}
