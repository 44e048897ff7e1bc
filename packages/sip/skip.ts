/**
 * Steps over runs of bytes: where white space, text, a name, a quoted string end. Not here: what comes after.
 * Invariant: no function reads outside [start, end) or returns an offset beyond `end`.
 *
 * Over long runs four bytes are looked at together: in `(x - 0x20…) & ~x` the top bit of a byte is set if the byte is
 * below 0x20, and by the borrow perhaps in bytes above such a one, never below; so the lowest set bit is a true hit.
 * A loop per byte would take twice as long.
 */
import * as ascii from './ascii.ts'

const { BACKSLASH, COLON, QUOTE, SPACE } = ascii

/**
 * First offset at or after `start` that is not white space, or `end`. Inside a header value a control character is a
 * fold, a TAB, or a defect that the line's walk has noted, so "not above space" is all there is to test.
 */
export function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at]! <= SPACE) at++
  return at
}

/** Offset after the quoted string that opens at `start`, or -1 if it never closes (RFC 3261 §25.1, quoted-pair). */
export function skipQuoted(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start + 1; i < end; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) return i + 1
    if (byte === BACKSLASH) i++
  }
  return -1
}

/** First offset at or after `start` whose byte is a control character, or `end`. */
export function skipText(view: DataView, start: number, end: number): number {
  let at = start | 0
  const last = (end - 4) | 0
  while (at <= last) {
    const word = view.getInt32(at, true)
    const hits = (word - 0x20202020) & ~word & 0x80808080
    if (hits !== 0) return (at + lowestByte(hits)) | 0
    at = (at + 4) | 0
  }
  while (at < end && view.getUint8(at) >= SPACE) at++
  return at
}

/** First offset at or after `start` whose byte is a space or a control character, or `end`. */
export function skipVisible(view: DataView, start: number, end: number): number {
  let at = start | 0
  const last = (end - 4) | 0
  while (at <= last) {
    const word = view.getInt32(at, true)
    const hits = (word - 0x21212121) & ~word & 0x80808080
    if (hits !== 0) return (at + lowestByte(hits)) | 0
    at = (at + 4) | 0
  }
  while (at < end && view.getUint8(at) > SPACE) at++
  return at
}

/** First offset at or after `start` whose byte is a colon, a space or a control character, or `end`. */
export function skipName(view: DataView, start: number, end: number): number {
  let at = start | 0
  const last = (end - 4) | 0
  while (at <= last) {
    const word = view.getInt32(at, true)
    const colons = word ^ 0x3a3a3a3a
    const hits = (((word - 0x21212121) & ~word) | ((colons - 0x01010101) & ~colons)) & 0x80808080
    if (hits !== 0) return (at + lowestByte(hits)) | 0
    at = (at + 4) | 0
  }
  while (at < end && view.getUint8(at) > SPACE && view.getUint8(at) !== COLON) at++
  return at
}

/** Index of the lowest byte of which a bit is set. */
function lowestByte(bits: number): number {
  return (31 - Math.clz32(bits & (~bits + 1))) >> 3
}
