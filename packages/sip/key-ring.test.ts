import { describe, expect, it } from 'vitest'
import { KeyRing } from './key-ring.ts'
import { SipHash } from './siphash.ts'

const countingKey = Uint8Array.from({ length: 16 }, (_, i) => i)

describe('KeyRing', () => {
  it('begins a hash under the key of an id', () => {
    const keys = new KeyRing()
    keys.add(255, countingKey)
    const hash = new SipHash()
    expect(keys.begin(hash, 255)).toBe(true)
    hash.finish()
    expect([hash.lo >>> 0, hash.hi >>> 0]).toEqual([0xdd0e0e31, 0x726fdb47]) // First published vector.
  })

  it('holds only what was added, an all-zero secret too', () => {
    const keys = new KeyRing()
    keys.add(3, new Uint8Array(16))
    keys.add(0, countingKey)
    expect(keys.ids()).toEqual([0, 3])
    expect([keys.has(0), keys.has(1), keys.has(3), keys.has(256), keys.has(-1)]).toEqual([
      true,
      false,
      true,
      false,
      false,
    ])
    expect(keys.begin(new SipHash(), 1)).toBe(false)
    expect(keys.begin(new SipHash(), 256)).toBe(false)
  })

  it('copies the secret, and a later one under the same id replaces it', () => {
    const keys = new KeyRing()
    const secret = new Uint8Array(16)
    keys.add(1, secret)
    keys.add(1, countingKey)
    secret.fill(7)
    const hash = new SipHash()
    keys.begin(hash, 1)
    hash.finish()
    expect(hash.lo >>> 0).toBe(0xdd0e0e31)
    expect(keys.ids()).toEqual([1])
  })

  it.each([-1, 256, 1.5, Number.NaN])('refuses id %s', (id) => {
    expect(() => new KeyRing().add(id, countingKey)).toThrow(RangeError)
  })

  it.each([0, 15, 17, 32])('refuses a secret of %i bytes', (length) => {
    expect(() => new KeyRing().add(1, new Uint8Array(length))).toThrow(RangeError)
  })
})
