import { describe, expect, it } from 'vitest'
import {
  Balancer,
  headers,
  OTHER_PHONE,
  PHONE,
  REGISTRARS,
  request,
  SHARED,
  SHARED6,
  table,
  textOf,
} from './forward.fixture.ts'
import { LOCAL_REPLIES_BURST } from './limits.ts'

describe('what is not forwarded', () => {
  const rows: [string, string | Uint8Array, string, string | null][] = [
    ['CRLFCRLF gets CRLF', '\r\n\r\n', 'answerKeepAlive', '\r\n'],
    ['a lone CRLF gets nothing', '\r\n', 'dropTooShort', null],
    ['noise is dropped', 'hello', 'dropTooShort', null],
    ['a long line of noise is dropped', 'x'.repeat(300), 'dropMalformed', null],
  ]
  it.each(rows)('%s', (_sentence, message, verdict, out) => {
    expect(new Balancer().deliver(PHONE, SHARED, message)).toMatchObject({ verdict, out })
  })

  it('STUN binding requests learn their address', () => {
    const binding = Uint8Array.from([
      0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ])
    const { verdict, target, out } = new Balancer().deliver(PHONE, SHARED, binding)
    expect({ verdict, target }).toEqual({ verdict: 'answerStun', target: PHONE })
    expect(out!.length).toBeLessThanOrEqual(44)
    expect(out!.startsWith('\x01\x01')).toBe(true)
  })

  it('OPTIONS for ourselves is answered, for a user it is forwarded', () => {
    const balancer = new Balancer()
    for (const uri of ['sip:203.0.113.10', 'sip:203.0.113.10:5060', 'sip:sip.example.com']) {
      expect(balancer.deliver(PHONE, SHARED, request('OPTIONS', { uri })).verdict).toBe(
        'answerOptions',
      )
    }
    expect(
      balancer.deliver(PHONE, SHARED, request('OPTIONS', { uri: 'sip:bob@203.0.113.10' })).verdict,
    ).toBe('toOwner')
  })

  it('OPTIONS of this node for ourselves is a test, answered whatever the limits are', () => {
    const edge = { ...table().edge, rateLimit: { perSource: 1, burst: 1 } }
    const denyUserAgents = ['sipcast']
    const balancer = new Balancer([table({ edge: { ...edge, denyUserAgents } })])
    const own = request('OPTIONS', {
      uri: 'sip:203.0.113.10:5060',
      headers: ['User-Agent: sipcast'],
    })
    for (let test = 0; test < 2 * LOCAL_REPLIES_BURST; test++) {
      const { verdict, target, out } = balancer.deliver('127.0.0.1:40000', SHARED, own)
      expect([verdict, target]).toEqual(['answerSelfTest', '127.0.0.1:40000'])
      expect(out).toMatch(/^SIP\/2\.0 200 OK/)
    }
    const own6 = request('OPTIONS', { uri: 'sip:[2001:db8::10]:5060' })
    expect(balancer.deliver('[::1]:40000', SHARED6, own6).verdict).toBe('answerSelfTest')
    expect(balancer.deliver('127.0.0.2:40000', SHARED, own).verdict).toBe('dropUserAgent')
    expect(balancer.deliver('127.0.0.1:40000', SHARED, request('INVITE')).verdict).toBe('toOwner')
  })

  it('the ACK to a reply of ours is absorbed, any other unforwardable ACK dropped', () => {
    const balancer = new Balancer()
    const refused = balancer.deliver(
      PHONE,
      SHARED,
      request('INVITE', { headers: ['Route: <sip:192.0.2.66;lr>'] }),
    )
    const to = headers(refused.out, 'To')[0]!
    expect(to).toMatch(/;tag=/)
    expect(balancer.deliver(PHONE, SHARED, request('ACK', { to })).verdict).toBe('absorbAck')
    expect(
      balancer.deliver(PHONE, SHARED, request('ACK', { headers: ['Route: <sip:192.0.2.66;lr>'] }))
        .verdict,
    ).toBe('dropAck')
  })

  it('Proxy-Require gets 420 with what we do not support', () => {
    const { verdict, out } = new Balancer().deliver(
      PHONE,
      SHARED,
      request('INVITE', { headers: ['Proxy-Require: foo'] }),
    )
    expect(verdict).toBe('answerBadExtension')
    expect(headers(out, 'Unsupported')).toEqual(['foo'])
  })

  it('denied user agents get silence, from outside only', () => {
    const scanner = request('REGISTER', { headers: ['User-Agent: Friendly-Scanner 1.0'] })
    expect(new Balancer().deliver(PHONE, SHARED, scanner).verdict).toBe('dropUserAgent')
    expect(new Balancer().deliver(REGISTRARS[0], SHARED, scanner).verdict).toBe('toOwner')
  })

  it('a source over its rate gets silence; the inside and trusted networks have no limit', () => {
    const limited = new Balancer([
      table({ edge: { ...table().edge, rateLimit: { perSource: 10, burst: 3 } } }),
    ])
    const send = (from: string): string => limited.deliver(from, SHARED, request('MESSAGE')).verdict
    expect([1, 2, 3, 4].map(() => send(PHONE))).toEqual([
      'toOwner',
      'toOwner',
      'toOwner',
      'dropRate',
    ])
    expect(send(OTHER_PHONE)).toBe('toOwner')
    for (const exempt of [REGISTRARS[0], '198.51.100.200:1']) {
      expect(new Set([1, 2, 3, 4, 5].map(() => send(exempt)))).toEqual(new Set(['toOwner']))
    }
    limited.forwarder.nowMs += 100
    expect(send(PHONE)).toBe('toOwner')
  })

  it('replies of our own are bounded in number, and never longer than the request and a little', () => {
    const balancer = new Balancer()
    const verdicts = new Map<string, number>()
    const refused = request('INVITE', { headers: ['Route: <sip:192.0.2.66;lr>'] })
    for (let i = 0; i < 700; i++) {
      const { verdict, out } = balancer.deliver(PHONE, SHARED, refused)
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
      if (out !== null) expect(out.length).toBeLessThan(refused.length + 100)
    }
    expect(Object.fromEntries(verdicts)).toEqual({ answerForeignRoute: 500, dropReplyRate: 200 })
  })

  it('without the signing key nothing is forwarded', () => {
    expect(
      new Balancer([table({ signingKey: 9 })]).deliver(PHONE, SHARED, request('INVITE')).verdict,
    ).toBe('dropNoKey')
  })

  it('what does not fit a datagram with our headers is dropped', () => {
    const huge = request('MESSAGE', { body: 'x'.repeat(65_300 - request('MESSAGE').length + 150) })
    expect(new Balancer().deliver(PHONE, SHARED, huge).verdict).toBe('dropTooBig')
    expect(textOf(new Uint8Array([65]))).toBe('A')
  })
})
