/**
 * Routes to the shared address, as routers see them: that they come with the announced copy and go with it, and how
 * quickly; real BIRDs at both ends and the kernel's own lifetimes. Prints what it measures (docs/benchmarks.md). Not
 * here: who renews the copies in production (the announcer), calls.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Anycast,
  HashPolicy,
  Namespace,
  type Node,
  namespacesUnavailable,
  openSocket,
} from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import {
  AnnouncingNode,
  birdDirectory,
  PASSWORD,
  peersOf,
  SHARED,
  untilRouted,
} from './announcing-node.ts'

const ROUNDS = 5
/** Each makes BIRD wait longer before it talks to that router again: 1, 2, 4 s. */
const SILENT_ROUNDS = 3
const LIFETIME_SECONDS = 2
const RENEW_MS = 600
const RENEWALS = 3
const SETTLE_MS = 300
const FLOWS = 200

const families = [{ family: 'ipv4' as const }, { family: 'ipv6' as const }]

describe.runIf(requires('bird', { missing: await namespacesUnavailable() }))('routes', () => {
  let anycast: Anycast
  let directory: Awaited<ReturnType<typeof birdDirectory>>
  const nodes: AnnouncingNode[] = []
  const first = () => nodes[0] as AnnouncingNode
  const others = () => nodes.slice(1)

  beforeAll(async () => {
    directory = await birdDirectory()
    const { path } = directory
    const size = { balancers: 3, registrars: 1, homes: 1 }
    anycast = await Anycast.create({ ...size, directory: path, password: PASSWORD })
    for (const node of anycast.balancers) {
      nodes.push(await AnnouncingNode.start(node, path, peersOf(anycast)))
    }
    for (const node of nodes) await node.established()
  })
  afterAll(async () => {
    for (const { bird } of nodes) await bird.kill()
    await anycast?.close()
    await directory?.[Symbol.asyncDispose]()
  })

  describe.each(families)('$family', ({ family }) => {
    const address = SHARED[family]

    test('what is held on the loopback interface only is nobody else’s business', async () => {
      for (const node of nodes) await node.hold(address)
      await sleep(SETTLE_MS)
      await untilRouted(anycast, address, [])
      expect(await first().control.routesTo('router-a')).toEqual([])
    })

    test('nor is an announced copy outside the pools', async () => {
      const stranger = family === 'ipv4' ? '192.0.2.99' : '2001:db8:99::99'
      await first().announce(stranger)
      await sleep(SETTLE_MS)
      await untilRouted(anycast, stranger, [])
      await first().withdraw(stranger)
    })

    test('an announced copy is a route at both routers, and gone with it', async () => {
      for (const node of others()) await node.announce(address)
      await untilRouted(anycast, address, others())
      const coming: number[] = []
      const going: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        await first().announce(address)
        coming.push(await untilRouted(anycast, address, nodes))
        await first().withdraw(address)
        going.push(await untilRouted(anycast, address, others()))
      }
      print(`${family}: copy added, route at both routers`, coming)
      print(`${family}: copy removed, route gone at both routers`, going)
      expect(median(coming)).toBeLessThan(200)
      expect(median(going)).toBeLessThan(200)
    })

    test('a copy that is renewed no more goes with its lifetime', async () => {
      const expiring: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        for (let renewal = 0; renewal <= RENEWALS; renewal++) {
          if (renewal > 0) await sleep(RENEW_MS)
          await first().announce(address, LIFETIME_SECONDS)
        }
        const renewedMs = performance.now()
        await untilRouted(anycast, address, nodes)
        await untilRouted(anycast, address, others())
        expiring.push(performance.now() - renewedMs)
      }
      print(`${family}: last renewal of a lifetime of ${LIFETIME_SECONDS} s, route gone`, expiring)
      expect(Math.min(...expiring)).toBeGreaterThan(1_900)
      expect(median(expiring)).toBeLessThan(2_500)
    })

    test('a silent node is found out by BFD, and comes back', async () => {
      await first().announce(address)
      await untilRouted(anycast, address, nodes)
      const silent: number[] = []
      const back: number[] = []
      for (let round = 0; round < SILENT_ROUNDS; round++) {
        await anycast.silence(first().node)
        silent.push(await untilRouted(anycast, address, others()))
        await anycast.hear(first().node)
        back.push(await untilRouted(anycast, address, nodes))
        await first().established()
      }
      print(`${family}: node silent, link up, route gone at both routers`, silent)
      print(`${family}: node heard again, route at both routers`, back)
      expect(median(silent)).toBeLessThan(600)
    })

    test('routers spread flows: by addresses all of a trunk together, by ports not', async () => {
      await untilRouted(anycast, address, nodes)
      // To Linux, the flow label is one of the addresses of IPv6.
      const { trunk } = anycast.centres[0] as (typeof anycast.centres)[number]
      await new Namespace(trunk.namespace).sysctl('net.ipv6.auto_flowlabels=0')
      expect(await spread(address, family, HashPolicy.addresses)).toHaveLength(1)
      expect(await spread(address, family, HashPolicy.addressesAndPorts)).toHaveLength(nodes.length)
      for (const node of nodes) await node.withdraw(address)
    })
  })

  /** Packets of one trunk's flows at each balancer that got any. */
  async function spread(address: string, family: 'ipv4' | 'ipv6', policy: HashPolicy) {
    for (const router of anycast.routers) await router.hashBy(policy)
    const arrived = new Map<string, number>()
    const { trunk } = anycast.centres[0] as (typeof anycast.centres)[number]
    const listening = nodes.map(({ node }) => listen(node, address, arrived))
    const sockets = await Promise.all(listening)
    const answers = await Promise.all(
      Array.from({ length: FLOWS }, () => isAnswered(trunk, trunk[family], address)),
    )
    for (const socket of sockets) socket.close()
    expect(answers.filter(Boolean)).toHaveLength(FLOWS)
    console.log(
      `${family}: ${FLOWS} flows by policy ${policy}: ${[...arrived.values()].join(', ')}`,
    )
    return [...arrived.keys()]
  }
})

async function listen(node: Node, address: string, arrived: Map<string, number>) {
  const socket = await openSocket(address, 5060, node.namespace)
  return socket.on('message', (bytes, from) => {
    arrived.set(node.name, (arrived.get(node.name) ?? 0) + 1)
    socket.send(bytes, from.port, from.address)
  })
}

async function isAnswered(from: Node, source: string, address: string): Promise<boolean> {
  const socket = await openSocket(source, 0, from.namespace)
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(2_000) })
  socket.send('OPTIONS', 5060, address)
  try {
    await answer
    return true
  } catch {
    // Nobody answered in time.
    return false
  } finally {
    socket.close()
  }
}

function print(what: string, times: readonly number[]): void {
  const sorted = times.map(Math.round).toSorted((a, b) => a - b)
  console.log(`${what}: ${sorted[0]}–${sorted.at(-1)} ms, median ${Math.round(median(times))} ms`)
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] as number
}
