import { describe, expect, it } from 'vitest'
import {
  Balancer,
  headers,
  INSIDE,
  OTHER_PHONE,
  ownerOf,
  PHONE,
  PHONE6,
  path,
  REGISTRARS,
  recordRoute,
  request,
  SHARED,
  SHARED6,
  table,
  userOf,
} from './forward.fixture.ts'

const bobsOwner = ownerOf('bob')

describe('the Route ladder', () => {
  const balancer = new Balancer()
  const callId = 'call-1@phone'
  const rr = (flow: string, options = {}): string =>
    balancer.token(recordRoute, flow, callId, options)
  const own = (token: string, host = SHARED): string =>
    `<sip:${token === '' ? '' : `${token}@`}${host};lr>`
  const inDialog = (routes: string[], uri = 'sip:bob@192.0.2.99:5080'): string =>
    request('BYE', {
      uri,
      callId,
      to: '<sip:bob@x>;tag=t2',
      headers: routes.map((route) => `Route: ${route}`),
    })

  const rows: [
    string,
    string,
    string,
    string,
    { verdict: string; target: string | null; source?: string },
  ][] = [
    [
      'a: garbage in the user part of an own Route is refused',
      PHONE,
      SHARED,
      inDialog([own('garbage')]),
      { verdict: 'answerBadToken', target: PHONE },
    ],
    [
      'a: a Record-Route token of another call is refused',
      PHONE,
      SHARED,
      inDialog([own(balancer.token(recordRoute, PHONE, 'other-call'))]),
      { verdict: 'answerBadToken', target: PHONE },
    ],
    [
      'a: a Path token from outside is refused',
      PHONE,
      SHARED,
      inDialog([own(balancer.token(path, OTHER_PHONE, callId))]),
      { verdict: 'answerBadToken', target: PHONE },
    ],
    [
      'a: a bad token from a proxy is refused too, it would loop',
      REGISTRARS[0],
      SHARED,
      inDialog([own('garbage')]),
      { verdict: 'answerBadToken', target: REGISTRARS[0] },
    ],
    [
      'b: phone → own token, then the proxy that record-routed',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE)), `<sip:${REGISTRARS[1]};lr>`, own(rr(OTHER_PHONE))]),
      { verdict: 'toMember', target: REGISTRARS[1], source: INSIDE },
    ],
    [
      'b: a member in Route without a token is nobody’s right',
      PHONE,
      SHARED,
      inDialog([`<sip:${REGISTRARS[1]};lr>`]),
      { verdict: 'answerForeignRoute', target: PHONE },
    ],
    [
      'b: from inside a member in Route needs no token',
      REGISTRARS[0],
      SHARED,
      inDialog([`<sip:${REGISTRARS[1]};lr>`]),
      { verdict: 'toMember', target: REGISTRARS[1] },
    ],
    [
      'b: a member’s address at another port is not the member',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE)), '<sip:10.0.0.2:22;lr>']),
      { verdict: 'answerForeignRoute', target: PHONE },
    ],
    [
      'c: a former member in Route is popped, the next own token delivers',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE)), '<sip:10.0.0.77;lr>', own(rr(OTHER_PHONE))]),
      { verdict: 'toFlow', target: OTHER_PHONE, source: SHARED },
    ],
    [
      'c: a hop of insideNetworks in Route is popped',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE)), '<sip:10.99.1.2:5090;lr>', own(rr(OTHER_PHONE))]),
      { verdict: 'toFlow', target: OTHER_PHONE },
    ],
    [
      'd: proxy → own token: to the phone’s flow, from the address it talks to',
      REGISTRARS[0],
      SHARED,
      inDialog([own(rr(OTHER_PHONE))]),
      { verdict: 'toFlow', target: OTHER_PHONE, source: SHARED },
    ],
    [
      'd: proxy → Path token: to the registered flow',
      REGISTRARS[0],
      SHARED,
      inDialog([own(balancer.token(path, OTHER_PHONE, callId))]),
      { verdict: 'toFlow', target: OTHER_PHONE, source: SHARED },
    ],
    [
      'd: a node that hosts a member counts as inside',
      '10.1.0.1:33333',
      SHARED,
      inDialog([own(balancer.token(path, OTHER_PHONE, callId))]),
      { verdict: 'toFlow', target: OTHER_PHONE },
    ],
    [
      'd: from the inside socket as well',
      REGISTRARS[0],
      INSIDE,
      inDialog([own(rr(OTHER_PHONE))]),
      { verdict: 'toFlow', target: OTHER_PHONE, source: SHARED },
    ],
    [
      'd: IPv4 proxy to an IPv6 phone',
      REGISTRARS[0],
      SHARED,
      inDialog([own(rr(PHONE6, { local: SHARED6 }))]),
      { verdict: 'toFlow', target: PHONE6, source: SHARED6 },
    ],
    [
      'd: two own tokens from outside: the last one’s flow',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE)), own(rr(OTHER_PHONE))]),
      { verdict: 'toFlow', target: OTHER_PHONE },
    ],
    [
      'd: a doubled Record-Route counts once: one token from outside is no flow',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE, { member: 1 })), own(rr(PHONE, { member: 1 }), SHARED6)]),
      { verdict: 'toMember', target: REGISTRARS[1] },
    ],
    [
      'e: a foreign Route is refused',
      PHONE,
      SHARED,
      inDialog(['<sip:192.0.2.66;lr>']),
      { verdict: 'answerForeignRoute', target: PHONE },
    ],
    [
      'e: a foreign Route behind a valid token is refused',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE)), '<sip:192.0.2.66;lr>']),
      { verdict: 'answerForeignRoute', target: PHONE },
    ],
    [
      'e: a foreign Route from a proxy is refused',
      REGISTRARS[0],
      SHARED,
      inDialog(['<sip:192.0.2.66;lr>']),
      { verdict: 'answerForeignRoute', target: REGISTRARS[0] },
    ],
    [
      'e: a host name in Route is foreign',
      PHONE,
      SHARED,
      inDialog(['<sip:evil.example;lr>']),
      { verdict: 'answerForeignRoute', target: PHONE },
    ],
    [
      'f: one token, Request-URI names a live member',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE))], `sip:svc@${REGISTRARS[1]}`),
      { verdict: 'toMember', target: REGISTRARS[1] },
    ],
    [
      'f: one token, foreign Request-URI: the token’s member',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE, { member: 1 }))]),
      { verdict: 'toMember', target: REGISTRARS[1] },
    ],
    [
      'f: from inside, Request-URI names a live member',
      REGISTRARS[0],
      SHARED,
      request('INVITE', { uri: `sip:x@${REGISTRARS[1]}` }),
      { verdict: 'toMember', target: REGISTRARS[1] },
    ],
    [
      'f: from outside without a token a member’s address in the Request-URI is only a user',
      PHONE,
      SHARED,
      request('INVITE', { uri: 'sip:bob@10.0.0.1' }),
      { verdict: 'toOwner', target: REGISTRARS[bobsOwner]! },
    ],
    [
      'h: one token without a member: by key',
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE))]),
      { verdict: 'toOwner', target: REGISTRARS[bobsOwner]! },
    ],
    [
      'h: own Route without a user part is popped',
      PHONE,
      SHARED,
      request('INVITE', { headers: [`Route: <sip:${SHARED};lr>`] }),
      { verdict: 'toOwner', target: REGISTRARS[bobsOwner]! },
    ],
    [
      'h: an alias is ours, with the port or without',
      PHONE,
      SHARED,
      request('INVITE', {
        headers: ['Route: <sip:SIP.example.com;lr>, <sip:sip.example.com:5060;lr>'],
      }),
      { verdict: 'toOwner', target: REGISTRARS[bobsOwner]! },
    ],
    [
      'e: an alias with another port is foreign',
      PHONE,
      SHARED,
      request('INVITE', { headers: ['Route: <sip:sip.example.com:5099;lr>'] }),
      { verdict: 'answerForeignRoute', target: PHONE },
    ],
    [
      'the inside socket serves nobody from outside',
      PHONE,
      INSIDE,
      request('INVITE'),
      { verdict: 'dropNoSipProxy', target: null },
    ],
  ]
  it.each(rows)('%s', (_sentence, from, to, message, expected) => {
    expect(balancer.deliver(from, to, message)).toMatchObject(expected)
  })

  it('c: a dead record-routing member is popped: calls outlive it', () => {
    const bye = inDialog([own(rr(PHONE)), `<sip:${REGISTRARS[1]};lr>`, own(rr(OTHER_PHONE))])
    const other = new Balancer()
    other.kill(1)
    const { verdict, target, out } = other.deliver(PHONE, SHARED, bye)
    expect({ verdict, target }).toEqual({ verdict: 'toFlow', target: OTHER_PHONE })
    expect(headers(out, 'Route')).toEqual([])
  })

  it('f: the token’s member is dead: by key', () => {
    const other = new Balancer()
    other.kill(1)
    const bye = inDialog([own(rr(PHONE, { member: 1 }))], `sip:${userOf(2)}@192.0.2.99`)
    expect(other.deliver(PHONE, SHARED, bye)).toMatchObject({
      verdict: 'toOwner',
      target: REGISTRARS[2],
    })
  })

  it('g: from inside a foreign domain is 404 where domains are listed', () => {
    const listed = new Balancer([table({ domains: ['example.com'] })])
    const invite = (uri: string): string =>
      listed.deliver(REGISTRARS[0], SHARED, request('INVITE', { uri })).verdict
    expect(invite('sip:bob@Example.COM')).toBe('toOwner')
    expect(invite('sip:bob@203.0.113.10')).toBe('toOwner')
    expect(invite('sip:bob@sip.example.com')).toBe('toOwner')
    expect(invite('sip:bob@elsewhere.example')).toBe('answerForeignDomain')
    expect(
      listed.deliver(PHONE, SHARED, request('INVITE', { uri: 'sip:bob@elsewhere.example' }))
        .verdict,
    ).toBe('toOwner')
  })

  it('popped Routes leave the message, the rest of the set stays as it was', () => {
    const { out } = balancer.deliver(
      PHONE,
      SHARED,
      inDialog([own(rr(PHONE)), `<sip:${REGISTRARS[0]};lr>`, '<sip:x.example;lr>']),
    )
    expect(headers(out, 'Route')).toEqual([`<sip:${REGISTRARS[0]};lr>`, '<sip:x.example;lr>'])
  })
})
