import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CanonicalJsonError, canonicalJson } from './canonical-json.ts'

describe('RFC 8785', () => {
  test('§3.2.2: its example of primitive values', () => {
    const value = JSON.parse(`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
      "literals": [null, true, false]
    }`)
    expect(canonicalJson(value, 4)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  test('§3.2.3: its example of key order by UTF-16 code units', () => {
    const value = JSON.parse(`{
      "\\u20ac": "Euro Sign", "\\r": "Carriage Return", "\\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One", "\\ud83d\\ude00": "Emoji: Grinning Face", "\\u0080": "Control",
      "\\u00f6": "Latin Small Letter O With Diaeresis"
    }`)
    const values = [...canonicalJson(value, 4).matchAll(/:"([^"]*)"/g)].map(([, text]) => text)
    expect(values).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
  })

  test.each([
    // Appendix B, IEEE 754 bits and their text.
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555557', '333333333.33333343'],
  ])('Appendix B: %s is %s', (bits, text) => {
    const value = new DataView(Uint8Array.fromHex(bits).buffer).getFloat64(0)
    expect(canonicalJson(value, 0)).toBe(text)
  })

  test.each([
    ['a lone surrogate (§3.2.2.2)', '\ud800'],
    ['a lone surrogate in a key', { '\udead': 1 }],
    ['NaN (§3.2.2.3)', Number.NaN],
    ['Infinity', [Number.POSITIVE_INFINITY]],
    ['undefined', { a: undefined }],
    ['nesting beyond the bound', [[[[[]]]]]],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value, 4)).toThrow(CanonicalJsonError)
  })
})

test('the canonical text means the same value and is its own canonical text', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }), (value) => {
      const text = canonicalJson(value, 8)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonicalJson(JSON.parse(text), 8)).toBe(text)
    }),
  )
})
