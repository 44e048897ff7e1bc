import { describe, expect, it } from 'vitest'
import { Keys, parseKeys } from './keys.ts'

const secret = '000102030405060708090a0b0c0d0e0f'
const document = (...ids: readonly number[]): string =>
  JSON.stringify({ keys: ids.map((id) => ({ id, secret, created: '2026-01-01T00:00:00.000Z' })) })

describe('the keys document', () => {
  it('gives keys in the order of their ids', () => {
    const keys = new Keys()
    expect(keys.offer(document(9, 2))).toBe(true)
    expect(keys.ids).toEqual([2, 9])
    expect(keys.current[0]!.secret).toEqual(Uint8Array.from({ length: 16 }, (_, byte) => byte))
    expect(keys.trouble).toBeNull()
  })

  it('is missing at first, and says what that means', () => {
    const keys = new Keys()
    keys.offer(null)
    expect(keys.trouble).toMatchObject({ reason: 'KeysMissing' })
    expect(keys.trouble!.message).toMatch(/nothing is forwarded until/)
  })

  it('may vanish: the last good keys stay', () => {
    const keys = new Keys()
    keys.offer(document(1))
    expect(keys.offer(null)).toBe(true)
    expect(keys.offer(null)).toBe(false)
    expect(keys.ids).toEqual([1])
    expect(keys.trouble!.message).toMatch(/vanished: the last good keys stay/)
    expect(keys.offer(document(1))).toBe(true)
    expect(keys.trouble).toBeNull()
  })

  it('may be broken: the last good keys stay', () => {
    const keys = new Keys()
    keys.offer(document(1))
    keys.offer(document(1, 2).slice(0, -5))
    expect(keys.ids).toEqual([1])
    expect(keys.trouble).toMatchObject({ reason: 'KeysBad' })
  })

  it('is no news if nothing in it changed', () => {
    const keys = new Keys()
    keys.offer(document(1))
    expect(keys.offer(document(1))).toBe(false)
    expect(keys.offer(document(1, 2))).toBe(true)
  })

  const bad: readonly [string, string, RegExp][] = [
    ['no JSON', `{"keys": [{"id": 1, "secret": "${secret}"`, /is no JSON/],
    ['no list', '{"keys": {}}', /no list of keys/],
    ['an empty list', '{"keys": []}', /no list of keys/],
    ['an id out of range', document(256), /no id from 0 to 255 in entry 0/],
    ['an id that is a text', document(1).replace('"id":1', '"id":"1"'), /no id/],
    ['an id twice', document(3, 3), /id 3 twice/],
    ['a short secret', document(1).replace('0e0f', ''), /no secret of 32 hex digits for id 1/],
    ['a secret that is no hex', document(1).replace('0e0f', '0e0x'), /no secret/],
    ['an entry that is null', '{"keys": [null]}', /no id/],
  ]
  it.each(bad)('is refused with %s, without showing a secret', (_, text, message) => {
    const outcome = parseKeys(text)
    expect(outcome).toMatchObject({ reason: 'KeysBad', message: expect.stringMatching(message) })
    expect(JSON.stringify(outcome)).not.toContain('0001020304')
  })
})
