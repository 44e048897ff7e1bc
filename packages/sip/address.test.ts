import { isIP } from 'node:net'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ENDPOINT_TEXT_MAX,
  ENDPOINT_WORDS,
  formatAddress,
  formatEndpoint,
  isIPv4,
  parseAddress,
  parseAddressText,
  parseEndpointText,
  sameAddress,
  sameEndpoint,
  writeAddress,
} from './address.ts'
import { ascii } from './ascii.ts'

// RFC 5952 §4 and §5; RFC 4291 §2.2.
test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:DB8::1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ['1:0:0:2::', '1:0:0:2::'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4:5:6:c000:201'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['fe80::ffff:ffff', 'fe80::ffff:ffff'],
])('%s is %s', (text, canonical) => {
  const words = new Int32Array(ENDPOINT_WORDS)
  expect(parseAddressText(text, words, 0)).toBe(true)
  expect(formatAddress(words, 0)).toBe(canonical)
})

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.00',
  '1..2.3',
  '.1.2.3',
  '1.2.3.',
  '0x1.2.3.4',
  '1.2.3.4 ',
  '[1.2.3.4]',
  ':',
  ':::',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '::1:2:3:4:5:6:7:8',
  '1::2::3',
  '1:::2',
  ':1::2',
  '1::2:',
  '12345::',
  'g::',
  '[::1',
  '::1]',
  '[]',
  'fe80::1%eth0',
  '::1.2.3',
  '::1.2.3.4:5',
  '1:2:3:4:5:6:7:1.2.3.4',
  'example.com',
  '::\u0131',
  '1.2.3.\u0134',
])('%j is no address', (text) => {
  expect(parseAddressText(text, new Int32Array(ENDPOINT_WORDS), 0)).toBe(false)
})

test.each([
  ['192.0.2.1:5060', '192.0.2.1:5060'],
  ['192.0.2.1:0', '192.0.2.1:0'],
  ['[2001:db8::1]:65535', '[2001:db8::1]:65535'],
])('%s is an endpoint', (text, canonical) => {
  const words = new Int32Array(ENDPOINT_WORDS + 1)
  expect(parseEndpointText(text, words, 1)).toBe(true)
  expect(formatEndpoint(words, 1)).toBe(canonical)
})

test.each([
  ['192.0.2.1', '192.0.2.1:5070'],
  ['[2001:db8::1]', '[2001:db8::1]:5070'],
  ['2001:db8::1', '[2001:db8::1]:5070'],
  ['::', '[::]:5070'],
  ['192.0.2.1:5060', '192.0.2.1:5060'],
])('%s is an endpoint where there is a default port', (text, canonical) => {
  const words = new Int32Array(ENDPOINT_WORDS)
  expect(parseEndpointText(text, words, 0)).toBe(text === '192.0.2.1:5060')
  expect(parseEndpointText(text, words, 0, 5070)).toBe(true)
  expect(formatEndpoint(words, 0)).toBe(canonical)
})

test.each([
  '192.0.2.1:',
  '192.0.2.1:65536',
  '192.0.2.1:05060',
  '192.0.2.1:+1',
  '192.0.2.1:1e3',
  ':5060',
  '[::1]5060',
  '[::1]:',
  'host:5060',
  '192.0.2.1:5060:1',
  '',
])('%j is no endpoint, default port or not', (text) => {
  const words = new Int32Array(ENDPOINT_WORDS)
  expect(parseEndpointText(text, words, 0)).toBe(false)
  expect(parseEndpointText(text, words, 0, 5070)).toBe(false)
})

const wordsOf = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => Int32Array.from([0, 2, 4, 6], (i) => (groups[i]! << 16) | groups[i + 1]!))

test('every address is read back from its text, bracketed or not', () => {
  fc.assert(
    fc.property(wordsOf, fc.boolean(), (words, bracketed) => {
      const text = formatAddress(words, 0)
      expect(isIP(text)).toBe(isIPv4(words, 0) ? 4 : 6)
      const back = new Int32Array(ENDPOINT_WORDS)
      expect(parseAddressText(bracketed && !isIPv4(words, 0) ? `[${text}]` : text, back, 0)).toBe(
        true,
      )
      expect(sameAddress(words, 0, back, 0)).toBe(true)
    }),
  )
})

test('what is an address is decided as Node decides it', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123:::...af'), maxLength: 24 })
  fc.assert(
    fc.property(text, (candidate) => {
      const isAddress = parseAddressText(candidate, new Int32Array(ENDPOINT_WORDS), 0)
      expect([candidate, isAddress]).toEqual([candidate, isIP(candidate) !== 0])
    }),
    { numRuns: 5000 },
  )
})

test('only the named range is read, only its words are written', () => {
  const bytes = ascii('1192.0.2.11')
  const words = new Int32Array(7).fill(9)
  expect(parseAddress(bytes, 1, 10, words, 1)).toBe(true)
  expect(Array.from(words)).toEqual([9, 0, 0, 0xffff, 0xc0000201 | 0, 9, 9])
})

test('the longest text fits the bound', () => {
  const words = Int32Array.from([-1, -1, -1, -1, 65535])
  expect(formatEndpoint(words, 0)).toHaveLength(ENDPOINT_TEXT_MAX)
  expect(writeAddress(words, 0, new Uint8Array(39), 0)).toBe(39)
})

test('endpoints are equal by all five words, addresses by four', () => {
  const a = new Int32Array(ENDPOINT_WORDS)
  parseEndpointText('[2001:db8::1]:5060', a, 0)
  for (let i = 0; i < ENDPOINT_WORDS; i++) {
    const b = Int32Array.from(a)
    expect([sameAddress(a, 0, b, 0), sameEndpoint(a, 0, b, 0)]).toEqual([true, true])
    b[i]! ^= 1
    expect([sameAddress(a, 0, b, 0), sameEndpoint(a, 0, b, 0)]).toEqual([i === 4, false])
  }
})
