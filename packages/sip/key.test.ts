import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ascii } from './ascii.ts'
import { KEY_LENGTH_MAX, userKey } from './key.ts'
import { Message } from './message.ts'
import { read } from './torture/reading.fixture.ts'
import { invite } from './torture/rows.fixture.ts'

const rows: readonly (readonly [says: string, user: string, key: string])[] = [
  ['a name stays', 'alice', 'alice'],
  ['capitals become small', 'ALice.B', 'alice.b'],
  ['escapes are undone', '%61l%69ce', 'alice'],
  ['an escaped capital is a capital', '%41lice', 'alice'],
  ['escapes in either case', 'j%c3%bcrg%C3%BC', 'j\xc3\xbcrg\xc3\xbc'],
  ['bytes above ASCII stay, escaped or not', '\xc3\xbc\xc4', '\xc3\xbc\xc4'],
  ['an escaped "@" is part of the name', 'a%40b', 'a@b'],
  ['escapes are undone once', 'a%2540b', 'a%40b'],
  ['a "%" that escapes nothing stands for itself', '100%', '100%'],
  ['so does one before something else', '%zz%4', '%zz%4'],
  ['an escaped NUL', 'null-%00-null', 'null-\0-null'],
  ['a global number', '+1-201-555-0123', '+12015550123'],
  ['a number as people write it', '+49%20(30)%20123-456', '+4930123456'],
  ['an escaped plus', '%2B49.30.123', '+4930123'],
  ['escaped separators', '030%2D123%28456%29', '030123456'],
  ['a local number', '(7042)', '7042'],
  ['star and hash codes', '*21*%23', '*21*#'],
  ['separators of what is no number stay', 'a-b.c', 'a-b.c'],
  ['digits with letters are no number', '10-20a', '10-20a'],
  ['a plus in the middle makes no number', '1+2-3', '1+2-3'],
  ['separators before the plus', '(+49)30-1', '+49301'],
  ['separators alone are a name', '(-)', '(-)'],
  ['a plus alone is a name', '+', '+'],
  ['an empty user has no key', '', ''],
]

test.each(rows)('%s', (_, user, key) => {
  expect(keyOf(user)).toBe(key)
})

describe('of whole URIs', () => {
  test.each([
    ['sip:alice@example.com', 'alice'],
    ['SIPS:Alice:secret@example.com', 'alice'],
    ['sip:alice;day=tuesday@example.com', 'alice'],
    ['sip:%61lice;day=tuesday:x@example.com;user=ip', 'alice'],
    ['tel:+1-201-555-0123;phone-context=example.com', '+12015550123'],
    ['sip:+1(201)555.0123;phone-context=+1:pw@example.com;user=phone', '+12015550123'],
    ['sip:+12015550123@example.com', '+12015550123'],
    ['sip:a%40b@example.com', 'a@b'],
    ['sip:example.com', ''],
    ['sip:@example.com', ''],
    ['urn:service:sos', ''],
  ])('%s', (uri, key) => {
    const { message } = read(invite(`=INVITE ${uri} SIP/2.0`))
    const out = new Uint8Array(KEY_LENGTH_MAX)
    const length = userKey(message.bytes, message.uri.userStart, message.uri.userEnd, out, 0)
    expect(String.fromCharCode(...out.subarray(0, length))).toBe(key)
  })

  test('a message that was never scanned has no key', () => {
    const { bytes, uri } = new Message()
    expect(userKey(bytes, uri.userStart, uri.userEnd, new Uint8Array(8), 0)).toBe(0)
  })
})

test('escaping characters at random never changes the key, nor does case', () => {
  const user = fc.string({ unit: fc.constantFrom(...'aZ09+-.()*#%_~'), minLength: 1 })
  fc.assert(
    fc.property(user, fc.infiniteStream(fc.boolean()), (name, escaped) => {
      const spelt = [...name].map((char) =>
        char === '%' || escaped.next().value ? escape(char) : char,
      )
      expect(keyOf(spelt.join('').toUpperCase())).toBe(keyOf([...name].map(plain).join('')))
    }),
  )
})

test('a key is never longer than its bound, and nothing is written beyond it', () => {
  const out = new Uint8Array(KEY_LENGTH_MAX + 20).fill(7)
  for (const user of ['a'.repeat(1000), '1-'.repeat(1000), '%61'.repeat(1000)]) {
    const bytes = ascii(user)
    expect(userKey(bytes, 0, bytes.length, out, 10)).toBe(KEY_LENGTH_MAX)
    expect(out[9]).toBe(7)
    expect(out[KEY_LENGTH_MAX + 10]).toBe(7)
  }
})

test('a long number has the same key with and without separators', () => {
  const digits = '0123456789'.repeat(40)
  expect(keyOf([...digits].join('-'))).toBe(keyOf(digits))
})

function keyOf(user: string): string {
  const bytes = ascii(user)
  const out = new Uint8Array(KEY_LENGTH_MAX)
  return String.fromCharCode(...out.subarray(0, userKey(bytes, 0, bytes.length, out, 0)))
}

function escape(char: string): string {
  return `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}

function plain(char: string): string {
  return char === '%' ? '%25' : char
}
