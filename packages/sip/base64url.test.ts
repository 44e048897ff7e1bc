import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ascii } from './ascii.ts'
import { decodeBase64url } from './base64url.ts'

const out = new Uint8Array(64)

function decode(text: string): string | null {
  const length = decodeBase64url(ascii(text), 0, text.length, out)
  return length < 0 ? null : Buffer.from(out.subarray(0, length)).toString('hex')
}

describe('decodeBase64url', () => {
  it('reads what Node writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex')
        expect(decode(Buffer.from(bytes).toString('base64url'))).toBe(hex)
      }),
    )
  })

  it('accepts one spelling of the same bytes only', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{0,12}$/), (text) => {
        const canonical = Buffer.from(text, 'base64url').toString('base64url')
        expect(decode(text) !== null).toBe(canonical === text)
      }),
    )
  })

  it.each([
    ['padding', 'AA=='],
    ['padding of nothing', '===='],
    ['plain base64 digits', 'A+/A'],
    ['white space', 'AA A'],
    ['a lone digit', 'A'],
    ['five digits', 'AAAAA'],
    ['spare bits after one byte', 'AB'],
    ['spare bits after two bytes', 'AAB'],
    ['a byte above ASCII', 'AA\u00e9A'],
    ['a NUL', 'AA\0A'],
  ])('refuses %s', (_, text) => {
    expect(decode(text)).toBe(null)
  })

  it('reads only its range and nothing that is too long', () => {
    expect(decodeBase64url(ascii('=AAAA='), 1, 5, out)).toBe(3)
    expect(decodeBase64url(ascii('AAAA'), 2, 2, out)).toBe(0)
    expect(decodeBase64url(ascii('A'.repeat(88)), 0, 88, out)).toBe(-1)
    expect(decodeBase64url(ascii('AAAA'), 4, 0, out)).toBe(-1)
    expect(decodeBase64url(ascii('AAAA'), -1, -1, out)).toBe(0)
  })
})
