/**
 * The name of a user as the slot hash sees it: one spelling for everything that registrars take for the same user
 * (RFC 3261 §19.1.4 with §10.3 as practised: user parts compare without case; RFC 3966 §4 for telephone numbers).
 *
 *     Alice  %61lice  alice;day=tuesday  alice:secret     → alice
 *     +49%20(30)123-456  tel:+49-30-123456                → +4930123456
 *
 * Not here: the hash (packages/mapping). Two users may share a key, which is harmless; one user must not have two.
 */
import { DASH, DOT, hexDigit, lower, NINE, PERCENT, PLUS, SPACE, ZERO } from './ascii.ts'

/** Bytes of a key; a longer name counts by its beginning. */
export const KEY_LENGTH_MAX = 255

/**
 * Writes the key of the user part [start, end), as in UriView, to `out` at `outAt`, where KEY_LENGTH_MAX bytes must be
 * free. Returns its length; 0 without a user (start -1 or an empty range).
 */
export function userKey(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  outAt: number,
): number {
  if (start < 0) return 0
  const telephone = isTelephone(bytes, start, end)
  const limit = outAt + KEY_LENGTH_MAX
  let at = outAt
  for (let i = start; i < end && at < limit; i++) {
    let byte = bytes[i]!
    if (byte === PERCENT && isEscape(bytes, i, end)) {
      byte = unescape(bytes, i)
      i += 2
    }
    if (telephone && isSeparator(byte)) continue
    out[at++] = lower(byte)
  }
  return at - outAt
}

/** An optional '+', then digits, '*', '#' and visual separators, with at least one that is no separator. */
function isTelephone(bytes: Uint8Array, start: number, end: number): boolean {
  let digits = 0
  for (let i = start; i < end; i++) {
    let byte = bytes[i]!
    if (byte === PERCENT && isEscape(bytes, i, end)) {
      byte = unescape(bytes, i)
      i += 2
    }
    if ((byte >= ZERO && byte <= NINE) || byte === STAR || byte === HASH) digits++
    else if (byte === PLUS) {
      if (digits > 0) return false
    } else if (!isSeparator(byte)) return false
  }
  return digits > 0
}

/** visual-separator (RFC 3966 §3), and the space that people put there, always escaped. */
function isSeparator(byte: number): boolean {
  return (
    byte === DASH || byte === DOT || byte === OPEN_PAREN || byte === CLOSE_PAREN || byte === SPACE
  )
}

/** Whether a '%' is followed by two hexadecimal digits; otherwise it stands for itself. */
function isEscape(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 2 < end && hexDigit(bytes[at + 1]!) >= 0 && hexDigit(bytes[at + 2]!) >= 0
}

function unescape(bytes: Uint8Array, at: number): number {
  return hexDigit(bytes[at + 1]!) * 16 + hexDigit(bytes[at + 2]!)
}

const HASH = 35
const OPEN_PAREN = 40
const CLOSE_PAREN = 41
const STAR = 42
