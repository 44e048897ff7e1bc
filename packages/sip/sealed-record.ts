/**
 * The binary record that tokens (token.ts) and Via flows (via-flow.ts) have in common: what it is, under which key,
 * an endpoint of theirs and one of ours, and a MAC. No general serializer, and nothing is encrypted: whoever sees a
 * record can read it, only we can write it.
 *
 * ```
 *  0      1     2                          4 or 16, 2                  0 or 4   8
 * +------+-----+--------------------------+--------------------------+--------+-------------------+
 * | head | key | theirs: address, port    | ours: address, port      | member | MAC               |
 * +------+-----+--------------------------+--------------------------+--------+-------------------+
 *    |   numbers are big-endian, the MAC is SipHash's own little-endian bytes
 *    |  7      4   3   2       1             0
 *    +-[  kind  |  0   0  |  theirs: IPv6  |  ours: IPv6 ]
 *
 * MAC = SipHash-2-4( everything before it, then of each bound text: length (4 bytes, little-endian), text )
 * ```
 *
 * Invariants, so that what was sealed for one purpose never passes for another:
 * - the kind stands under the MAC in the first byte and alone decides which texts are bound, in which order;
 * - kind and family bits fix the record's length and a length precedes each bound text, so nothing can slide from
 *   one field into the next;
 * - the key's id is under the MAC;
 * - one record has one spelling (base64url.ts).
 */
import { isIPv4 } from './address.ts'
import { decodeBase64url } from './base64url.ts'
import type { KeyRing } from './key-ring.ts'
import { SipHash } from './siphash.ts'

/** The purposes. A number, once given, is never used for another. */
export const SealKind = { path: 1, recordRoute: 2, viaFlow: 3 } as const
export type SealKind = (typeof SealKind)[keyof typeof SealKind]

/** What `Writer` and `Edits` have in common. */
export type Base64urlSink = {
  base64url(source: DataView, start: number, end: number): void
}

/** Scratch for one record at a time: put or decode, then begin, bind, and seal or compare. */
export class SealedRecord {
  readonly #bytes = new Uint8Array(RECORD_BYTES_MAX)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly #length = new DataView(new ArrayBuffer(4))
  readonly #mac = new SipHash()
  /** Where the MAC begins. */
  #macAt = 0

  /** The kind it says it is; to be believed only after `isAuthentic`. */
  get kind(): number {
    return this.#bytes[0]! >> 4
  }

  get keyId(): number {
    return this.#bytes[1]!
  }

  /** Starts a record with everything but the member. */
  put(kind: SealKind, keyId: number, theirs: Int32Array, ours: Int32Array): void {
    const theirsIPv6 = isIPv4(theirs, 0) ? 0 : THEIRS_IPV6
    const oursIPv6 = isIPv4(ours, 0) ? 0 : OURS_IPV6
    this.#bytes[0] = (kind << 4) | theirsIPv6 | oursIPv6
    this.#bytes[1] = keyId
    this.#macAt = putEndpoint(this.#view, putEndpoint(this.#view, HEAD_BYTES, theirs), ours)
  }

  putMember(member: number): void {
    this.#view.setUint32(this.#macAt, member)
    this.#macAt += MEMBER_BYTES
  }

  /** Reads text with `memberBytes` of member; false if it isn't the one spelling of a record of the right length. */
  decode(bytes: Uint8Array, start: number, end: number, memberBytes: number): boolean {
    const length = decodeBase64url(bytes, start, end, this.#bytes)
    if (length < HEAD_BYTES) return false
    const head = this.#bytes[0]!
    const ipv6Count = ((head & THEIRS_IPV6) >> 1) + (head & OURS_IPV6)
    this.#macAt = HEAD_BYTES + 2 * IPV4_BYTES + ipv6Count * (IPV6_BYTES - IPV4_BYTES) + memberBytes
    return length === this.#macAt + MAC_BYTES && (head & RESERVED) === 0
  }

  /** Begins the MAC over the record; false if the ring has no such key. */
  begin(keys: KeyRing): boolean {
    if (!keys.begin(this.#mac, this.keyId)) return false
    this.#mac.update(this.#view, 0, this.#macAt)
    return true
  }

  /** Adds a text to what the MAC covers. An absent one (-1, -1) counts as empty. */
  bind(bytes: DataView, start: number, end: number): void {
    this.#length.setUint32(0, end - start, true)
    this.#mac.update(this.#length, 0, 4)
    this.#mac.update(bytes, start, end)
  }

  /** Ends the MAC and writes the record as text. */
  seal(sink: Base64urlSink): void {
    this.#mac.finish()
    this.#view.setInt32(this.#macAt, this.#mac.lo, true)
    this.#view.setInt32(this.#macAt + 4, this.#mac.hi, true)
    sink.base64url(this.#view, 0, this.#macAt + MAC_BYTES)
  }

  /** Ends the MAC and compares it with the one decoded, in the same time wherever they differ. */
  isAuthentic(): boolean {
    this.#mac.finish()
    const lo = this.#view.getInt32(this.#macAt, true) ^ this.#mac.lo
    const hi = this.#view.getInt32(this.#macAt + 4, true) ^ this.#mac.hi
    return (lo | hi) === 0
  }

  take(theirs: Int32Array, ours: Int32Array): void {
    const head = this.#bytes[0]!
    const at = takeEndpoint(this.#view, HEAD_BYTES, (head & THEIRS_IPV6) === 0, theirs)
    takeEndpoint(this.#view, at, (head & OURS_IPV6) === 0, ours)
  }

  takeMember(): number {
    return this.#view.getUint32(this.#macAt - MEMBER_BYTES)
  }
}

/** Bytes of the member field where there is one. */
export const MEMBER_BYTES = 4

const HEAD_BYTES = 2
const IPV4_BYTES = 4 + 2
const IPV6_BYTES = 16 + 2
const MAC_BYTES = 8
const RECORD_BYTES_MAX = HEAD_BYTES + 2 * IPV6_BYTES + MEMBER_BYTES + MAC_BYTES

const OURS_IPV6 = 1
const THEIRS_IPV6 = 2
const RESERVED = 12

function putEndpoint(record: DataView, at: number, endpoint: Int32Array): number {
  for (let word = isIPv4(endpoint, 0) ? 3 : 0; word < 4; word++, at += 4) {
    record.setInt32(at, endpoint[word]!)
  }
  record.setUint16(at, endpoint[4]!)
  return at + 2
}

function takeEndpoint(record: DataView, at: number, ipv4: boolean, endpoint: Int32Array): number {
  endpoint[0] = ipv4 ? 0 : record.getInt32(at)
  endpoint[1] = ipv4 ? 0 : record.getInt32(at + 4)
  endpoint[2] = ipv4 ? 0xffff : record.getInt32(at + 8)
  const last = ipv4 ? at : at + 12
  endpoint[3] = record.getInt32(last)
  endpoint[4] = record.getUint16(last + 4)
  return last + 6
}
