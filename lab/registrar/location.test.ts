import { expect, test } from 'vitest'
import { type SipRequest, headerValues, parseMessage } from '../sip/message.ts'
import { Location } from './location.ts'

let nowMs = 0
const location = () => new Location(10, () => nowMs)

function registration(parts: {
  contact?: string
  path?: string
  callId?: string
  cseq?: number
  to?: string
}): SipRequest {
  const lines = [
    'REGISTER sip:example.com SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
    'From: <sip:bob@example.com>;tag=1',
    `To: <sip:${parts.to ?? 'bob'}@example.com>`,
    `Call-ID: ${parts.callId ?? 'one'}`,
    `CSeq: ${parts.cseq ?? 1} REGISTER`,
    ...(parts.contact === undefined ? [] : [`Contact: ${parts.contact}`]),
    ...(parts.path === undefined ? [] : [`Path: ${parts.path}`]),
  ]
  return parseMessage(`${lines.join('\r\n')}\r\n\r\n`) as SipRequest
}

test('bindings are kept with their Path until they expire', () => {
  const users = location()
  const path = '<sip:a@192.0.2.2;lr>, <sip:b@192.0.2.3;lr>'
  expect(
    users.register(registration({ contact: '<sip:bob@10.0.0.1>;expires=20', path })).status,
  ).toBe(200)
  expect(users.lookup('BOB')).toMatchObject([
    { contact: 'sip:bob@10.0.0.1', path: ['<sip:a@192.0.2.2;lr>', '<sip:b@192.0.2.3;lr>'] },
  ])
  nowMs += 20_001
  expect(users.lookup('bob')).toEqual([])
  expect(users.all()).toEqual([])
})

test('several contacts stand side by side; each can be taken back, or all at once', () => {
  const users = location()
  users.register(registration({ contact: '<sip:bob@10.0.0.1>' }))
  const both = users.register(registration({ contact: '<sip:bob@10.0.0.2>', callId: 'two' }))
  expect(headerValues(both, 'contact')).toEqual([
    '<sip:bob@10.0.0.1>;expires=3600',
    '<sip:bob@10.0.0.2>;expires=3600',
  ])
  users.register(registration({ contact: '<sip:bob@10.0.0.1>;expires=0', cseq: 2 }))
  expect(users.lookup('bob')).toHaveLength(1)
  users.register(registration({ contact: '*' }))
  expect(users.lookup('bob')).toHaveLength(0)
})

test.each([
  ['too short', { contact: '<sip:bob@10.0.0.1>;expires=5' }, 423],
  ['no contact to read', { contact: 'nonsense' }, 400],
  ['a path to nowhere', { contact: '<sip:bob@10.0.0.1>', path: 'nonsense' }, 400],
])('is refused: %s', (_why, parts, status) => {
  expect(location().register(registration(parts)).status).toBe(status)
})

test('an older request that was overtaken changes nothing', () => {
  const users = location()
  users.register(registration({ contact: '<sip:bob@10.0.0.1>', cseq: 5 }))
  expect(
    users.register(registration({ contact: '<sip:bob@10.0.0.1>;expires=0', cseq: 4 })).status,
  ).toBe(500)
  expect(users.lookup('bob')).toHaveLength(1)
})
