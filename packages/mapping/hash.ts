/**
 * From a user's key to a slot, and from a proxy's id to the tag that tokens carry. HalfSipHash-2-4 with 32 bits of
 * output (Aumasson, Bernstein: github.com/veorq/SipHash), keyed by the first 8 bytes of the table's seed.
 *
 * Part of the table's format (`hash: "halfsiphash-2-4"`): every balancer, in whatever language, must agree, so
 * `hash.vectors.json` lists examples for other implementers. It is no MAC; tokens have their own (packages/sip).
 *
 * Invariant: no allocation per hash; the only state is the key.
 */
import { createHash } from 'node:crypto'

/**
 * The value of a table's `hash` field; another value is another function, and a balancer refuses what it can't
 * compute.
 */
export const HASH_NAME = 'halfsiphash-2-4'

export class SlotHash {
  readonly #key0: number
  readonly #key1: number

  /** @param seed 64 hex digits, as in the table. */
  constructor(seed: string) {
    this.#key0 = hexWord(seed, 0)
    this.#key1 = hexWord(seed, 8)
  }

  /** Hash of `bytes[start, end)` as an unsigned 32-bit number. */
  hash(bytes: Uint8Array, start: number, end: number): number {
    return halfSipHash(this.#key0, this.#key1, bytes, start, end)
  }
}

/** Slot counts are powers of two (SLOTS_MIN…SLOTS_MAX), so the remainder is a mask. */
export function slotOf(hash: number, slotCount: number): number {
  return hash & (slotCount - 1)
}

/** The seed of a SipProxy that names none: a lost table must not lose it. 64 lower-case hex digits. */
export function defaultSeed(namespace: string, name: string): string {
  return createHash('sha256').update(`${namespace}/${name}`).digest('hex')
}

/** The first 32 bits, unsigned and big-endian, of SHA-256(id): how a token names its member. */
export function memberTag(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0)
}

/** @param key0 and @param key1 are the key's two little-endian words. Returns an unsigned 32-bit number. */
export function halfSipHash(
  key0: number,
  key1: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let v0 = key0
  let v1 = key1
  let v2 = 0x6c796765 ^ key0
  let v3 = 0x74656462 ^ key1
  const length = end - start
  // One pass over whole words and one more for the tail with the length in its top byte, then four rounds to finish.
  const wordsEnd = start + (length & ~3)
  let offset = start
  let finishing = false
  for (;;) {
    let word: number
    let rounds = 2
    if (offset < wordsEnd) {
      word = littleEndianWord(bytes, offset, 4)
      offset += 4
    } else if (!finishing) {
      word = littleEndianWord(bytes, offset, length & 3) | (length << 24)
      finishing = true
    } else {
      word = 0
      rounds = 4
      v2 ^= 0xff
    }
    v3 ^= word
    for (let round = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    if (rounds === 4) return (v1 ^ v3) >>> 0
    v0 ^= word
  }
}

function littleEndianWord(bytes: Uint8Array, offset: number, count: number): number {
  let word = 0
  for (let i = 0; i < count; i++) word |= (bytes[offset + i] ?? 0) << (8 * i)
  return word
}

/** The little-endian word in eight hex digits at `at`. */
function hexWord(hex: string, at: number): number {
  let word = 0
  for (let i = 0; i < 4; i++) {
    word |= Number.parseInt(hex.slice(at + 2 * i, at + 2 * i + 2), 16) << (8 * i)
  }
  return word
}
