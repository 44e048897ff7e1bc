/**
 * Routers rehash as they like, in the middle of calls: nodes come and go, policies change, and no user changes proxy,
 * no transaction becomes two at one, no fragment is lost. Looked at on the wire before the proxies. Not here: 10 000
 * calls (npm run bench -- anycast).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AnycastSystem,
  HashPolicy,
  isFailed,
  Load,
  namespacesUnavailable,
  type Phone,
  ProxyWatch,
  servedBy,
} from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'

const PHONES = 12
const LARGE_INVITES = 6
/** With it, an INVITE has some 2900 bytes. */
const FILLING = 'x'.repeat(2_000)
const DATAGRAM_BYTES = 2_800

const needs = ['kamailio', 'bird', 'tcpdump'] as const

describe.runIf(requires(...needs, { missing: await namespacesUnavailable() }))('routers', () => {
  let system: AnycastSystem

  beforeAll(async () => {
    system = await AnycastSystem.start({ kind: 'kamailio', replyToShared: true, homes: 2 })
  })
  afterAll(async () => {
    await system?.stop()
  })

  test('nodes drained, back, killed, back, and other policies, during calls', async () => {
    const [first, second] = system.nodes
    const watch = await ProxyWatch.start(system)
    const users = Array.from({ length: PHONES }, (_, index) => `user-${index}`)
    const source = { phone: async (user: string) => await system.openPhone(user) }
    const load = await Load.start(source, users, { ringMs: 200, patienceMs: 12_000 })
    first!.leave()
    await system.untilRouted(system.nodes.slice(1))
    await system.hashBy(HashPolicy.addresses)
    await first!.untilLeft()
    await first!.revive()
    await system.untilRouted()
    await system.hashBy(HashPolicy.addressesAndPorts)
    await second!.balancer.kill()
    await system.untilRouted(system.nodes.filter((node) => node !== second))
    await second!.balancer.revive()
    await system.untilRouted()
    await sleep(500)
    await load.stop()
    await watch.stop()
    console.log(
      `rehash: ${load.calls.length} calls, ${watch.transactions} transactions of ${watch.users} users at the proxies`,
    )
    expect(watch.users).toBe(PHONES)
    expect(watch.moved).toEqual([])
    expect(watch.duplicated).toEqual([])
    expect(load.calls.filter(isFailed)).toEqual([])
    await system.hangUpAll()
  })

  test.each([
    { version: 'ipv4', policy: HashPolicy.addresses },
    { version: 'ipv4', policy: HashPolicy.addressesAndPorts },
    { version: 'ipv6', policy: HashPolicy.addresses },
    { version: 'ipv6', policy: HashPolicy.addressesAndPorts },
  ] as const)('$version, policy $policy: INVITEs in fragments all arrive', async (options) => {
    const { version, policy } = options
    await system.hashBy(policy)
    const [callee] = await system.usersOf('registrar-1', 1)
    const bob = await system.registered(callee!, { home: 1, version })
    const others = await system.usersOf('registrar-0', LARGE_INVITES, 'caller')
    const callers: Phone[] = []
    for (const [home, user] of others.entries()) {
      callers.push(await system.registered(user, { home, version }))
    }
    const watch = await ProxyWatch.start(system)
    await Promise.all(
      callers.map(async (caller) => {
        const call = caller.call(callee!, [['x-filling', FILLING]])
        const session = await call.answered
        expect((await session.hangUp()).status).toBe(200)
      }),
    )
    await watch.stop()
    const invites = bob.log.requests('in', 'INVITE')
    expect(invites).toHaveLength(LARGE_INVITES)
    for (const { text, message } of invites) {
      expect(text.length).toBeGreaterThan(DATAGRAM_BYTES)
      expect(servedBy(message)).toEqual(['registrar-1'])
    }
    for (const phone of [bob, ...callers]) {
      expect(phone.log.retransmissions(), phone.log.toString()).toEqual([])
    }
    expect([watch.moved, watch.duplicated]).toEqual([[], []])
    await system.hangUpAll()
  })
})
