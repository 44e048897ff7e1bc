import { ENDPOINT_WORDS, parseEndpointText } from '@sipcast/sip'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { AddressFamily } from './linux.ts'
import { familyOf, readSockaddr, writeSockaddr } from './sockaddr.ts'

it.each([
  ['192.0.2.1:5060', AddressFamily.ipv4, '020013c4c0000201'],
  [
    '[2001:db8::ff]:65535',
    AddressFamily.ipv6,
    '0a00ffff0000000020010db80000000000000000000000ff00000000',
  ],
])('%s has the bytes the kernel expects', (text, family, hex) => {
  const endpoint = new Int32Array(ENDPOINT_WORDS)
  expect(parseEndpointText(text, endpoint, 0)).toBe(true)
  expect(familyOf(endpoint, 0)).toBe(family)
  const sockaddr = new Int32Array(8)
  const length = writeSockaddr(endpoint, 0, family, sockaddr, 0)
  expect(length).toBe(family === AddressFamily.ipv4 ? 16 : 28)
  const bytes = Buffer.from(sockaddr.buffer, 0, length).toString('hex')
  expect(bytes.slice(0, hex.length)).toBe(hex)
})

it('reads back what it wrote', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  const port = fc.integer({ min: 0, max: 65535 })
  fc.assert(
    fc.property(fc.tuple(word, word, word, word, port), fc.boolean(), (words, isIPv4) => {
      const endpoint = Int32Array.from(words)
      if (isIPv4) endpoint.set([0, 0, 0xffff])
      const sockaddrs = new Int32Array(16)
      writeSockaddr(endpoint, 0, familyOf(endpoint, 0), sockaddrs, 8)
      const read = new Int32Array(ENDPOINT_WORDS)
      readSockaddr(sockaddrs, 8, read, 0)
      expect([...read]).toEqual([...endpoint])
    }),
  )
})
