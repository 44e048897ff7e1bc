/**
 * Attempts to make the balancer send something to somebody who did not ask for it. The attacker is PHONE; the third
 * party is VICTIM, who never sent us anything. What an attempt may lead to at most: an answer to the attacker himself,
 * or the attacker's own request at the member that owns its key.
 */
import { expect, it } from 'vitest'
import {
  Balancer,
  headers,
  INSIDE,
  OTHER_PHONE,
  PHONE,
  path,
  REGISTRARS,
  recordRoute,
  request,
  SHARED,
  userOf,
} from './forward.fixture.ts'

const VICTIM = '192.0.2.66:5060'
const CALL = 'call-1@phone'
const balancer = new Balancer()

const own = (token: string): string => `<sip:${token}@${SHARED};lr>`
const mine = balancer.token(recordRoute, PHONE, CALL, { member: 1 })
const victims = (options = {}): string => balancer.token(recordRoute, VICTIM, CALL, options)
const flip = (token: string, at: number): string =>
  `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
const withRoutes = (...routes: string[]): string =>
  request('MESSAGE', {
    uri: `sip:${userOf(0)}@${VICTIM}`,
    to: '<sip:bob@x>;tag=t',
    headers: routes.map((route) => `Route: ${route}`),
  })
const viaFlowOf = (message: string | null): string => /;s=([\w-]+)/.exec(message!)![1]!
const relayed = balancer.deliver(PHONE, SHARED, request('INVITE', { uri: `sip:${userOf(0)}@x` }))
  .out!
const branch = /branch=(z9hG4bK[\w-]{11})/.exec(relayed)![1]!
const response = (via: string): string =>
  [
    'SIP/2.0 200 OK',
    `Via: SIP/2.0/UDP ${SHARED};${via}`,
    `Via: SIP/2.0/UDP ${VICTIM};branch=z9hG4bKvictim`,
    'From: <sip:a@x>;tag=from1',
    'To: <sip:b@x>;tag=2',
    `Call-ID: ${CALL}`,
    'CSeq: 1 INVITE',
    'Content-Length: 0\r\n\r\n',
  ].join('\r\n')

const attempts: [string, string, string][] = [
  // Route and Request-URI
  ['Route names the victim', withRoutes(`<sip:${VICTIM};lr>`), 'answerForeignRoute'],
  [
    'Route names us, then the victim',
    withRoutes(`<sip:${SHARED};lr>`, `<sip:${VICTIM};lr>`),
    'answerForeignRoute',
  ],
  [
    'both in one line, compactly',
    withRoutes(`<sip:${SHARED};lr>,<sip:${VICTIM};lr>`),
    'answerForeignRoute',
  ],
  [
    'Route names a member, then the victim',
    withRoutes(`<sip:${REGISTRARS[1]};lr>`, `<sip:${VICTIM};lr>`),
    'answerForeignRoute',
  ],
  ['own token, then the victim', withRoutes(own(mine), `<sip:${VICTIM};lr>`), 'answerForeignRoute'],
  [
    'Route names a host that only DNS knows',
    withRoutes('<sip:victim.example;lr>'),
    'answerForeignRoute',
  ],
  ['Route is a tel URI', withRoutes('<tel:+123>'), 'answerForeignRoute'],
  ['our address with another port', withRoutes('<sip:203.0.113.10:5061;lr>'), 'answerForeignRoute'],
  ['our address with maddr=victim', withRoutes(`<sip:${SHARED};maddr=192.0.2.66;lr>`), 'toOwner'],
  [
    'Request-URI names the victim',
    request('MESSAGE', { uri: `sip:${userOf(0)}@${VICTIM}` }),
    'toOwner',
  ],
  [
    'Request-URI with maddr=victim',
    request('MESSAGE', { uri: `sip:${userOf(0)}@x;maddr=192.0.2.66` }),
    'toOwner',
  ],
  [
    'OPTIONS with the victim as Request-URI',
    request('OPTIONS', { uri: `sip:${VICTIM}` }),
    'toOwner',
  ],

  // Tokens
  [
    'a forged token of the right length',
    withRoutes(own('IhTLAHEKE8bAAAJCE8TLAHEKE8QAAAAAAAAAAAAAAAA')),
    'answerBadToken',
  ],
  [
    'the victim’s token of another call',
    withRoutes(own(mine), own(balancer.token(recordRoute, VICTIM, 'other'))),
    'answerBadToken',
  ],
  [
    'the victim’s Path token, replayed from outside',
    withRoutes(own(balancer.token(path, VICTIM, CALL))),
    'answerBadToken',
  ],
  [
    'the same behind a good token',
    withRoutes(own(mine), own(balancer.token(path, VICTIM, CALL))),
    'answerBadToken',
  ],
  ['a Via parameter used as a token', withRoutes(own(viaFlowOf(relayed))), 'answerBadToken'],
  ['a token with a password', withRoutes(`<sip:${mine}x:y@${SHARED};lr>`), 'answerBadToken'],
  ['an empty token with a password', withRoutes(`<sip::x@${SHARED};lr>`), 'toOwner'],
  ['one token of the victim alone is no way to it', withRoutes(own(victims())), 'toOwner'],
  [
    'the victim’s token twice is two, so its flow: refused unless both are of this call',
    withRoutes(own(flip(victims(), 8)), own(victims())),
    'answerBadToken',
  ],

  // Responses and Vias
  [
    'a response with our sent-by and no parameter',
    response(`branch=${branch}`),
    'dropForeignResponse',
  ],
  [
    'a response with a forged parameter',
    response(`branch=${branch};s=MAHAAAJCE8TLAHEKE8QAAAAAAAAAAA`),
    'dropForeignResponse',
  ],
  [
    'a token used as a Via parameter',
    response(`branch=${branch};s=${victims()}`),
    'dropForeignResponse',
  ],
  [
    'a Via parameter under another branch',
    response(`branch=z9hG4bKother;s=${viaFlowOf(relayed)}`),
    'dropForeignResponse',
  ],
  [
    'a tampered Via parameter',
    response(`branch=${branch};s=${flip(viaFlowOf(relayed), 9)}`),
    'dropForeignResponse',
  ],
]

it.each(attempts)('%s', (_sentence, message, verdict) => {
  for (const to of [SHARED, INSIDE]) {
    const outcome = balancer.deliver(PHONE, to, message)
    const allowed = [null, PHONE, ...REGISTRARS]
    expect(allowed, `${outcome.verdict} → ${outcome.target}`).toContain(outcome.target)
    if (to === SHARED) expect(outcome.verdict).toBe(verdict)
  }
})

it('every single character of a token counts', () => {
  for (let at = 0; at < mine.length; at++) {
    expect(balancer.deliver(PHONE, SHARED, withRoutes(own(flip(mine, at)))).verdict).toBe(
      'answerBadToken',
    )
  }
  for (const other of [
    mine.slice(0, -1),
    `${mine}A`,
    `${mine}==`,
    `A${mine}`,
    mine.toLowerCase(),
  ]) {
    expect(balancer.deliver(PHONE, SHARED, withRoutes(own(other))).verdict, other).toBe(
      'answerBadToken',
    )
  }
})

it('a good Via parameter leads only to the one who sent the request, whatever the Vias below it say', () => {
  const back = balancer.deliver(
    OTHER_PHONE,
    SHARED,
    response(`branch=${branch};s=${viaFlowOf(relayed)}`),
  )
  expect(back).toMatchObject({ verdict: 'toSource', target: PHONE })
})

it('answers go to the real source, never where the Via says', () => {
  for (const via of [
    `SIP/2.0/UDP ${VICTIM};branch=z9hG4bKx`,
    `SIP/2.0/UDP 10.0.0.1;maddr=192.0.2.66;received=192.0.2.66;rport=5060;branch=z9hG4bKx`,
  ]) {
    const refused = balancer.deliver(
      PHONE,
      SHARED,
      request('INVITE', { via, headers: [`Route: <sip:${VICTIM};lr>`] }),
    )
    expect(refused).toMatchObject({ verdict: 'answerForeignRoute', target: PHONE })
    expect(headers(refused.out, 'Via')[0]).toContain('received=198.51.100.7')
  }
})

it('a Via that names a member makes nobody inside', () => {
  const via = `SIP/2.0/UDP ${REGISTRARS[0]};branch=z9hG4bKx`
  const byPath = request('INVITE', {
    via,
    headers: [`Route: ${own(balancer.token(path, VICTIM, CALL))}`],
  })
  expect(balancer.deliver(PHONE, SHARED, byPath).verdict).toBe('answerBadToken')
})
