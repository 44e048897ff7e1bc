/**
 * The examples for those who run routers, as they are: each is run by its real daemon, believes two nodes, and turns
 * away from one that asks for it or falls silent. Not here: what FRR does in detail (frr.test.ts).
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Frr, namespacesUnavailable, type Part, startBird } from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../repository.ts'
import { requires } from '../requires.ts'
import { AnnouncingNode, birdDirectory, SHARED, untilRouted, within } from './announcing-node.ts'
import { peersAt, RouterSegment } from './router-segment.ts'

/** What the examples say. */
const PASSWORD = 'change-me'
const ROUTER_ASN = 64_601
const SETTLE_MS = 300
const ROUTERS = ['bird', 'frr'].map((name) => ({ name, asn: ROUTER_ASN }))

const isPossible = requires('bird', 'frr', { missing: await namespacesUnavailable() })

describe.runIf(isPossible)('examples/routers', () => {
  let segment: RouterSegment
  let directory: Awaited<ReturnType<typeof birdDirectory>>
  let bird: Part
  let frr: Frr
  const nodes: AnnouncingNode[] = []
  const first = () => nodes[0] as AnnouncingNode
  const others = () => nodes.slice(1)

  beforeAll(async () => {
    directory = await birdDirectory()
    segment = await RouterSegment.create(2, ROUTERS)
    const [birdAt, frrAt] = segment.routers.map(({ namespace }) => namespace)
    bird = await startBird({
      name: 'bird',
      namespace: birdAt as string,
      configPath: join(ROOT, 'examples/routers/bird.conf'),
      socketPath: join(directory.path, 'router.ctl'),
      isRouter: true,
    })
    const config = await readFile(join(ROOT, 'examples/routers/frr.conf'), 'utf8')
    frr = await Frr.start({ name: 'frr', namespace: frrAt as string, config })
    for (const node of segment.nodes) {
      const peers = peersAt(segment.routers)
      nodes.push(await AnnouncingNode.start(node, directory.path, peers, PASSWORD))
    }
    for (const node of nodes) await node.established()
  })
  afterAll(async () => {
    for (const node of nodes) await node.bird.kill()
    await bird?.kill()
    await frr?.stop()
    await segment?.close()
    await directory?.[Symbol.asyncDispose]()
  })

  describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
    const address = SHARED[family]

    test('both routers spread packets over the nodes that announce', async () => {
      await first().announce(address)
      await untilRouted(segment, address, [first()])
      for (const node of others()) await node.announce(address)
      await untilRouted(segment, address, nodes)
    })

    test('both turn to others when a node asks for it', async () => {
      await first().apply({ isShuttingDown: true })
      await untilRouted(segment, address, others())
      for (const node of others()) await node.withdraw(address)
      await untilRouted(segment, address, [first()])
      for (const node of others()) await node.announce(address)
      await first().apply({ isShuttingDown: false })
      await untilRouted(segment, address, nodes)
    })

    test('neither believes a node that announces an address outside the pools', async () => {
      const [stranger, route] =
        family === 'ipv4'
          ? (['198.51.100.7', '198.51.100.7/32'] as const)
          : (['2001:db8:99::7', '2001:db8:99::7/128'] as const)
      await first().apply({ pools: null })
      await first().announce(stranger)
      for (const name of ['bird', 'frr']) {
        await within(SETTLE_MS, async () =>
          expect(await first().control.routesTo(`${name}-${family}`)).toContain(route),
        )
      }
      await sleep(SETTLE_MS)
      await untilRouted(segment, stranger, [])
      await first().withdraw(stranger)
    })
  })

  test('both find out by BFD that a node is silent', async () => {
    await segment.silence(first().node)
    for (const address of Object.values(SHARED)) await untilRouted(segment, address, others())
    await segment.hear(first().node)
    for (const address of Object.values(SHARED)) await untilRouted(segment, address, nodes)
  })
})
