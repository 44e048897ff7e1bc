/**
 * Real proxies behind real balancers: everything a phone does, each datagram through a balancer drawn at random, phones
 * behind symmetric NATs, both IP versions, both settings of `insideSource`. Nothing may be lost, repeated, or reach a
 * proxy that does not own the user.
 */
import { header, headerValues, type Phone, servedBy } from '@sipcast/lab'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { DOMAIN, System } from './system.ts'

describe
  .runIf(requires('kamailio', 'nftables', 'network-namespaces', 'ipv6'))
  .each([{ insideSource: 'Node' }, { insideSource: 'Shared' }] as const)(
  'insideSource $insideSource',
  ({ insideSource }) => {
    let system: System
    /** A user of each registrar, and one more of the first. */
    let alice: string
    let bob: string
    let carol: string
    let dave: string

    beforeAll(async () => {
      system = await System.start({
        kind: 'kamailio',
        balancers: 3,
        registrars: 2,
        edge: { insideSource },
        forwards: { diverted: 'user-0' },
        pingIntervalSeconds: 2,
      })
      alice = await system.userOf('registrar-0')
      bob = await system.userOf('registrar-1')
      carol = await system.userOf('registrar-0', 1)
      dave = await system.userOf('registrar-1', 1)
    })

    afterEach(async () => {
      const phones = [...system.phones]
      for (const phone of phones) expect(phone.log.retransmissions(), String(phone.log)).toEqual([])
      await system.hangUpAll()
      system.gateway.onCall = (call) => {
        call.ring()
        system.gateway.sessions.push(call.answer())
      }
      expect(await lostPackets(system)).toEqual({})
    })

    afterAll(async () => {
      await system?.stop()
    })

    /** The registrars that a request went through on its way to this phone, nearest first. */
    function wayTo(phone: Phone, method = 'INVITE'): string[] {
      return servedBy(phone.log.requests('in', method).at(-1)?.message as never)
    }

    test('REGISTER: challenged, granted at the owner, refreshed, taken back', async () => {
      for (const user of [alice, bob, carol, dave]) {
        const phone = await system.phone(user)
        const registration = await phone.register()
        expect(registration).toMatchObject({ status: 200, servedBy: await system.ownerOf(user) })
        expect((await phone.register()).contacts).toHaveLength(1)
        expect((await phone.register(0)).contacts).toHaveLength(0)
      }
    })

    test.each([
      ['ipv4', 'ipv4'],
      ['ipv4', 'ipv6'],
      ['ipv6', 'ipv4'],
      ['ipv6', 'ipv6'],
    ] as const)(
      'calls %s → %s between users of different registrars, everything in them, from both ends',
      async (from, to) => {
        const [caller, callee] = await Promise.all([
          system.registered(alice, { version: from, home: 0 }),
          system.registered(bob, { version: to, home: 1 }),
        ])
        // 180 and 200 go through different balancers: sent at once they may change places, as on any network.
        callee.onCall = (call) => {
          call.ring()
          setTimeout(() => callee.sessions.push(call.answer()), 50)
        }
        for (const whoHangsUp of ['caller', 'callee']) {
          const call = caller.call(bob)
          expect((await call.ringing).status).toBe(180)
          const one = await call.answered
          const other = await callee.sessions.next()
          await other.acks.next()
          expect(wayTo(callee)).toEqual(['registrar-1'])
          expect((await one.reinvite()).status).toBe(200)
          await other.acks.next()
          expect((await other.reinvite()).status).toBe(200)
          await one.acks.next()
          expect((await one.request('INFO')).status).toBe(200)
          expect((await other.request('INFO')).status).toBe(200)
          const [first, second] = whoHangsUp === 'caller' ? [one, other] : [other, one]
          expect((await first.hangUp()).status).toBe(200)
          expect(await second.ended).toBe('remoteHungUp')
        }
      },
    )

    test('CANCEL while ringing: 487 and its ACK, both ways of the same transaction', async () => {
      const [caller, callee] = [await system.registered(alice), await system.registered(bob)]
      callee.onCall = (call) => call.ring()
      const call = caller.call(bob)
      await call.ringing
      expect((await call.cancel()).status).toBe(487)
      const incoming = await callee.calls.next()
      await incoming.cancelled
      expect(await incoming.refusalAcknowledged).toBe(true)
    })

    test('failed calls: busy, unknown, another domain, and their ACKs', async () => {
      const [caller, callee] = [await system.registered(alice), await system.registered(bob)]
      callee.onCall = (call) => call.refuse(486, 'Busy Here')
      expect((await caller.call(bob).final).status).toBe(486)
      expect(await (await callee.calls.next()).refusalAcknowledged).toBe(true)
      expect((await caller.call('nobody').final).status).toBe(404)
      expect((await caller.call('sip:bob@elsewhere.example').final).status).toBe(403)
    })

    test('calls to the gateway, changed and ended from there', async () => {
      const caller = await system.registered(alice)
      const one = await caller.call('+4930123456').answered
      const other = await system.gateway.sessions.next()
      expect((await other.reinvite()).status).toBe(200)
      expect((await one.reinvite()).status).toBe(200)
      expect((await other.hangUp()).status).toBe(200)
      expect(await one.ended).toBe('remoteHungUp')
    })

    test('forking to two contacts in two homes: one answers, the other stops ringing', async () => {
      const caller = await system.registered(alice, { home: 0 })
      const desk = await system.registered(bob, { home: 0 })
      const mobile = await system.registered(bob, { home: 1 })
      desk.onCall = (call) => call.ring()
      mobile.onCall = (call) => {
        call.ring()
        setTimeout(() => mobile.sessions.push(call.answer()), 100)
      }
      const session = await caller.call(bob).answered
      await (await desk.calls.next()).cancelled
      await session.hangUp()
      expect(await (await mobile.sessions.next()).ended).toBe('remoteHungUp')
    })

    test('a call diverted to a user of the other registrar goes there by key, in-dialog requests both ways', async () => {
      const [caller, callee, third] = await Promise.all([
        system.registered(alice),
        system.registered(bob),
        system.registered(carol),
      ])
      callee.onCall = (call) => call.redirect(`sip:${carol}@${DOMAIN}`)
      const one = await caller.call(bob).answered
      const other = await third.sessions.next()
      expect(wayTo(third)).toEqual(['registrar-1', 'registrar-0'])
      expect((await other.reinvite()).status).toBe(200)
      expect((await one.reinvite()).status).toBe(200)
      expect((await one.hangUp()).status).toBe(200)
      expect(await other.ended).toBe('remoteHungUp')
    })

    test('REFER in a call: transferred, and reported on', async () => {
      const [caller, callee, third] = await Promise.all([
        system.registered(alice),
        system.registered(bob),
        system.registered(carol),
      ])
      const session = await caller.call(bob).answered
      await callee.sessions.next()
      expect((await session.refer(`sip:${carol}@${DOMAIN}`)).status).toBe(202)
      expect((await session.requests.next()).body).toMatch(/100 Trying/)
      expect((await session.requests.next()).body).toMatch(/200/)
      await third.sessions.next()
      await session.hangUp()
    })

    test('SUBSCRIBE and NOTIFY, refreshed and ended', async () => {
      const [watcher, watched] = [await system.registered(alice), await system.registered(bob)]
      const subscription = watcher.subscribe(bob)
      expect((await subscription.accepted).status).toBe(200)
      await subscription.notifications.next()
      const notifier = await watched.notifiers.next()
      expect((await notifier.notify('news')).status).toBe(200)
      expect((await subscription.notifications.next()).body).toBe('news')
      expect((await subscription.refresh()).status).toBe(200)
      await subscription.notifications.next()
      expect((await subscription.end()).status).toBe(200)
      const last = await subscription.notifications.next()
      expect(header(last, 'subscription-state')).toMatch(/^terminated/)
    })

    test('MESSAGE and OPTIONS to a user, REFER outside a call', async () => {
      const [one, other, third] = await Promise.all([
        system.registered(alice),
        system.registered(bob),
        system.registered(carol),
      ])
      expect((await one.message(bob, 'hello')).status).toBe(200)
      expect((await other.messages.next()).body).toBe('hello')
      expect((await one.request('OPTIONS', bob)).status).toBe(200)
      const subscription = one.refer(bob, carol)
      expect((await subscription.accepted).status).toBe(202)
      await third.sessions.next()
      expect((await subscription.notifications.next()).body).toMatch(/SIP\/2\.0 200/)
    })

    test('the registrar’s own OPTIONS pings reach phones through Path and NAT, and are answered', async () => {
      const phone = await system.registered(alice)
      await expect
        .poll(() => phone.log.requests('in', 'OPTIONS').length, { timeout: 15_000 })
        .toBeGreaterThan(1)
    })

    test('requests of a configured outbound proxy (preloaded Route) and of one that sends keep-alives', async () => {
      const [caller, callee] = [
        await system.registered(alice, { preloadRoute: true }),
        await system.registered(bob),
      ]
      const session = await caller.call(bob).answered
      expect(
        headerValues(callee.log.requests('in', 'INVITE')[0]?.message as never, 'route'),
      ).toEqual([])
      expect((await session.hangUp()).status).toBe(200)
    })

    test('the balancers really took turns', async () => {
      const shares = await Promise.all(
        system.topology.balancers.map(async (node) => {
          const metrics = await system.metrics(node)
          return sumOf(metrics, /^sipcast_.*received/)
        }),
      )
      const total = shares.reduce((sum, share) => sum + share, 0)
      expect(total).toBeGreaterThan(100)
      for (const share of shares) expect(share / total).toBeGreaterThan(0.1)
    })
  },
)

function sumOf(metrics: string, name: RegExp): number {
  return metrics
    .split('\n')
    .filter((line) => name.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Verdicts that end a message's way, over all balancers; answers that a test provokes are none. */
async function lostPackets(system: System): Promise<Record<string, number>> {
  const lost: Record<string, number> = {}
  for (const node of system.topology.balancers) {
    for (const line of (await system.metrics(node)).split('\n')) {
      const drop = /verdict="(drop\w+|answerBad\w+|answerForeign\w+|answerNoProxy)".*\} (\d+)/.exec(
        line,
      )
      if (drop !== null && drop[2] !== '0') lost[drop[1]!] = (lost[drop[1]!] ?? 0) + Number(drop[2])
    }
  }
  return lost
}
