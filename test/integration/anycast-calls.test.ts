/**
 * Calls outlive the balancer that carried them, on the whole system: routers find out by BGP, whichever way the
 * proxies answer. Not here: how long routers take (npm run bench -- anycast); tests that tell the router
 * (statelessness.test.ts).
 */
import {
  AnycastSystem,
  type AnycastSystemOptions,
  type IncomingCall,
  namespacesUnavailable,
  type OutgoingCall,
  type Phone,
  type Session,
} from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'

const CALLS = 6

/** How responses find their way without the balancer that sent the request. */
const ways: [string, Partial<AnycastSystemOptions>, { ringingSurvives: boolean }][] = [
  ['insideSource Node', { edge: { insideSource: 'Node' } }, { ringingSurvives: false }],
  [
    'insideSource Node, the proxies answer to the Via',
    { edge: { insideSource: 'Node' }, replyToShared: true },
    { ringingSurvives: true },
  ],
  ['insideSource Shared', { edge: { insideSource: 'Shared' } }, { ringingSurvives: true }],
]

describe.runIf(requires('kamailio', 'bird', { missing: await namespacesUnavailable() })).each(ways)(
  '%s',
  (_name, options, { ringingSurvives }) => {
    let system: AnycastSystem
    let alice: string
    let bob: string

    beforeAll(async () => {
      system = await AnycastSystem.start({ kind: 'kamailio', registrars: 2, ...options })
      alice = (await system.usersOf('registrar-0', 1))[0]!
      bob = (await system.usersOf('registrar-1', 1))[0]!
    })
    afterAll(async () => {
      await system?.stop()
    })

    test('death of each balancer in the middle of calls', async () => {
      // In a data centre each.
      const caller = await system.registered(alice, { home: 0 })
      const callee = await system.registered(bob, { home: 1 })
      const established: (readonly [Session, Session])[] = []
      for (let call = 0; call < CALLS; call++) {
        const one = await caller.call(bob).answered
        const other = await callee.sessions.next()
        await other.acks.next()
        await callee.calls.next()
        established.push([one, other])
      }
      callee.onCall = () => {}
      // One of them carries all of it.
      for (const node of system.nodes) {
        const ringing = ringingSurvives
          ? [await place(caller, callee), await place(caller, callee)]
          : []
        await node.balancer.kill()
        await system.untilRouted(system.nodes.filter((other) => other !== node))
        for (const [one, other] of established) {
          expect((await one.reinvite()).status).toBe(200)
          expect((await other.reinvite()).status).toBe(200)
        }
        await endTwo(established)
        if (ringing[0] !== undefined) await answer(ringing[0])
        if (ringing[1] !== undefined) await cancel(ringing[1])
        await node.balancer.revive()
        await system.untilServing()
        await system.untilRouted()
      }
      for (const phone of [caller, callee]) {
        // BYE, re-INVITE and ACK of what was established; before a final answer, waiting is no fault.
        const repeated = phone.log.retransmissions('out')
        expect(repeated, phone.log.toString()).toEqual([])
      }
    })

    async function place(caller: Phone, callee: Phone): Promise<Ringing> {
      const call = caller.call(bob)
      return { call, incoming: await callee.calls.next() }
    }

    /** From one end each. */
    async function endTwo(established: (readonly [Session, Session])[]): Promise<void> {
      for (const [index, [one, other]] of established.splice(0, 2).entries()) {
        const [first, second] = index === 0 ? [one, other] : [other, one]
        expect((await first.hangUp()).status).toBe(200)
        expect(await second.ended).toBe('remoteHungUp')
      }
    }
  },
)

interface Ringing {
  readonly call: OutgoingCall
  readonly incoming: IncomingCall
}

/** 180, 200, ACK and BYE come through others. */
async function answer({ call, incoming }: Ringing): Promise<void> {
  incoming.ring()
  expect((await call.ringing).status).toBe(180)
  const session = incoming.answer()
  const one = await call.answered
  expect((await session.hangUp()).status).toBe(200)
  expect(await one.ended).toBe('remoteHungUp')
}

/** 180, CANCEL, 487 and ACK come through others. */
async function cancel({ call, incoming }: Ringing): Promise<void> {
  incoming.ring()
  expect((await call.ringing).status).toBe(180)
  expect((await call.cancel()).status).toBe(487)
  await incoming.cancelled
  expect(await incoming.refusalAcknowledged).toBe(true)
}
