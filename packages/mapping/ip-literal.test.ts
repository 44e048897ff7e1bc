import { isIP } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isIpLiteral, isNetwork } from './ip-literal.ts'

test.each([
  ['203.0.113.10', true],
  ['255.255.255.255', true],
  ['256.0.0.1', false],
  ['01.2.3.4', false],
  ['1.2.3', false],
  ['1.2.3.4:5060', false],
  ['::', true],
  ['::1', true],
  ['2001:db8::10', true],
  ['1:2:3:4:5:6:7:8', true],
  ['1:2:3:4:5:6:7::', true],
  ['1:2:3:4:5:6:7:8::', false],
  ['1::2::3', false],
  [':::', false],
  [':1::', false],
  ['::ffff:203.0.113.10', true],
  ['1:2:3:4:5:6:203.0.113.10', true],
  ['1:2:3:4:5:6:7:203.0.113.10', false],
  ['203.0.113.10::', false],
  ['::203.0.113.10:1', false],
  ['12345::', false],
  ['fe80::1%eth0', false],
  ['[::1]', false],
  ['', false],
  ['registrar-0', false],
])('%s is an address: %s', (text, expected) => {
  expect(isIpLiteral(text)).toBe(expected)
})

test('agrees with Node about everything that looks like an address', () => {
  const piece = fc.constantFrom('0', '1', '::', ':', '.', '255', '256', 'f', 'ffff', '1.2.3.4')
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  )
  fc.assert(
    fc.property(text, (candidate) => {
      expect(isIpLiteral(candidate)).toBe(isIP(candidate) !== 0)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['10.0.0.0/8', true],
  ['0.0.0.0/0', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0/08', false],
  ['10.0.0.0/', false],
  ['10.0.0.0', false],
  ['2001:db8::/32', true],
  ['::/128', true],
  ['::/129', false],
  ['::/-1', false],
])('%s is a network: %s', (text, expected) => {
  expect(isNetwork(text)).toBe(expected)
})
