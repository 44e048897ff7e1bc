/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) over byte ranges: the MAC under our tokens and the hash in our branches.
 *
 * Not a hash of messages or keys of any other kind, and not the slot hash (`@sipcast/mapping`, HalfSipHash).
 *
 * Each 64-bit word is a pair of int32 lanes, low lane first, because BigInt allocates. Splitting the input into ranges
 * changes nothing: `update(ab)` equals `update(a)`, `update(b)`. Callers that must not confuse the two put lengths in.
 * One instance serves any number of hashes one after another; nothing here allocates or throws.
 *
 * ```
 * state  v0.lo v0.hi  v1.lo v1.hi  v2.lo v2.hi  v3.lo v3.hi        int32 each
 * key    k0.lo k0.hi  k1.lo k1.hi                                  the 16 bytes as four little-endian words
 * ```
 */
import { copyBytes } from './copy.ts'

export class SipHash {
  /** The 64-bit result, little-endian halves, valid after `finish`. */
  lo = 0
  hi = 0
  readonly #state = new Int32Array(8)
  /** What is not absorbed yet: short ranges are gathered, since absorbing each alone would cost more than the copy. */
  readonly #pending = new DataView(new ArrayBuffer(PENDING_BYTES + BLOCK_BYTES))
  #pendingEnd = 0
  #length = 0

  /** Begins a hash under the key in the four words from `key[at]`. */
  init(key: Int32Array, at: number): void {
    const state = this.#state
    const k0lo = key[at]!
    const k0hi = key[at + 1]!
    const k1lo = key[at + 2]!
    const k1hi = key[at + 3]!
    state[0] = k0lo ^ 0x70736575
    state[1] = k0hi ^ 0x736f6d65
    state[2] = k1lo ^ 0x6e646f6d
    state[3] = k1hi ^ 0x646f7261
    state[4] = k0lo ^ 0x6e657261
    state[5] = k0hi ^ 0x6c796765
    state[6] = k1lo ^ 0x79746573
    state[7] = k1hi ^ 0x74656462
    this.#pendingEnd = 0
    this.#length = 0
  }

  /** Absorbs [start, end) of `bytes`. */
  update(bytes: DataView, start: number, end: number): void {
    let at = start
    while (this.#pendingEnd + end - at > PENDING_BYTES) {
      const part = at + PENDING_BYTES - this.#pendingEnd
      copyBytes(bytes, at, part, this.#pending, this.#pendingEnd)
      compress(this.#state, this.#pending, PENDING_BYTES)
      this.#length += PENDING_BYTES
      this.#pendingEnd = 0
      at = part
    }
    copyBytes(bytes, at, end, this.#pending, this.#pendingEnd)
    this.#pendingEnd += end - at
  }

  /** Ends the hash; the result is in `lo` and `hi`. */
  finish(): void {
    const state = this.#state
    const pending = this.#pending
    const length = this.#length + this.#pendingEnd
    const lastByte = this.#pendingEnd | (BLOCK_BYTES - 1)
    for (let at = this.#pendingEnd; at < lastByte; at++) pending.setUint8(at, 0)
    pending.setUint8(lastByte, length)
    compress(state, pending, lastByte + 1)
    state[4] = state[4]! ^ 0xff
    compress(state, ZEROS, ZEROS_BYTES)
    this.lo = state[0]! ^ state[2]! ^ state[4]! ^ state[6]!
    this.hi = state[1]! ^ state[3]! ^ state[5]! ^ state[7]!
  }
}

const BLOCK_BYTES = 8
/** Whole blocks; more than most inputs have. */
const PENDING_BYTES = 256
const ROUNDS = 2
const FINAL_ROUNDS = 4

/** An all-zero block changes nothing but runs its ROUNDS, so FINAL_ROUNDS are FINAL_ROUNDS / ROUNDS such blocks. */
const ZEROS_BYTES = (FINAL_ROUNDS / ROUNDS) * BLOCK_BYTES
const ZEROS = new DataView(new ArrayBuffer(ZEROS_BYTES))

/**
 * Absorbs the 8-byte blocks of [0, end). A DataView reads four bytes with one check of its bounds.
 *
 * A sum below its summand has carried. `? 1 : 0` would say so by a branch that goes either way, which made the hash of
 * changing input cost three times as much.
 */
function compress(state: Int32Array, bytes: DataView, end: number): void {
  let v0lo = state[0]!
  let v0hi = state[1]!
  let v1lo = state[2]!
  let v1hi = state[3]!
  let v2lo = state[4]!
  let v2hi = state[5]!
  let v3lo = state[6]!
  let v3hi = state[7]!
  for (let at = 0; at < end; at += BLOCK_BYTES) {
    const mlo = bytes.getInt32(at, true)
    const mhi = bytes.getInt32(at + 4, true)
    v3lo ^= mlo
    v3hi ^= mhi
    for (let round = 0; round < ROUNDS; round++) {
      let lo = (v0lo + v1lo) | 0 // v0 += v1, v2 += v3
      let hi = 0
      v0hi = (v0hi + v1hi + Number(lo >>> 0 < v0lo >>> 0)) | 0
      v0lo = lo
      lo = (v2lo + v3lo) | 0
      v2hi = (v2hi + v3hi + Number(lo >>> 0 < v2lo >>> 0)) | 0
      v2lo = lo
      lo = (v1lo << 13) | (v1hi >>> 19) // v1 = rotl(v1, 13) ^ v0, v3 = rotl(v3, 16) ^ v2
      hi = (v1hi << 13) | (v1lo >>> 19)
      v1lo = lo ^ v0lo
      v1hi = hi ^ v0hi
      lo = (v3lo << 16) | (v3hi >>> 16)
      hi = (v3hi << 16) | (v3lo >>> 16)
      v3lo = lo ^ v2lo
      v3hi = hi ^ v2hi
      lo = v0lo // v0 = rotl(v0, 32)
      v0lo = v0hi
      v0hi = lo
      lo = (v2lo + v1lo) | 0 // v2 += v1, v0 += v3
      v2hi = (v2hi + v1hi + Number(lo >>> 0 < v2lo >>> 0)) | 0
      v2lo = lo
      lo = (v0lo + v3lo) | 0
      v0hi = (v0hi + v3hi + Number(lo >>> 0 < v0lo >>> 0)) | 0
      v0lo = lo
      lo = (v1lo << 17) | (v1hi >>> 15) // v1 = rotl(v1, 17) ^ v2, v3 = rotl(v3, 21) ^ v0
      hi = (v1hi << 17) | (v1lo >>> 15)
      v1lo = lo ^ v2lo
      v1hi = hi ^ v2hi
      lo = (v3lo << 21) | (v3hi >>> 11)
      hi = (v3hi << 21) | (v3lo >>> 11)
      v3lo = lo ^ v0lo
      v3hi = hi ^ v0hi
      lo = v2lo // v2 = rotl(v2, 32)
      v2lo = v2hi
      v2hi = lo
    }
    v0lo ^= mlo
    v0hi ^= mhi
  }
  state[0] = v0lo
  state[1] = v0hi
  state[2] = v1lo
  state[3] = v1hi
  state[4] = v2lo
  state[5] = v2hi
  state[6] = v3lo
  state[7] = v3hi
}
