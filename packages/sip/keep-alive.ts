/**
 * Datagrams that are no SIP messages but belong on a SIP port: line ends and NULs that hold NAT bindings open, and
 * STUN (RFC 5626 §3.5). Not here: the answers (stun.ts, dataplane).
 */
import { CR, LF, SPACE, TAB } from './ascii.ts'
import { Scan } from './message.ts'

const STUN_HEADER_BYTES = 20
const STUN_COOKIE = [0x21, 0x12, 0xa4, 0x42] as const

/** What [start, end), which does not begin like a start line, is: a keep-alive, STUN, or `Scan.malformed`. */
export function classifyOther(bytes: Uint8Array, start: number, end: number): Scan {
  if (isStun(bytes, start, end)) return Scan.stun
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte !== CR && byte !== LF && byte !== 0 && byte !== SPACE && byte !== TAB) {
      return end - start < 20 ? Scan.tooShort : Scan.malformed
    }
  }
  return isDoubleCrlf(bytes, start, end) ? Scan.keepAliveCrlf : Scan.keepAliveSilent
}

function isDoubleCrlf(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start === 4 &&
    bytes[start] === CR &&
    bytes[start + 1] === LF &&
    bytes[start + 2] === CR &&
    bytes[start + 3] === LF
  )
}

/** Two zero bits, the magic cookie, and a length that is the datagram's (RFC 5389 §6). */
function isStun(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < STUN_HEADER_BYTES || bytes[start]! > 63) return false
  for (let i = 0; i < STUN_COOKIE.length; i++) {
    if (bytes[start + 4 + i] !== STUN_COOKIE[i]) return false
  }
  const length = bytes[start + 2]! * 256 + bytes[start + 3]!
  return (length & 3) === 0 && length === end - start - STUN_HEADER_BYTES
}
