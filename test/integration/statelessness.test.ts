/**
 * Balancers come and go in the middle of calls, and nobody notices but what is in flight: real Kamailios, real balancer
 * processes, SIGKILL. Not here: routes that withdraw themselves; the router is told.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Node, type Session, Transport } from '@sipcast/lab'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { System, type SystemOptions } from './system.ts'

const CALLS = 8

/** How responses find their way without the balancer that sent the request. */
const ways: [string, Partial<SystemOptions>, { ringingSurvives: boolean }][] = [
  ['insideSource Node', { edge: { insideSource: 'Node' } }, { ringingSurvives: false }],
  [
    'insideSource Node, the proxy answers to the Via',
    { edge: { insideSource: 'Node' }, replyToShared: true },
    { ringingSurvives: true },
  ],
  ['insideSource Shared', { edge: { insideSource: 'Shared' } }, { ringingSurvives: true }],
]

describe.runIf(requires('kamailio', 'nftables', 'network-namespaces')).each(ways)(
  '%s',
  (_name, options, { ringingSurvives }) => {
    let system: System
    let alice: string
    let bob: string

    beforeAll(async () => {
      system = await System.start({ kind: 'kamailio', balancers: 2, registrars: 2, ...options })
      alice = await system.userOf('registrar-0')
      bob = await system.userOf('registrar-1')
    })

    afterEach(async () => {
      await system.topology.spreadOver(system.topology.balancers)
      await system.hangUpAll()
    })

    afterAll(async () => {
      await system?.stop()
    })

    const nodes = (): [Node, Node] => system.topology.balancers as [Node, Node]

    /** The balancer dies at once; the router has noticed. */
    async function loseBalancer(index: 0 | 1): Promise<void> {
      await system.balancers[index]!.kill()
      await system.topology.spreadOver([nodes()[1 - index]!])
    }

    async function regainBalancer(index: 0 | 1): Promise<void> {
      await system.balancers[index]!.revive()
      await system.untilServing()
      await system.topology.spreadOver(system.topology.balancers)
    }

    test('established calls outlive every balancer: re-INVITE, INFO and BYE from both ends', async () => {
      const [caller, callee] = [await system.registered(alice), await system.registered(bob)]
      const calls: [Session, Session][] = []
      for (let call = 0; call < CALLS; call++) {
        const one = await caller.call(bob).answered
        const other = await callee.sessions.next()
        await other.acks.next()
        calls.push([one, other])
      }
      for (const index of [0, 1] as const) {
        await loseBalancer(index)
        for (const [one, other] of calls) {
          expect((await one.reinvite()).status).toBe(200)
          expect((await other.request('INFO')).status).toBe(200)
        }
        await regainBalancer(index)
      }
      for (const [index, [one, other]] of calls.entries()) {
        const [first, second] = index % 2 === 0 ? [one, other] : [other, one]
        expect((await first.hangUp()).status).toBe(200)
        expect(await second.ended).toBe('remoteHungUp')
      }
      for (const phone of [caller, callee]) {
        expect(phone.log.retransmissions(), phone.log.toString()).toEqual([])
      }
    })

    test('calls made while balancers die and return are made', async () => {
      const [caller, callee] = [await system.registered(alice), await system.registered(bob)]
      let isOver = false
      let answered = 0
      const calling = (async () => {
        while (!isOver) {
          const one = await caller.call(bob).answered
          const other = await callee.sessions.next()
          expect((await one.hangUp()).status).toBe(200)
          await other.ended
          answered++
          await sleep(20)
        }
      })()
      for (const index of [0, 1] as const) {
        await sleep(300)
        // Withdrawn first, as a planned end does; what is in flight is answered before the end.
        await system.topology.spreadOver([nodes()[1 - index]!])
        await sleep(300)
        expect(await system.balancers[index]!.stop()).toBe(0)
        await regainBalancer(index)
      }
      isOver = true
      await calling
      expect(answered).toBeGreaterThan(5)
    })

    test(`a ringing call ${ringingSurvives ? 'survives' : 'is repeated by nobody but may be lost with'} the balancer that carried it`, async () => {
      const [caller, callee] = [await system.registered(alice), await system.registered(bob)]
      await system.topology.spreadOver([nodes()[0]])
      callee.onCall = (call) => call.ring()
      const call = caller.call(bob)
      await call.ringing
      const incoming = await callee.calls.next()
      await loseBalancer(0)
      const session = incoming.answer()
      if (ringingSurvives) {
        const one = await call.answered
        expect((await session.hangUp()).status).toBe(200)
        expect(await one.ended).toBe('remoteHungUp')
      } else {
        // The 200 goes to the dead balancer's own address. The caller gives up, and his CANCEL finds its way.
        const outcome = await Promise.race([call.final, sleep(1500)])
        expect(outcome).toBeUndefined()
        await regainBalancer(0)
        // Kamailio repeats the 200 to the same address, where a balancer is again: stateless, it brings it home.
        expect((await call.final).status).toBe(200)
      }
      if (system.balancers[0]!.state === 'dead') await regainBalancer(0)
    })

    test('a retransmission through another balancer, from another port, is one to Kamailio', async () => {
      const [caller, callee] = [
        await system.registered(alice, { home: 0 }),
        await system.registered(bob),
      ]
      await system.topology.spreadOver([nodes()[0]])
      expect((await caller.message(bob, 'once')).status).toBe(200)
      await system.topology.spreadOver([nodes()[1]])
      const sent = caller.log.requests('out', 'MESSAGE').at(-1)!.message
      const home = system.topology.homes[0]!
      const other = await Transport.open({ address: home.ipv4, namespace: home.namespace })
      other.send(sent, system.shared())
      await sleep(500)
      expect(callee.log.requests('in', 'MESSAGE')).toHaveLength(1)
      other.close()
    })
  },
)
