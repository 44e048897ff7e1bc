/**
 * One node as the product runs it (balancer, announcer, BIRD) between two routers: when addresses are announced, and
 * what becomes of their routes whatever dies, hangs or leaves. Prints how long it takes (docs/benchmarks.md), asserts
 * what happens. Not here: calls meanwhile; what BIRD makes of a configuration (bird.test.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Anycast,
  eventually,
  Namespace,
  namespacesUnavailable,
  openSocket,
  SHARED_IPV4,
  SHARED_IPV6,
} from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { birdDirectory, PASSWORD } from './announcing-node.ts'
import { AnycastNode, RouteLog } from './anycast-node.ts'

const BOTH = [SHARED_IPV6, SHARED_IPV4].toSorted()
const POLL_MS = 15
/** BIRD stays away from a router for up to 10 s after several errors, and so do routers. */
const ROUTE_WAIT_MS = 40_000
/** Longer than an announced copy lives unrenewed, whatever the kernel's sweeps do. */
const UNTOUCHED_MS = 4_000

describe.runIf(requires('bird', { missing: await namespacesUnavailable() }))('a node', () => {
  let anycast: Anycast
  let directory: Awaited<ReturnType<typeof birdDirectory>>
  let node: AnycastNode

  beforeAll(async () => {
    directory = await birdDirectory()
    const size = { balancers: 1, registrars: 0, homes: 0 }
    anycast = await Anycast.create({ ...size, directory: directory.path, password: PASSWORD })
    node = await AnycastNode.start(anycast.balancers[0]!, anycast, PASSWORD)
  })
  afterAll(async () => {
    await node?.stop()
    await anycast?.close()
    await directory?.[Symbol.asyncDispose]()
  })

  /** Both routers have a route to both addresses, or none has any. */
  async function untilRouted(isRouted: boolean): Promise<number> {
    const startMs = performance.now()
    const asked = anycast.routers.flatMap((router) =>
      BOTH.map((address) => [router, address] as const),
    )
    for (;;) {
      const hops = await Promise.all(asked.map(([router, address]) => router.nextHops(address)))
      if (hops.every((one) => one.length === (isRouted ? 1 : 0))) break
      if (performance.now() - startMs > ROUTE_WAIT_MS) throw new Error(JSON.stringify(hops))
      await sleep(POLL_MS)
    }
    return performance.now() - startMs
  }

  async function times(what: string, gone: () => Promise<void>, back: () => Promise<void>) {
    await untilRouted(true)
    await gone()
    const goneMs = await untilRouted(false)
    await back()
    const backMs = await untilRouted(true)
    print(what, { 'routes gone': goneMs, 'routes back': backMs })
  }

  async function changesDuring(action: () => Promise<void>): Promise<readonly string[]> {
    const log = await RouteLog.start(anycast)
    try {
      await action()
      return log.changes()
    } finally {
      await log.stop()
    }
  }

  test('is announced when it has a table, its sockets, and an answer of its own; not before', async () => {
    await sleep(1_000)
    await untilRouted(false)
    expect(await node.announced()).toEqual([])
    await node.publish(1)
    const routedMs = await untilRouted(true)
    print('table written', { 'routes there': routedMs })
    const events = node.events()
    expect(events.indexOf('AddressHeld')).toBeLessThan(events.indexOf('AddressAnnounced'))
    expect([await node.held(), await node.announced()]).toEqual([BOTH, BOTH])
    await eventually('a report of it', async () => {
      const report = await node.directory.balancer(node.node.name)
      return report?.summary?.announced === '2/2' && report.summary.bgp === '2/2'
    })
  })

  test('with all proxies dead stays announced, and says so to phones', async () => {
    const changes = await changesDuring(async () => {
      const { trunk } = anycast.centres[0]!
      const answer = await eventually('a refusal', async () => {
        const text = await register(trunk.namespace, trunk.ipv4)
        return text?.startsWith('SIP/2.0 503') ? text : null
      })
      expect(answer).toMatch(/^Retry-After: /m)
      await sleep(1_000)
    })
    expect(changes).toEqual([])
  })

  test('balancer killed: the routes go at once, and come back with it', async () => {
    await times(
      'balancer killed',
      () => node.balancer.kill(),
      () => node.balancer.revive(),
    )
    expect(node.events()).not.toContain('AnnouncementLapsed')
  })

  test('balancer frozen: the routes go with their lifetime, and come back with it', async () => {
    await times(
      'balancer frozen',
      async () => node.balancer.freeze(),
      () => node.balancer.revive(),
    )
    expect(node.events()).toContain('AnnouncementLapsed')
  })

  test('announcer told to end, and started again: no router notices', async () => {
    const changes = await changesDuring(async () => {
      expect(await node.announcer.stop()).toBe(0)
      await node.announcer.revive()
      await sleep(UNTOUCHED_MS)
    })
    expect(changes).toEqual([])
    expect(await node.announced()).toEqual(BOTH)
    await node.established(anycast.routers.length)
  })

  test('announcer killed while its successor waits: that goes on in time, and no router notices', async () => {
    const changes = await changesDuring(async () => {
      await node.succeedAnnouncer()
      await sleep(UNTOUCHED_MS)
    })
    expect(changes).toEqual([])
    expect(node.events()).toContain('NodeTaken')
    expect(await node.announced()).toEqual(BOTH)
  })

  test('announcer killed or frozen for good: the routes go with their lifetime', async () => {
    await times(
      'announcer killed',
      () => node.announcer.kill(),
      () => node.announcer.revive(),
    )
    await times(
      'announcer frozen',
      async () => node.announcer.freeze(),
      () => node.announcer.revive(),
    )
  })

  test('BIRD killed or frozen: the routes go, and come back with it', async () => {
    await times(
      'BIRD killed',
      () => node.bird.kill(),
      async () => {
        await eventually('notice of it', () => node.events().includes('BirdAbsent'))
        await node.bird.revive()
      },
    )
    await node.established(anycast.routers.length)
    await times(
      'BIRD frozen',
      async () => node.bird.freeze(),
      () => node.bird.revive(),
    )
    await node.established(anycast.routers.length)
    expect(await node.announced()).toEqual(BOTH)
    await eventually('notice of all', () =>
      ['BgpSessionDown', 'BgpSessionUp', 'BirdAbsentMended'].every((event) =>
        node.events().includes(event),
      ),
    )
  })

  test('maintenance: routers are asked first, and the node holds on; undone, it is announced again', async () => {
    const sessions = await node.control.sessions()
    await times(
      'maintenance, as the manifest has it',
      () => node.setMaintenance(true),
      async () => {
        expect(await node.held()).toEqual(BOTH)
        const report = await node.directory.balancer(node.node.name)
        expect(report?.maintenance).toBe(true)
        await node.setMaintenance(false)
      },
    )
    const since = (all: typeof sessions) => all.map((one) => one.since)
    expect(since(await node.control.sessions())).toEqual(since(sessions))
  })

  test('a pod that ends: asked, withdrawn, drained, and nothing left behind', async () => {
    await untilRouted(true)
    const startMs = performance.now()
    const sinceMs = () => performance.now() - startMs
    const ends = [node.balancer, node.announcer].map((part) => part.stop())
    await untilRouted(false)
    const goneMs = sinceMs()
    expect([await node.held(), node.balancer.state]).toEqual([BOTH, 'running'])
    expect(await options(node.node.namespace)).toMatch(/^SIP\/2\.0 200/)
    await ends[0]
    const drainedMs = sinceMs()
    expect(await Promise.all(ends)).toEqual([0, 0])
    print('SIGTERM', { 'routes gone': goneMs, 'balancer ended': drainedMs, 'all ended': sinceMs() })
    await eventually('the end of BIRD', () => node.bird.state === 'dead')
    expect([await node.held(), await node.announced()]).toEqual([[], []])
    const links = await new Namespace(node.node.namespace).ip('-o link show')
    expect(links).not.toMatch('dummy-sipcast')
  })
})

