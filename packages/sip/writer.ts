/**
 * Appends bytes to a bounded range of an array: what edits, tokens and replies are written with. Not a stream:
 * nothing grows. Invariant: never writes at or beyond `limit`; what would not fit sets `overflow` instead, once
 * and for all, so callers check at the end only.
 */
import { isIPv4, writeAddress } from './address.ts'
import { CLOSE_BRACKET, COLON, OPEN_BRACKET, ZERO } from './ascii.ts'

/** Ranges up to this many bytes are copied in a loop: a call into the engine costs more. */
const LOOP_BYTES_MAX = 32

const BASE64URL = base64urlDigits()

export class Writer {
  bytes: Uint8Array
  at: number
  limit: number
  overflow = false
  readonly #digits = new Uint8Array(40)

  constructor(bytes: Uint8Array, at = 0, limit = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.limit = limit
  }

  /** Starts again on [at, limit) of `bytes`. */
  open(bytes: Uint8Array, at: number, limit: number): void {
    this.bytes = bytes
    this.at = at
    this.limit = limit
    this.overflow = false
  }

  byte(byte: number): void {
    if (!this.#room(1)) return
    this.bytes[this.at++] = byte
  }

  /** All of `text`. */
  ascii(text: Uint8Array): void {
    this.slice(text, 0, text.length)
  }

  /** [start, end) of `source`, which must not overlap what is being written. */
  slice(source: Uint8Array, start: number, end: number): void {
    if (!this.#room(end - start)) return
    if (source === this.bytes && end - start > LOOP_BYTES_MAX) {
      this.bytes.copyWithin(this.at, start, end)
      this.at += end - start
      return
    }
    for (let i = start; i < end; i++) this.bytes[this.at++] = source[i]!
  }

  /** A non-negative integer in decimal. */
  number(value: number): void {
    let count = 0
    do {
      this.#digits[count++] = ZERO + (value % 10)
      value = Math.floor(value / 10)
    } while (value > 0)
    if (!this.#room(count)) return
    while (count > 0) this.bytes[this.at++] = this.#digits[--count]!
  }

  /** An address as a SIP host: an IPv6 reference gets its brackets. */
  host(words: Int32Array, at: number): void {
    const length = writeAddress(words, at, this.#digits, 0)
    if (isIPv4(words, at)) return this.slice(this.#digits, 0, length)
    this.byte(OPEN_BRACKET)
    this.slice(this.#digits, 0, length)
    this.byte(CLOSE_BRACKET)
  }

  /** `host:port`. */
  endpoint(words: Int32Array, at: number): void {
    this.host(words, at)
    this.byte(COLON)
    this.number(words[at + 4]!)
  }

  /** [start, end) of `source` in base64url without padding (RFC 4648 §5). */
  base64url(source: Uint8Array, start: number, end: number): void {
    if (!this.#room(Math.ceil(((end - start) * 4) / 3))) return
    let bits = 0
    let held = 0
    for (let i = start; i < end; i++) {
      held = ((held << 8) | source[i]!) & 0x3fff
      bits += 8
      while (bits >= 6) {
        bits -= 6
        this.bytes[this.at++] = BASE64URL[(held >> bits) & 63]!
      }
    }
    if (bits > 0) this.bytes[this.at++] = BASE64URL[(held << (6 - bits)) & 63]!
  }

  #room(length: number): boolean {
    if (this.overflow || this.at + length > this.limit) this.overflow = true
    return !this.overflow
  }
}

function base64urlDigits(): Uint8Array {
  const text = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return Uint8Array.from(text, (digit) => digit.charCodeAt(0))
}
