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
  let held = 0
  let bits = 0
  let bad = 0
  let at = 0
  for (let i = start; i < end; i++) {
    const digit = DIGITS[bytes[i]!]!
    bad |= digit
    held = ((held << 6) | (digit & 63)) & 0x3fff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[at++] = held >> bits
    }
  }
  bad |= (held & ((1 << bits) - 1)) === 0 ? 0 : NO_DIGIT
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
