import { expect, test } from 'vitest'
import { canonicalAddress, cidr, ipAddress, uriHost } from './address.ts'

test.each([
  ['IPv4', '192.0.2.1', '192.0.2.1'],
  ['IPv6 in capitals and at length', '2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['IPv6 that ends like IPv4', '::fff:1.2.3.4', '::fff:102:304'],
  ['IPv6 that only begins like IPv4 in IPv6', '::ffff:1', '::ffff:1'],
  ['a leading zero', '192.0.2.01', null],
  ['three numbers', '192.0.2', null],
  ['IPv4 in IPv6', '::ffff:192.0.2.1', null],
  ['a scope', 'fe80::1%eth0', null],
  ['brackets', '[2001:db8::1]', null],
  ['what a URL would overlook', '2001:db8::1\t', null],
  ['a name', 'example.com', null],
])('%s has its canonical text', (_sentence, text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical)
})

test.each([
  ['feb::1', true],
  ['ff::1', true],
  ['169.254.0.1', true],
  ['febf::1', false],
  ['ff02::1', false],
  ['::', false],
  ['0.1.2.3', false],
  ['223.255.255.255', true],
  ['224.0.0.0', false],
  ['255.255.255.255', false],
])('%s as an address to talk to: %s', (text, isUsable) => {
  expect(ipAddress().safeParse(text).success).toBe(isUsable)
})

test.each([
  ['10.1.2.3/8', '10.1.2.3/8'],
  ['2001:DB8::/32', '2001:db8::/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['10.0.0.0/08', null],
  ['10.0.0.0/33', null],
  ['2001:db8::/129', null],
  ['10.0.0.0', null],
  ['10.0.0.0/8/8', null],
])('%s as a network: %s', (text, canonical) => {
  expect(cidr().safeParse(text).data ?? null).toBe(canonical)
})

test.each([
  ['Example.COM.', 'example.com'],
  ['[2001:DB8::1]', '2001:db8::1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['sip:example.com', null],
  ['[2001:db8::1', null],
])('%s as the host of a URI: %s', (text, canonical) => {
  expect(uriHost().safeParse(text).data ?? null).toBe(canonical)
})
