import { expect, test } from 'vitest'
import { AddressPools } from './address-pools.ts'

test.each([
  ['203.0.113.0/28', '203.0.113.10', true],
  ['203.0.113.0/28', '203.0.113.16', false],
  ['203.0.113.10/32', '203.0.113.10', true],
  ['203.0.113.9/31', '203.0.113.8', true],
  ['0.0.0.0/0', '198.51.100.1', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '198.51.100.1', false],
  ['2001:db8:53::/48', '2001:db8:53:ffff::1', true],
  ['2001:db8:53::/48', '2001:db8:54::1', false],
  ['2001:db8::/127', '2001:db8::1', true],
  ['2001:db8::/127', '2001:db8::2', false],
  ['64:ff9b::192.0.2.0/120', '64:ff9b::c000:2ff', true],
])('%s and %s: %s', (cidr, address, isAllowed) => {
  expect(new AddressPools([{ cidr }]).allow(address, 'default')).toBe(isAllowed)
})

test('a pool may be for some namespaces only', () => {
  const pools = new AddressPools([
    { cidr: '203.0.113.0/28', namespaces: ['voice', 'lab'] },
    { cidr: '198.51.100.0/24' },
  ])
  expect(pools.allow('203.0.113.1', 'voice')).toBe(true)
  expect(pools.allow('203.0.113.1', 'other')).toBe(false)
  expect(pools.allow('198.51.100.1', 'other')).toBe(true)
  expect(pools.of('other')).toEqual(['198.51.100.0/24'])
})

test('without pools nothing is allowed', () => {
  expect(new AddressPools([]).allow('203.0.113.1', 'voice')).toBe(false)
})

test.each(['203.0.113.0', '203.0.113.0/33', '203.0.113.0/28/1', 'pool', '2001:db8::/129', '/8'])(
  '%s is no pool',
  (cidr) => {
    expect(() => new AddressPools([{ cidr }])).toThrow(RangeError)
  },
)
