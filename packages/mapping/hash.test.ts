import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultSeed, HASH_NAME, halfSipHash, memberTag, SlotHash, slotOf } from './hash.ts'

/**
 * The reference implementation's vectors_hsip32 (github.com/veorq/SipHash, vectors.h, CC0): output bytes for the
 * inputs 00, 00 01, 00 01 02, … of 0 to 63 bytes under the key 00 01 … 07.
 */
const PUBLISHED = `
  a9359f5b 27475ab8 fa62a603 8afee704 2a6e4689 c5fab669 5863fc23 8bcf63c5
  d0b8848f f806e779 94b07934 08083050 57f0872f 77e663ff d6fff87c 74fe2b97
  d9b5ac84 c474645b 465b8d9b 7befe387 e34d1045 613f62b3 70f367fe e6adb8bd
  27400c63 26787875 4f567b5f 3ab0e669 b0644000 ff670fb4 509e338b 5d589f1a
  fee72112 33753259 6a434f8c fe28b729 e75cc6ec 697e8d54 63688b0f 650b62b4
  b6bc1840 5d074505 2442fd2e 7bb7863a 7705d548 d75208b1 b6d499c8 0892202e
  69e12ce3 8db580e5 369764c6 016e0204 3b85f3d4 fedb66be 1e692a3a c68984c0
  a5c5b940 9be9e88c 7dbc8140 7c078ec5 d4e76c73 428fcbb9 bd83997a 59ea4a74`
  .trim()
  .split(/\s+/)

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('HalfSipHash-2-4', () => {
  test('gives the published output for every published input', () => {
    const input = Uint8Array.from({ length: 64 }, (_, i) => i)
    const outputs = PUBLISHED.map((_, length) => {
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setUint32(
        0,
        halfSipHash(0x03020100, 0x07060504, input, 0, length),
        true,
      )
      return bytes.toHex()
    })
    expect(outputs).toEqual(PUBLISHED)
  })

  test('hashes a range of a larger buffer like a buffer of its own', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(7),
        fc.nat(7),
        (bytes, before, after) => {
          const large = new Uint8Array(before + bytes.length + after).fill(0xee)
          large.set(bytes, before)
          const hash = new SlotHash(defaultSeed('default', 'registrars'))
          expect(hash.hash(large, before, before + bytes.length)).toBe(
            hash.hash(bytes, 0, bytes.length),
          )
        },
      ),
    )
  })
})

describe('the hash of a table', () => {
  test('is keyed by the first 8 bytes of the seed, in order', () => {
    const seed = `0001020304050607${'ff'.repeat(24)}`
    const input = Uint8Array.from([0, 1, 2])
    expect(new SlotHash(seed).hash(input, 0, 3)).toBe(0x04e7fe8a)
  })

  test('has vectors for other implementers', () => {
    const file = new URL('hash.vectors.json', import.meta.url)
    const { hash: name, vectors } = JSON.parse(readFileSync(file, 'utf8'))
    expect(name).toBe(HASH_NAME)
    for (const { seed, key, hash, slots } of vectors) {
      const bytes = ascii(key)
      const value = new SlotHash(seed).hash(bytes, 0, bytes.length)
      expect({ key, hash: value }).toEqual({ key, hash })
      for (const [slotCount, slot] of Object.entries(slots)) {
        expect(slotOf(value, Number(slotCount))).toBe(slot)
      }
    }
  })

  test('spreads the telephone numbers of one block evenly over the slots', () => {
    const hash = new SlotHash(defaultSeed('default', 'registrars'))
    const [slotCount, userCount] = [64, 64_000]
    const users = new Float64Array(slotCount)
    for (let user = 0; user < userCount; user++) {
      const key = ascii(`+4930${String(user).padStart(7, '0')}`)
      users[slotOf(hash.hash(key, 0, key.length), slotCount)]! += 1
    }
    const expected = userCount / slotCount
    const chiSquare = users.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(chiSquare).toBeLessThan(104) // 63 degrees of freedom: p = 0.001
  })
})

test('a lost table does not lose its seed: it follows from namespace and name', () => {
  // printf 'default/registrars' | sha256sum
  expect(defaultSeed('default', 'registrars')).toBe(
    '1f4b52aee6d5ac332a46c52537874dcdfa131505479aa3c2c8c6737cd1551e9f',
  )
})

test('a member is named in tokens by the first four bytes of SHA-256 over its id', () => {
  // printf 'registrar-0' | sha256sum | cut -c1-8
  expect(memberTag('registrar-0')).toBe(0x40923fef)
})
