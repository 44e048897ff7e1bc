/**
 * What the balancers may expect of a proxy, asked of both that the lab can start: a real Kamailio by our
 * recipe, and the reference registrar that stands in for it. Phones and proxies only, no balancer: the shared
 * address of each proxy is the other one, so that "back by key" leads somewhere.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Endpoint,
  LoopbackBlock,
  Phone,
  type PhoneOptions,
  Registrar,
  RegistrarKind,
  Transport,
  formatEndpoint,
  freePort,
  header,
  headerValues,
  newPoolSecrets,
  openGateway,
  parseMessage,
  passwordOf,
  servedBy,
} from '@sipcast/lab'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { requires } from '../requires.ts'

const DOMAIN = 'sipcast.test'

describe('reference', () => behaviourOf(RegistrarKind.reference))
describe.runIf(requires('kamailio'))('kamailio', () => behaviourOf(RegistrarKind.kamailio))

function behaviourOf(kind: RegistrarKind): void {
  const secrets = newPoolSecrets(DOMAIN)
  const phones: Phone[] = []
  let block: LoopbackBlock
  let directory: string
  let first: Registrar
  let second: Registrar
  let gateway: Endpoint
  let edge: string

  beforeAll(async () => {
    block = await LoopbackBlock.claim()
    directory = await mkdtemp(join(tmpdir(), 'sipcast-registrar-'))
    gateway = { address: block.next(), port: 5060 }
    edge = block.next()
    const here = await Promise.all(
      [0, 1].map(async () => [
        { address: block.next(), port: 5060 },
        { address: '::1', port: await freePort('::1') },
      ]),
    )
    const start = (name: string, own: number) =>
      Registrar.start(kind, {
        name,
        listen: here[own] ?? [],
        shared: here[1 - own]?.[0] as Endpoint,
        secrets,
        gateway,
        directory,
        forwards: { dave: 'carol' },
        replyToShared: [edge],
        pingIntervalSeconds: 1,
        expiresMinSeconds: 1,
      })
    ;[first, second] = await Promise.all([start('first', 0), start('second', 1)])
  })

  afterEach(async () => {
    const used = phones.splice(0)
    await Promise.all(used.map((phone) => phone.register(0)))
    for (const phone of used) phone.close()
  })

  afterAll(async () => {
    await Promise.all([first?.stop(), second?.stop()])
    block.release()
    await rm(directory, { recursive: true })
  })

  async function open(user: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
    const phone = await Phone.open({
      user,
      password: passwordOf(user, secrets),
      domain: DOMAIN,
      address: block.next(),
      targets: [first.endpoint],
      ...options,
    })
    phones.push(phone)
    return phone
  }

  async function registered(user: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
    const phone = await open(user, options)
    expect((await phone.register()).status).toBe(200)
    return phone
  }

  describe('REGISTER', () => {
    test('is challenged, granted, refreshed and taken back', async () => {
      const alice = await open('alice')
      const registration = await alice.register(60)
      expect(registration.status).toBe(200)
      expect(registration.servedBy).toBe('first')
      expect(registration.contacts).toEqual([alice.contact.slice(1, -1)])
      expect(
        alice.log.responses('in').map(({ message }) => 'status' in message && message.status),
      ).toEqual([401, 200])
      expect((await alice.register()).contacts).toHaveLength(1)
      expect((await alice.register(0)).contacts).toHaveLength(0)
    })

    test('is refused with a wrong password, and under another name', async () => {
      const wrong = await open('alice', { password: 'wrong' })
      expect((await wrong.register()).status).toBe(401)
      const mallory = await open('alice', { password: passwordOf('mallory', secrets) })
      expect((await mallory.register()).status).toBe(401)
    })

    test('of a proxy with a list of users takes those and nobody else', async () => {
      const listen = [{ address: block.next(), port: 5060 }]
      const own = { name: 'listed', listen, shared: second.endpoint, secrets, directory }
      const listed = await Registrar.start(kind, { ...own, users: { alice: 'of her own' } })
      onTestFinished(async () => void (await listed.stop()))
      const status = async (user: string, password: string) => {
        const address = block.next()
        const phone = await Phone.open({ user, password, domain: DOMAIN, address, targets: listen })
        onTestFinished(() => phone.close())
        return (await phone.register()).status
      }
      expect(await status('alice', 'of her own')).toBe(200)
      expect(await status('alice', passwordOf('alice', secrets))).toBe(401)
      // What a recipe might compare with, when it has no password to compare with.
      for (const password of ['', '0', '<null>', 'no such user, no such password: $RANDOM']) {
        expect(await status('mallory', password)).toBe(401)
      }
    })

    test("an answer to one proxy's challenge satisfies another: the nonce secret is the pool's", async () => {
      let turn = 0
      const targets = [first.endpoint, second.endpoint]
      const alice = await open('alice', { targets, random: () => (turn++ % 2) / 2 })
      expect((await alice.register()).servedBy).toBe('second')
      expect(alice.log.peers('out').size).toBe(2)
    })

    test('keeps the Path and returns it as Route, whether or not the phone says Supported: path', async () => {
      const received: string[] = []
      const balancer = await Transport.open({
        address: edge,
        observe: (_way, _message, _peer, text) => received.push(text),
      })
      const path = `<sip:T0ken-_@${formatEndpoint(balancer.local)};lr;ob>`
      const bob = await open('bob')
      await bob.register(60, [['path', path]])
      const alice = await open('alice')
      void alice.message('bob', 'through the path')
      while (received.length === 0) await sleep(10)
      const request = parseMessage(
        received.find((text) => text.startsWith('MESSAGE')) ?? received[0] ?? '',
      )
      expect(headerValues(request, 'route')).toEqual([path])
      expect('uri' in request && request.uri).toContain(formatEndpoint(bob.local))
      balancer.close()
    })

    test('registered phones are pinged with OPTIONS', async () => {
      const alice = await registered('alice')
      while (alice.log.requests('in', 'OPTIONS').length < 2) await sleep(50)
    })
  })

  describe('calls', () => {
    test('ring, are answered, changed from both ends and hung up from either', async () => {
      const [alice, bob] = await Promise.all([registered('alice'), registered('bob')])
      // A proxy's workers may let 180 and 200 change places where they come at once.
      bob.onCall = (call) => {
        call.ring()
        setTimeout(() => bob.sessions.push(call.answer()), 50)
      }
      for (const whoHangsUp of ['caller', 'callee']) {
        const call = alice.call('bob')
        expect((await call.ringing).status).toBe(180)
        const caller = await call.answered
        const callee = await bob.sessions.next()
        await callee.acks.next()
        expect((await caller.reinvite()).status).toBe(200)
        await callee.acks.next()
        expect((await callee.reinvite()).status).toBe(200)
        await caller.acks.next()
        expect((await caller.request('INFO')).status).toBe(200)
        expect((await callee.request('INFO')).status).toBe(200)
        const [one, other] = whoHangsUp === 'caller' ? [caller, callee] : [callee, caller]
        expect((await one.hangUp()).status).toBe(200)
        expect(await other.ended).toBe('remoteHungUp')
      }
      expect([...alice.log.retransmissions(), ...bob.log.retransmissions()]).toEqual([])
      expect(servedBy(bob.log.requests('in', 'INVITE')[0]?.message as never)).toEqual(['first'])
      expect(
        header(bob.log.requests('in', 'INVITE')[0]?.message as never, 'proxy-authorization'),
      ).toBeNull()
    })

    test('are cancelled while they ring', async () => {
      const [alice, bob] = await Promise.all([registered('alice'), registered('bob')])
      bob.onCall = (call) => call.ring()
      const call = alice.call('bob')
      await call.ringing
      expect((await call.cancel()).status).toBe(487)
      const incoming = await bob.calls.next()
      await incoming.cancelled
      expect(await incoming.refusalAcknowledged).toBe(true)
    })

    test('are refused, by the callee and for want of one, and the refusal is acknowledged', async () => {
      const [alice, bob] = await Promise.all([registered('alice'), registered('bob')])
      bob.onCall = (call) => call.refuse(486, 'Busy Here')
      expect((await alice.call('bob').final).status).toBe(486)
      expect(await (await bob.calls.next()).refusalAcknowledged).toBe(true)
      expect((await alice.call('nobody').final).status).toBe(404)
      expect((await alice.call('sip:bob@elsewhere.example').final).status).toBe(403)
    })

    test('to numbers that nobody registered go to the gateway, and back', async () => {
      const alice = await registered('alice')
      const trunk = await openGateway(gateway)
      onTestFinished(() => trunk.close())
      const caller = await alice.call('+493012345').answered
      const callee = await trunk.sessions.next()
      expect((await callee.reinvite()).status).toBe(200)
      expect((await callee.hangUp()).status).toBe(200)
      expect(await caller.ended).toBe('remoteHungUp')
      trunk.onCall = (call) => call.refuse(486, 'Busy Here')
      expect((await alice.call('4930').final).status).toBe(486)
    })

    test('fork to two phones: one answers, the other stops ringing', async () => {
      const alice = await registered('alice')
      const [desk, mobile] = [await registered('bob'), await registered('bob')]
      desk.onCall = (call) => call.ring()
      mobile.onCall = (call) => {
        call.ring()
        setTimeout(() => mobile.sessions.push(call.answer()), 100)
      }
      const session = await alice.call('bob').answered
      await (await desk.calls.next()).cancelled
      await session.hangUp()
      expect(await (await mobile.sessions.next()).ended).toBe('remoteHungUp')
    })

    test.each([
      ['by a rule of the proxy', 'dave'],
      ['by the phone itself (302)', 'bob'],
    ])('diverted to a user of another proxy, %s', async (_how, whom) => {
      const [alice, bob] = await Promise.all([registered('alice'), registered('bob')])
      const carol = await registered('carol', { targets: [second.endpoint] })
      bob.onCall = (call) => call.redirect(`sip:carol@${DOMAIN}`)
      const caller = await alice.call(whom).answered
      const callee = await carol.sessions.next()
      expect(servedBy(carol.log.requests('in', 'INVITE')[0]?.message as never)).toEqual([
        'first',
        'second',
      ])
      expect((await callee.reinvite()).status).toBe(200)
      expect((await caller.hangUp()).status).toBe(200)
      expect(await callee.ended).toBe('remoteHungUp')
    })

    test('are transferred', async () => {
      const [alice, bob, carol] = await Promise.all([
        registered('alice'),
        registered('bob'),
        registered('carol'),
      ])
      const session = await alice.call('bob').answered
      expect((await session.refer(`sip:carol@${DOMAIN}`)).status).toBe(202)
      expect((await session.requests.next()).body).toMatch(/100 Trying/)
      expect((await session.requests.next()).body).toMatch(/200/)
      await carol.sessions.next()
      expect(bob.log.requests('out', 'INVITE')).toHaveLength(2)
      await session.hangUp()
    })
  })

  describe('other requests', () => {
    test('MESSAGE and OPTIONS reach a user', async () => {
      const [alice, bob] = await Promise.all([registered('alice'), registered('bob')])
      expect((await alice.message('bob', 'hello')).status).toBe(200)
      expect((await bob.messages.next()).body).toBe('hello')
      expect((await alice.request('OPTIONS', 'bob')).status).toBe(200)
      expect((await alice.message('nobody', 'hello')).status).toBe(404)
    })

    test('SUBSCRIBE makes a dialog: NOTIFYs, refresh, end', async () => {
      const [alice, bob] = await Promise.all([registered('alice'), registered('bob')])
      const subscription = alice.subscribe('bob')
      expect((await subscription.accepted).status).toBe(200)
      await subscription.notifications.next()
      const notifier = await bob.notifiers.next()
      expect((await notifier.notify('news')).status).toBe(200)
      expect((await subscription.notifications.next()).body).toBe('news')
      expect((await subscription.refresh()).status).toBe(200)
      await subscription.notifications.next()
      expect((await subscription.end()).status).toBe(200)
      const last = await subscription.notifications.next()
      expect(header(last, 'subscription-state')).toMatch(/^terminated/)
    })

    test('REFER outside a call is followed and reported on', async () => {
      const [alice, , carol] = await Promise.all([
        registered('alice'),
        registered('bob'),
        registered('carol'),
      ])
      const subscription = alice.refer('bob', 'carol')
      expect((await subscription.accepted).status).toBe(202)
      await carol.sessions.next()
      expect((await subscription.notifications.next()).body).toMatch(/SIP\/2\.0 200/)
    })

    test('a probe is answered without a user, a message that has come too far is not passed on', async () => {
      const alice = await open('alice')
      expect((await alice.request('OPTIONS', `sip:${formatEndpoint(first.endpoint)}`)).status).toBe(
        200,
      )
      const replies = await raw(await Transport.open({ address: block.next() }), [
        ['MESSAGE sip:bob@sipcast.test', { maxForwards: 0 }],
      ])
      expect(replies[0]).toMatch(/^SIP\/2.0 483/)
    })
  })

  describe('the wire', () => {
    test('a lost answer is repeated, a repeated request is absorbed', async () => {
      const alice = await registered('alice')
      const lost = new Set<string>()
      const bob = await registered('bob', {
        passes: (way, message) => {
          const what = message.kind === 'request' ? message.method : String(message.status)
          if (!LOSABLE.has(`${way} ${what}`) || lost.has(what)) return true
          lost.add(what)
          return false
        },
      })
      const session = await alice.call('bob').answered
      const callee = await bob.sessions.next()
      await callee.acks.next()
      expect((await session.hangUp()).status).toBe(200)
      expect(await callee.ended).toBe('remoteHungUp')
      expect(bob.calls.items).toHaveLength(1)
      expect(lost).toEqual(new Set(['INVITE', '200', 'ACK', 'BYE']))
    })

    test('a retransmission over another balancer is one: same branch and sent-by, other source', async () => {
      const bob = await registered('bob')
      const alice = await registered('alice')
      await alice.message('bob', 'first')
      const sent = alice.log.requests('out', 'MESSAGE').at(-1)
      const other = await Transport.open({ address: block.next() })
      other.send(sent?.message as never, first.endpoint)
      await sleep(200)
      expect(bob.log.requests('in', 'MESSAGE')).toHaveLength(1)
      other.close()
    })

    test('answers go to the source, unless the Via names a shared address', async () => {
      const balancer = await Transport.open({ address: edge, port: 5060 })
      const atShared: string[] = []
      balancer.onMessage = (message) => atShared.push(header(message, 'call-id') ?? '')
      const source = await Transport.open({ address: block.next(), port: 5070 })
      const probe = `OPTIONS sip:${formatEndpoint(first.endpoint)}`
      const replies = await raw(source, [
        [probe, { via: `198.51.100.7:5060;rport`, callId: 'foreign' }],
        [probe, { via: `${edge}:5060;rport`, callId: 'shared' }],
      ])
      expect(replies).toHaveLength(1)
      expect(replies[0]).toMatch(/^Call-ID: foreign/m)
      expect(atShared).toEqual(['shared'])
      balancer.close()
    })

    test('phones of either IP version call each other', async () => {
      const alice = await registered('alice')
      const six = first.options.listen[1] as Endpoint
      const bob = await registered('bob', { address: '::1', targets: [six] })
      for (const [one, other] of [
        [alice, bob],
        [bob, alice],
      ] as const) {
        const caller = await one.call(other.user).answered
        const callee = await other.sessions.next()
        expect((await callee.reinvite()).status).toBe(200)
        expect((await caller.reinvite()).status).toBe(200)
        expect((await callee.hangUp()).status).toBe(200)
        expect(await caller.ended).toBe('remoteHungUp')
      }
    })
  })

  describe('a proxy that fails', () => {
    test('forgets its users when it dies, remembers them when it was only frozen', async () => {
      const targets = [second.endpoint]
      const timers = { t1Ms: 20, t2Ms: 200, t4Ms: 200 }
      const [alice, bob] = [
        await registered('alice', { targets, timers }),
        await registered('bob', { targets, timers }),
      ]
      second.freeze()
      expect((await alice.message('bob', 'frozen')).status).toBe(408)
      await second.revive()
      expect((await alice.message('bob', 'thawed')).status).toBe(200)
      await second.kill()
      await second.revive()
      expect((await alice.message('bob', 'forgotten')).status).toBe(404)
      await bob.register()
      expect((await alice.message('bob', 'back')).status).toBe(200)
    })
  })

  interface RawParts {
    readonly via?: string
    readonly maxForwards?: number
    readonly callId?: string
  }

  /** Sends messages as written and returns what comes back to that socket within a moment. */
  async function raw(
    transport: Transport,
    requests: readonly (readonly [string, RawParts])[],
  ): Promise<string[]> {
    const replies: string[] = []
    transport.onMessage = (message) => {
      const status = 'status' in message ? `SIP/2.0 ${message.status}` : message.method
      replies.push(`${status}\nCall-ID: ${header(message, 'call-id')}`)
    }
    for (const [index, [start, parts]] of requests.entries()) {
      const id = parts.callId ?? `raw-${index}`
      const text = [
        `${start} SIP/2.0`,
        `Via: SIP/2.0/UDP ${parts.via ?? `${formatEndpoint(transport.local)};rport`};branch=z9hG4bK${id}`,
        `Max-Forwards: ${parts.maxForwards ?? 70}`,
        `From: <sip:raw@${DOMAIN}>;tag=${id}`,
        `To: <sip:raw@${DOMAIN}>`,
        `Call-ID: ${id}`,
        `CSeq: 1 ${start.split(' ')[0]}`,
        '\r\n',
      ].join('\r\n')
      transport.send(parseMessage(text), first.endpoint)
    }
    await sleep(300)
    transport.close()
    return replies
  }
}

const LOSABLE: ReadonlySet<string> = new Set(['in INVITE', 'out 200', 'in ACK', 'in BYE'])
