import { describe, expect, it } from 'vitest'
import {
  Balancer,
  headers,
  INSIDE,
  PHONE,
  REGISTRARS,
  request,
  SHARED,
  SHARED6,
  table,
  userOf,
} from './forward.fixture.ts'

const someUser = userOf(0)

describe('a request by key', () => {
  it('goes to the owner of the slot, from the inside socket, with our Via on top', () => {
    const { verdict, target, source, out } = new Balancer().deliver(
      PHONE,
      SHARED,
      request('OPTIONS', { uri: `sip:${someUser}@example.com` }),
    )
    expect({ verdict, target, source }).toEqual({
      verdict: 'toOwner',
      target: REGISTRARS[0],
      source: INSIDE,
    })
    expect(headers(out, 'Via')).toEqual([
      expect.stringMatching(
        /^SIP\/2\.0\/UDP 203\.0\.113\.10:5060;rport;branch=z9hG4bK[\w-]{11};s=[\w-]{30}$/,
      ),
      'SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bKaaa;rport=40000;received=198.51.100.7',
    ])
    expect(headers(out, 'Max-Forwards')).toEqual(['69'])
  })

  it('leaves every other byte as it came', () => {
    const odd = request('MESSAGE', {
      uri: `sip:${someUser}@example.com`,
      headers: ['X-Odd:  a ,\t"b\\""', 'v: SIP/2.0/UDP 1.2.3.4'],
      body: 'Via: no\r\n\r\n',
    })
    const { out } = new Balancer().deliver(PHONE, SHARED, odd)
    const undone = out!
      .replace(/Via: SIP\/2\.0\/UDP 203[^\r]*\r\n/, '')
      .replace(';rport=40000;received=198.51.100.7', ';rport')
      .replace('Max-Forwards: 69', 'Max-Forwards: 70')
    expect(undone).toBe(odd)
  })

  it('takes the user of To for REGISTER, of the Request-URI for all else', () => {
    for (const [method, uri, to, owner] of [
      ['REGISTER', 'sip:example.com', `<sip:${userOf(2)}@example.com>`, 2],
      ['MESSAGE', `sip:${userOf(1)}@example.com`, `<sip:${userOf(2)}@example.com>`, 1],
      ['INVITE', `sip:${userOf(1).toUpperCase()};day=tue:secret@other.example`, undefined, 1],
    ] as const) {
      const options = to === undefined ? { uri } : { uri, to }
      const { target } = new Balancer().deliver(PHONE, SHARED, request(method, options))
      expect(target, `${method} ${uri}`).toBe(REGISTRARS[owner])
    }
  })

  it('takes the Call-ID where the URI has no user', () => {
    const owners = new Set<string | null>()
    for (let call = 0; call < 40; call++) {
      owners.add(
        new Balancer().deliver(
          PHONE,
          SHARED,
          request('SUBSCRIBE', { uri: 'sip:example.com', callId: `c${call}` }),
        ).target,
      )
    }
    expect(owners).toEqual(new Set(REGISTRARS))
  })

  it('goes to the backup when the owner is dead here, to a substitute when both are, then 503', () => {
    const balancer = new Balancer()
    const invite = request('INVITE', {
      uri: `sip:${someUser}@example.com`,
      headers: ['User-Agent: a phone of ordinary length'],
    })
    balancer.kill(0)
    expect(balancer.deliver(PHONE, SHARED, invite)).toMatchObject({
      verdict: 'toBackup',
      target: REGISTRARS[1],
    })
    balancer.kill(1)
    expect(balancer.deliver(PHONE, SHARED, invite)).toMatchObject({
      verdict: 'toSubstitute',
      target: REGISTRARS[2],
    })
    balancer.kill(2)
    const none = balancer.deliver(PHONE, SHARED, invite)
    expect(none).toMatchObject({ verdict: 'answerNoProxy', target: PHONE, source: SHARED })
    expect(headers(none.out, 'Retry-After')).toEqual(['5'])
    expect(headers(none.out, 'Via')).toEqual([
      'SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bKaaa;received=198.51.100.7;rport=40000',
    ])
  })

  it('goes from the shared address with insideSource Shared', () => {
    const shared = new Balancer([table({ edge: { ...table().edge, insideSource: 'Shared' } })])
    const v4 = shared.deliver(PHONE, SHARED, request('MESSAGE', { uri: `sip:${userOf(0)}@x` }))
    const v6 = shared.deliver(PHONE, SHARED, request('MESSAGE', { uri: `sip:${userOf(2)}@x` }))
    expect([v4.source, v6.source]).toEqual([SHARED, SHARED6])
  })

  it('gets Max-Forwards 70 where it has none, and 483 at 0', () => {
    const none = new Balancer().deliver(PHONE, SHARED, request('INVITE', { maxForwards: null }))
    expect(headers(none.out, 'Max-Forwards')).toEqual(['70'])
    const zero = new Balancer().deliver(PHONE, SHARED, request('INVITE', { maxForwards: '0' }))
    expect(zero).toMatchObject({ verdict: 'answerTooManyHops', target: PHONE })
  })
})

describe('statelessness', () => {
  it('two balancers with the same table and key emit the same bytes', () => {
    for (const method of ['REGISTER', 'INVITE', 'MESSAGE', 'CANCEL', 'ACK']) {
      const message = request(method)
      expect(new Balancer().deliver(PHONE, SHARED, message)).toEqual(
        new Balancer().deliver(PHONE, SHARED, message),
      )
    }
  })

  it('INVITE, its retransmission, its CANCEL and the ACK to its failure have one branch and one target', () => {
    const results = ['INVITE', 'INVITE', 'CANCEL', 'ACK'].map((method) => {
      const { out, target } = new Balancer().deliver(
        PHONE,
        SHARED,
        request(method, { headers: [] }),
      )
      return `${target} ${/branch=([^;]+)/.exec(headers(out, 'Via')[0]!)![1]}`
    })
    expect(new Set(results).size).toBe(1)
  })

  it('the branch does not depend on the signing key or the phone’s source port', () => {
    const branchOf = (balancer: Balancer, from: string): string =>
      /branch=([^;]+)/.exec(
        headers(balancer.deliver(from, SHARED, request('INVITE')).out, 'Via')[0]!,
      )![1]!
    const rotated = new Balancer([table({ signingKey: 8 })], [7, 8])
    expect(branchOf(rotated, '198.51.100.7:50999')).toBe(branchOf(new Balancer(), PHONE))
  })
})
