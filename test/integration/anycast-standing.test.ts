/**
 * Who is announced, and who stays so: nobody without a table, its sockets and a passed self-test; everybody in a flood,
 * and while all proxies are dead; and both halves of a split, which agree on whom users go to. On the whole system. Not
 * here: how quickly routes go (anycast-faults.test.ts).
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ANYCAST_DOMAIN,
  AnycastSystem,
  type BalancerNode,
  eventually,
  header,
  isOwnTimeout,
  LeaseWatch,
  namespacesUnavailable,
  openSocket,
  SHARED_IPV4,
  SHARED_IPV6,
  startFlood,
} from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { answersTo } from './answers.ts'
import { RouteWatch } from './route-watch.ts'

/** More than it takes to announce what is served. */
const SETTLE_MS = 2_500
const FLOOD_SECONDS = 8
/** Of design section 5.5: two of a balancer's own probes, 2 s apart, and the time of the last; and a busy machine. */
const ALONE_MAX_MS = 2 * 2_000 + 400 + 1_500
const USERS = 40
/** How far the survivors' shares may be from what backups give them, in slots; each is of 256. */
const BEYOND_BACKUPS_MAX = 2

describe.runIf(requires('kamailio', 'bird', { missing: await namespacesUnavailable() }))(
  'nodes',
  () => {
    let system: AnycastSystem
    const last = () => system.nodes.at(-1) as BalancerNode
    const othersThan = (node: BalancerNode) => system.nodes.filter((other) => other !== node)

    beforeAll(async () => {
      system = await AnycastSystem.start({ kind: 'kamailio', balancers: 4, separable: 2 })
    })
    afterAll(async () => {
      await system?.stop()
    })

    test('are not announced without a table', async () => {
      const node = last()
      system.cut()
      await node.balancer.kill()
      await system.untilRouted(othersThan(node))
      for (const kept of ['tables', 'state']) {
        await rm(join(node.directory.path, kept), { recursive: true, force: true })
      }
      await node.revive()
      await sleep(SETTLE_MS)
      expect((await node.addresses()).announced).toEqual([])
      system.mend()
      await system.untilRouted()
    })

    test('are not announced at an address whose port somebody else has', async () => {
      const [node] = system.nodes as [BalancerNode]
      await node.balancer.kill()
      await system.untilRouted(othersThan(node))
      const stranger = await openSocket(SHARED_IPV4, 5060, node.node.namespace)
      await node.balancer.revive()
      await sleep(SETTLE_MS)
      expect((await node.addresses()).announced).toEqual([SHARED_IPV6])
      stranger.close()
      await system.untilRouted()
    })

    test('are not announced without a passed self-test', async () => {
      const [node] = system.nodes as [BalancerNode]
      await node.balancer.kill()
      await system.untilRouted(othersThan(node))
      await node.namespace.nft(DEAF)
      await node.balancer.revive()
      await system.untilServing()
      await sleep(SETTLE_MS)
      expect((await node.addresses()).announced).toEqual([])
      await node.namespace.nft('delete table inet deaf')
      await system.untilRouted()
    })

    test('cut off from the operator: a proxy dies, and both halves send its users to the same', async () => {
      const victim = system.registrars[0]!
      const users = await system.usersOf(victim.name, USERS, 'nobody')
      const halves = [system.nodes.slice(0, 2), system.nodes.slice(2)] as const
      system.cut()
      const watches = await Promise.all(
        halves.map((half) => RouteWatch.start({ ...routes(), places: placesOf(half) }, users)),
      )
      try {
        await eventually('answers of the victim', () =>
          watches.every((watch) => watch.recently().filter((by) => by === victim.name).length > 20),
        )
        const killedMs = performance.now()
        await victim.kill()
        const [together, apart] = await Promise.all(
          watches.map((watch) => watch.untilAvoided(victim.name, killedMs)),
        )
        console.log(
          `split, proxy killed: avoided after ${together?.toFixed()} ms with the operator, ${apart?.toFixed()} ms without`,
        )
        expect(together).toBeLessThan(ALONE_MAX_MS)
        expect(apart).toBeLessThan(ALONE_MAX_MS)
        const answers = await Promise.all(
          system.nodes.map(({ node }) => answersTo(users, { ...routes(), place: node })),
        )
        const disagreeing = users.filter(
          (user) => new Set(answers.map((answer) => answer.get(user))).size > 1,
        )
        console.log(`split: ${disagreeing.length} of ${users.length} users go to different proxies`)
        expect(disagreeing.length).toBeLessThanOrEqual(BEYOND_BACKUPS_MAX)
      } finally {
        for (const watch of watches) watch.stop()
        await victim.revive()
        system.mend()
      }
      await system.untilServing()
    })

    test('stay announced while all proxies are dead, and say so', async () => {
      const leases = await LeaseWatch.start(system.nodes)
      const phone = await system.openPhone('watcher')
      await Promise.all(system.registrars.map((registrar) => registrar.kill()))
      const refusal = await eventually('503', async () => {
        const response = await phone.request('OPTIONS', 'somebody')
        expect(isOwnTimeout(response)).toBe(false)
        return response.status === 503 && response
      })
      expect(header(refusal, 'retry-after')).toMatch(/^\d+$/)
      await sleep(SETTLE_MS)
      await system.untilRouted()
      await Promise.all(system.registrars.map((registrar) => registrar.revive()))
      expect(leases.lost).toEqual([])
      await leases.stop()
    })

    test('stay announced in a flood of all of them', async () => {
      const leases = await LeaseWatch.start(system.nodes)
      const floods = await Promise.all(
        system.network.centres.map(({ trunk }, index) =>
          startFlood(trunk, index === 0 ? 'ipv4' : 'ipv6', FLOOD_SECONDS),
        ),
      )
      await Promise.all(floods.map(({ exited }) => exited))
      const sent = floods.map(({ log }) => log.lines.at(-1))
      console.log(`flood: ${sent.join(' and ')} datagrams in ${FLOOD_SECONDS} s`)
      expect(leases.lost).toEqual([])
      await leases.stop()
      await system.untilRouted()
    })

    function routes() {
      return { target: system.shared(), domain: ANYCAST_DOMAIN }
    }
  },
)

/** By each balancer, from its own node: routers would choose one. */
function placesOf(nodes: readonly BalancerNode[]) {
  return nodes.map(({ node: { ipv4, namespace } }) => ({ address: ipv4, namespace }))
}

const DEAF = `
table inet deaf {
  chain input {
    type filter hook input priority filter
    iifname "lo" udp dport 5060 drop
  }
}
`
