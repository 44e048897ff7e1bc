import { expect, test } from 'vitest'
import {
  endpointOf,
  formatNameAddr,
  formatUri,
  formatVia,
  parseEndpoint,
  parseNameAddr,
  parseUri,
  parseVia,
} from './uri.ts'

test.each([
  'sip:bob@example.com',
  'sip:bob@[2001:db8::1]:5061;lr;ob',
  'sip:192.0.2.1',
  'sips:+49;phone-context=x@host;transport=udp',
])('%s is read and written back', (text) => {
  const uri = parseUri(text)
  expect(uri && formatUri(uri)).toBe(text)
})

test('IPv6 hosts lose their brackets inside', () => {
  expect(parseUri('sip:x@[::1]:5062')).toMatchObject({ user: 'x', host: '::1', port: 5062 })
  expect(parseEndpoint('[::1]:7')).toEqual({ address: '::1', port: 7 })
  expect(parseEndpoint('127.0.0.1')).toEqual({ address: '127.0.0.1', port: 5060 })
})

test.each(['tel:+49', 'bob', 'sip:', 'sip:a@b:99999'])('%s leads nowhere', (text) => {
  expect(parseUri(text)).toBeNull()
})

test('maddr redirects', () => {
  expect(endpointOf(parseUri('sip:x@1.1.1.1:7;maddr=2.2.2.2') as never)).toEqual({
    address: '2.2.2.2',
    port: 7,
  })
})

test("with angle brackets parameters inside are the URI's, without them the header's", () => {
  const inside = parseNameAddr('"B; <ob>" <sip:b@h;lr>;tag=1')
  expect(inside).toMatchObject({ display: '"B; <ob>"', uri: 'sip:b@h;lr' })
  expect(inside && formatNameAddr(inside)).toBe('"B; <ob>" <sip:b@h;lr>;tag=1')
  expect(parseNameAddr('sip:b@h;tag=2')).toEqual({
    display: '',
    uri: 'sip:b@h',
    params: new Map([['tag', '2']]),
  })
})

test('a Via keeps its parameters and their order', () => {
  const text = 'SIP/2.0/UDP [::1]:5060;rport;branch=z9hG4bKx;s=ab-_'
  const via = parseVia(text)
  expect(via).toMatchObject({ host: '::1', port: 5060 })
  expect(via && formatVia(via)).toBe(text)
  expect(parseVia('HTTP/1.1 x')).toBeNull()
})
