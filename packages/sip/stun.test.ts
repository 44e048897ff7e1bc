import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEndpointText } from './address.ts'
import { Message, Scan } from './message.ts'
import { scan } from './scan.ts'
import { STUN_RESPONSE_BYTES_MAX, writeStunResponse } from './stun.ts'

/** Transaction id and addresses of the test vectors in RFC 5769 §2. */
const COOKIE_AND_ID = '2112a442b7e7a701bc34d686fa87dfae'
const SOFTWARE = '80220004 74657374'
const PRIORITY = '00240004 6e0001ff'

const rows = [
  {
    title: 'a bare binding request over IPv4',
    request: `0001 0000 ${COOKIE_AND_ID}`,
    response: `0101 000c ${COOKIE_AND_ID} 0020 0008 0001 a147 e112a643`,
  },
  {
    title: 'one over IPv6',
    source: '[2001:db8:1234:5678:11:2233:4455:6677]:32853',
    request: `0001 0000 ${COOKIE_AND_ID}`,
    response: `0101 0018 ${COOKIE_AND_ID} 0020 0014 0002 a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9`,
  },
  {
    title: 'one with attributes that may be ignored, the last padded',
    request: `0001 0010 ${COOKIE_AND_ID} ${SOFTWARE} 80220001 41000000`,
    response: `0101 000c ${COOKIE_AND_ID} 0020 0008 0001 a147 e112a643`,
  },
  {
    title: 'one with credentials that nobody asked for',
    request: `0001 000c ${COOKIE_AND_ID} 00060005 61626364 65000000`,
    response: `0101 000c ${COOKIE_AND_ID} 0020 0008 0001 a147 e112a643`,
  },
  {
    title: 'an ICE check, which demands that PRIORITY be understood',
    request: `0001 0010 ${COOKIE_AND_ID} ${PRIORITY} ${SOFTWARE}`,
    response: `0111 0010 ${COOKIE_AND_ID} 0009 0004 00000414 000a 0002 0024 0000`,
  },
  {
    title: 'one with more unknown attributes than an answer names',
    request: `0001 0014 ${COOKIE_AND_ID} 00300000 00310000 00320000 00330000 00340000`,
    response: `0111 0014 ${COOKIE_AND_ID} 0009 0004 00000414 000a 0008 0030 0031 0032 0033`,
  },
  { title: 'an indication', request: `0011 0000 ${COOKIE_AND_ID}`, response: null },
  { title: 'a response', request: `0101 0000 ${COOKIE_AND_ID}`, response: null },
  { title: 'an Allocate request', request: `0003 0000 ${COOKIE_AND_ID}`, response: null },
  {
    title: 'an attribute that overruns the message',
    request: `0001 0008 ${COOKIE_AND_ID} 80220008 00000000`,
    response: null,
  },
  {
    title: 'half an attribute header',
    request: `0001 0002 ${COOKIE_AND_ID} 8022`,
    response: null,
  },
  { title: 'another length', request: `0001 0004 ${COOKIE_AND_ID}`, response: null },
  {
    title: 'another cookie (RFC 3489)',
    request: '0001 0000 2112a443b7e7a701bc34d686fa87dfae',
    response: null,
  },
  { title: 'a header cut short', request: '0001 0000 2112a442', response: null },
]

describe('writeStunResponse', () => {
  it.each(rows)('answers $title', ({ source = '192.0.2.1:32853', request, response }) => {
    expect(answer(bytesOf(request), source)).toEqual(response?.replaceAll(' ', '') ?? null)
  })

  it('is reached for what the scan calls STUN', () => {
    const bytes = bytesOf(rows[0]!.request)
    expect(scan(new Message(), bytes, 0, bytes.length)).toBe(Scan.stun)
  })

  it('answers nothing with more than its bound, whatever the attributes', () => {
    const attributes = fc.array(fc.tuple(fc.nat(0x9000), fc.uint8Array({ maxLength: 9 })), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(attributes, (list) => {
        const body = Buffer.concat(list.map(([type, value]) => attribute(type, value)))
        const header = bytesOf(`0001 ${body.length.toString(16).padStart(4, '0')} ${COOKIE_AND_ID}`)
        const text = answer(Buffer.concat([header, body]), '[2001:db8::1]:65535')
        expect(text).not.toBe(null)
        expect(text!.length / 2).toBeLessThanOrEqual(STUN_RESPONSE_BYTES_MAX)
        expect(Number.parseInt(text!.slice(4, 8), 16)).toBe(text!.length / 2 - 20)
      }),
    )
  })
})

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')

function attribute(type: number, value: Uint8Array): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt16BE(type, 0)
  header.writeUInt16BE(value.length, 2)
  return Buffer.concat([header, value, Buffer.alloc(-value.length & 3)])
}

/** The answer in hexadecimal; request and answer share an array, as in the packet loop. */
function answer(request: Uint8Array, from: string): string | null {
  const source = new Int32Array(7)
  expect(parseEndpointText(from, source, 2)).toBe(true)
  const arena = Buffer.alloc(500, 0xff)
  arena.set(request, 7)
  const message = new Message()
  message.reset(arena, 7, 7 + request.length)
  const length = writeStunResponse(message, arena, 400, source, 2)
  return length < 0 ? null : arena.toString('hex', 400, 400 + length)
}
