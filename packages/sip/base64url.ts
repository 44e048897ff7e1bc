/**
 * Base64url without padding (RFC 4648 §5), read strictly: what decodes has exactly one spelling, so a token can't be
 * respelled without breaking it. Not here: writing (`Writer.base64url`). Nothing allocates or throws.
 *
 * Refused: any byte that is no digit ('=', '+', '/', white space), a lone last digit, and last digits whose spare
 * bits, the x below, are not zero (RFC 4648 §3.5):
 *
 * ```
 * 2 digits  aaaaaaaa xxxx             3 digits  aaaaaaaa bbbbbbbb xx             4 digits  three whole bytes
 * ```
 */

/**
 * Decodes `bytes[start, end)` into `out` from 0. Returns how many bytes that gave, or -1 where the text is refused or
 * too long for `out`, whose content is then of no meaning.
 */
export function decodeBase64url(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
): number {
  const digits = end - start
  const length = (digits * 3) >> 2
  if (digits < 0 || (digits & 3) === 1 || length > out.length) return -1
  let bad = 0
  let at = 0
  let i = start
  for (; i + 4 <= end; i += 4) {
    const a = DIGITS[bytes[i]!]!
    const b = DIGITS[bytes[i + 1]!]!
    const c = DIGITS[bytes[i + 2]!]!
    const d = DIGITS[bytes[i + 3]!]!
    out[at] = (a << 2) | (b >> 4)
    out[at + 1] = (b << 4) | (c >> 2)
    out[at + 2] = (c << 6) | d
    bad |= a | b | c | d
    at += 3
  }
  if (i < end) {
    const a = DIGITS[bytes[i]!]!
    const b = DIGITS[bytes[i + 1]!]!
    const c = i + 2 < end ? DIGITS[bytes[i + 2]!]! : 0
    const spare = i + 2 < end ? c & 3 : b & 15
    out[at] = (a << 2) | (b >> 4)
    if (i + 2 < end) out[at + 1] = (b << 4) | (c >> 2)
    bad |= a | b | c | (spare === 0 ? 0 : NO_DIGIT)
  }
  return bad < NO_DIGIT ? length : -1
}

/** Above every value of a digit, as a bit of its own. */
const NO_DIGIT = 64

/** Value of each byte as a digit, or NO_DIGIT. */
const DIGITS = digitValues('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')

function digitValues(alphabet: string): Uint8Array {
  const values = new Uint8Array(256).fill(NO_DIGIT)
  for (let value = 0; value < 64; value++) values[alphabet.charCodeAt(value)] = value
  return values
}