/** Null: no answer. */
async function ask(namespace: string, source: string, request: string): Promise<string | null> {
  const socket = await openSocket(source, 0, namespace)
  try {
    socket.send(
      request.replaceAll('SOURCE', `${source}:${socket.address().port}`),
      5060,
      SHARED_IPV4,
    )
    return await new Promise((resolve) => {
      socket.once('message', (bytes) => resolve(bytes.toString()))
      setTimeout(() => resolve(null), 1_000)
    })
  } finally {
    socket.close()
  }
}

async function register(namespace: string, source: string): Promise<string | null> {
  return await ask(
    namespace,
    source,
    message('REGISTER', 'sip:registrars.test', 'sip:alice@registrars.test'),
  )
}

/** Of the node itself, as no router leads there any more. */
async function options(namespace: string): Promise<string | null> {
  const uri = `sip:${SHARED_IPV4}`
  return await ask(namespace, SHARED_IPV4, message('OPTIONS', uri, uri))
}

function message(method: string, uri: string, who: string): string {
  const id = Math.random().toString(36).slice(2)
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP SOURCE;rport;branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <${who}>;tag=${id}`,
    `To: <${who}>`,
    `Call-ID: ${id}`,
    `CSeq: 1 ${method}`,
    'User-Agent: a phone whose requests are longer than the answers to them',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n')
}

function print(what: string, milliseconds: Readonly<Record<string, number>>): void {
  const figures = Object.entries(milliseconds).map(([name, ms]) => `${name} ${Math.round(ms)} ms`)
  console.log(`${what}: ${figures.join(', ')}`)
}
