/**
 * The answer to a STUN binding request: the phone's address as we see it, which is how phones keep NAT bindings alive
 * and notice that one changed (RFC 5626 §3.5.2, §4.4.2). Not a STUN server beyond that: no authentication, no
 * FINGERPRINT (RFC 5626 §8 asks for neither), no RFC 3489 clients.
 *
 * ```
 * 0        2        4            8                 20
 * +--------+--------+------------+-----------------+------------------------------------------------+
 * | type   | length | 2112a442   | transaction id  | attributes: type (2), length (2), value, pad   |
 * +--------+--------+------------+-----------------+------------------------------------------------+
 *   0001 request                                    0020 XOR-MAPPED-ADDRESS: 0, family, port, address
 *   0101 response, 0111 error                       0009 ERROR-CODE, 000a UNKNOWN-ATTRIBUTES
 * ```
 *
 * Invariant: an answer has at most STUN_RESPONSE_BYTES_MAX bytes; nothing allocates or throws.
 */
import { isIPv4 } from './address.ts'
import type { Message } from './message.ts'

/** Header, attribute header, family, port and an IPv6 address. */
export const STUN_RESPONSE_BYTES_MAX = 44

/**
 * Writes the answer to the binding request that `message` spans (its scan said `stun`) to `out` from `outAt`, which
 * must have room for STUN_RESPONSE_BYTES_MAX: the source in the five words from `source[sourceAt]`, or error 420 if the
 * request demands that we understand what we don't (RFC 5389 §7.3.1). Returns the length, or -1 for what is not a
 * well-formed binding request: indications and responses are never answered.
 */
export function writeStunResponse(
  message: Message,
  out: Uint8Array,
  outAt: number,
  source: Int32Array,
  sourceAt: number,
): number {
  const { bytes, start, end } = message
  if (end - start < HEADER_BYTES || word16(bytes, start) !== BINDING_REQUEST) return -1
  if (word32(bytes, start + 4) !== MAGIC_COOKIE) return -1
  if (word16(bytes, start + 2) !== end - start - HEADER_BYTES) return -1
  const unknownCount = findUnknown(bytes, start + HEADER_BYTES, end)
  if (unknownCount < 0) return -1
  for (let i = 4; i < HEADER_BYTES; i++) out[outAt + i] = bytes[start + i]!
  const outEnd =
    unknownCount === 0
      ? putMappedAddress(out, outAt, source, sourceAt)
      : putUnknownAttributes(out, outAt, unknownCount)
  put16(out, outAt, unknownCount === 0 ? BINDING_RESPONSE : BINDING_ERROR)
  put16(out, outAt + 2, outEnd - outAt - HEADER_BYTES)
  return outEnd - outAt
}

const HEADER_BYTES = 20
const MAGIC_COOKIE = 0x2112a442

const BINDING_REQUEST = 0x0001
const BINDING_RESPONSE = 0x0101
const BINDING_ERROR = 0x0111

const ERROR_CODE = 0x0009
const UNKNOWN_ATTRIBUTES = 0x000a
const XOR_MAPPED_ADDRESS = 0x0020

/** From here on attributes may be ignored (RFC 5389 §15). */
const OPTIONAL_FROM = 0x8000

/** Unknown attributes that an error response names; it stays within STUN_RESPONSE_BYTES_MAX. */
const UNKNOWN_MAX = 4
const unknown = new Uint16Array(UNKNOWN_MAX)

/** USERNAME, MESSAGE-INTEGRITY, REALM, NONCE: known, and without meaning where no authentication is asked for. */
const UNDERSTOOD: readonly number[] = [0x0006, 0x0008, 0x0014, 0x0015]

/** Collects attributes of [at, end) that we must but don't understand; returns how many, -1 if they don't fill it. */
function findUnknown(bytes: Uint8Array, at: number, end: number): number {
  let count = 0
  while (at + 4 <= end) {
    const type = word16(bytes, at)
    if (type < OPTIONAL_FROM && !UNDERSTOOD.includes(type) && count < UNKNOWN_MAX) {
      unknown[count++] = type
    }
    at += 4 + ((word16(bytes, at + 2) + 3) & ~3)
  }
  return at === end ? count : -1
}

/** RFC 5389 §15.2: XORed with cookie and transaction id, which the answer's header already holds. */
function putMappedAddress(
  out: Uint8Array,
  outAt: number,
  source: Int32Array,
  sourceAt: number,
): number {
  const at = outAt + HEADER_BYTES
  const ipv4 = isIPv4(source, sourceAt)
  put16(out, at, XOR_MAPPED_ADDRESS)
  put16(out, at + 2, ipv4 ? 8 : 20)
  put16(out, at + 4, ipv4 ? 1 : 2)
  put16(out, at + 6, source[sourceAt + 4]! ^ word16(out, outAt + 4))
  if (ipv4) return put32(out, at + 8, source[sourceAt + 3]! ^ MAGIC_COOKIE)
  for (let i = 0; i < 16; i += 4) {
    put32(out, at + 8 + i, source[sourceAt + i / 4]! ^ word32(out, outAt + 4 + i))
  }
  return at + 24
}

/** RFC 5389 §15.6 and §15.9: error 420 without a reason phrase, then the attributes. */
function putUnknownAttributes(out: Uint8Array, outAt: number, count: number): number {
  let at = put16(out, outAt + HEADER_BYTES, ERROR_CODE)
  at = put16(out, at, 4)
  at = put32(out, at, 0x00000414)
  at = put16(out, at, UNKNOWN_ATTRIBUTES)
  at = put16(out, at, 2 * count)
  for (let i = 0; i < count; i++) at = put16(out, at, unknown[i]!)
  return count % 2 === 0 ? at : put16(out, at, 0)
}

function word16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function word32(bytes: Uint8Array, at: number): number {
  return (word16(bytes, at) << 16) | word16(bytes, at + 2)
}

function put16(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 8
  out[at + 1] = value
  return at + 2
}

function put32(out: Uint8Array, at: number, value: number): number {
  return put16(out, put16(out, at, value >>> 16), value)
}
