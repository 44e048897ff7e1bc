/**
 * Appends bytes to a bounded range of an array: what edits, tokens and replies are written with. Not a stream:
 * nothing grows. Invariant: never writes at or beyond `limit`; what would not fit sets `overflow` instead, once
 * and for all, so callers check at the end only.
 *
 * Sources are DataViews: they are read eight bytes at once.
 */
import { isIPv4, writeAddress } from './address.ts'
import { CLOSE_BRACKET, COLON, OPEN_BRACKET, type Text, ZERO } from './ascii.ts'
import { copyBytes } from './copy.ts'

const BASE64URL = base64urlDigits()
/** Of an IPv6 address. */
const ADDRESS_TEXT_MAX = 39

export class Writer {
  bytes: Uint8Array
  /** The same bytes; made anew only when `bytes` is another array. */
  view: DataView
  at: number
  limit: number
  overflow = false
  readonly #address = new Uint8Array(ADDRESS_TEXT_MAX)
  readonly #addressView = new DataView(this.#address.buffer)

  constructor(bytes: Uint8Array, at = 0, limit = bytes.length) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
    this.limit = limit
  }

  /** Starts again on [at, limit) of `bytes`. */
  open(bytes: Uint8Array, at: number, limit: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.at = at
    this.limit = limit
    this.overflow = false
  }

  byte(byte: number): void {
    if (this.#room(1)) this.view.setUint8(this.at++, byte)
  }

  /** All of `text`. */
  text({ view, length }: Text): void {
    this.slice(view, 0, length)
  }

  /** [start, end) of `source`, which must not overlap what is being written. */
  slice(source: DataView, start: number, end: number): void {
    if (end <= start || !this.#room(end - start)) return
    copyBytes(source, start, end, this.view, this.at)
    this.at += end - start
  }

  /** A non-negative integer in decimal. */
  number(value: number): void {
    let length = 1
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) length++
    if (!this.#room(length)) return
    for (let at = this.at + length - 1; at >= this.at; at--) {
      this.view.setUint8(at, ZERO + (value % 10))
      value = Math.floor(value / 10)
    }
    this.at += length
  }

  /** An IPv6 address without brackets, or an IPv4 one. */
  address(words: Int32Array, at: number): void {
    this.slice(this.#addressView, 0, writeAddress(words, at, this.#address, 0))
  }

  /** An address as a SIP host: an IPv6 reference gets its brackets. */
  host(words: Int32Array, at: number): void {
    if (isIPv4(words, at)) return this.address(words, at)
    this.byte(OPEN_BRACKET)
    this.address(words, at)
    this.byte(CLOSE_BRACKET)
  }

  /** `host:port`. */
  endpoint(words: Int32Array, at: number): void {
    this.host(words, at)
    this.byte(COLON)
    this.number(words[at + 4]!)
  }

  /** [start, end) of `source` in base64url without padding (RFC 4648 §5). */
  base64url(source: DataView, start: number, end: number): void {
    const length = Math.ceil(((end - start) * 4) / 3)
    if (!this.#room(length)) return
    const { view, at } = this
    const wholeEnd = end - ((end - start) % 3)
    let to = at
    for (let i = start; i < wholeEnd; i += 3) {
      const held = (source.getUint16(i) << 8) | source.getUint8(i + 2)
      const first = BASE64URL[held >> 18]! | (BASE64URL[(held >> 12) & 63]! << 8)
      const last = BASE64URL[(held >> 6) & 63]! | (BASE64URL[held & 63]! << 8)
      view.setInt32(to, first | (last << 16), true)
      to += 4
    }
    if (wholeEnd < end) {
      const isPair = end - wholeEnd === 2
      const held = (source.getUint8(wholeEnd) << 10) | (isPair ? source.getUint8(end - 1) << 2 : 0)
      view.setUint8(to, BASE64URL[held >> 12]!)
      view.setUint8(to + 1, BASE64URL[(held >> 6) & 63]!)
      if (isPair) view.setUint8(to + 2, BASE64URL[held & 63]!)
    }
    this.at = at + length
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
