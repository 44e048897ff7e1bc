/**
 * Bytes of the wire: the ASCII characters that the scanner names, the character classes of RFC 3261 §25.1 as one
 * lookup table, and comparisons that ignore case. Not a tokenizer: each header's file walks its own bytes.
 * Invariant: every function stays inside [start, end).
 */

export const TAB = 9
export const LF = 10
export const CR = 13
export const SPACE = 32
export const QUOTE = 34
export const PERCENT = 37
export const PLUS = 43
export const COMMA = 44
export const DASH = 45
export const DOT = 46
export const SLASH = 47
export const ZERO = 48
export const NINE = 57
export const COLON = 58
export const SEMICOLON = 59
export const LESS = 60
export const EQUAL = 61
export const GREATER = 62
export const QUESTION = 63
export const AT_SIGN = 64
export const OPEN_BRACKET = 91
export const BACKSLASH = 92
export const CLOSE_BRACKET = 93

/** token (RFC 3261 §25.1): header names, methods, parameter names, transports. */
export const TOKEN = 1
/** Letters, digits, '-', '.', and '_', which is no host name but is seen in container networks. */
export const HOST = 2
/** What may stand inside the brackets of an IPv6 reference. */
export const IPV6 = 4
/**
 * What may stand in a URI: everything but controls, spaces, quotes and angle brackets. Wider than the grammar, which
 * wants bytes above ASCII escaped: phones with unescaped names exist, and a proxy's answer is better than ours.
 */
export const URI = 8
/** Linear white space, line ends included: inside a header value they can only be part of a fold. */
export const LWS = 16
/** Letters. */
export const ALPHA = 32
/** An unquoted parameter value: token, host, IPv6 reference, and whatever else ends no value. */
export const VALUE = 64

/** Class bits per byte. */
export const CLASS: Uint8Array = classes()

/** The lower-case twin of an ASCII letter; every other byte unchanged. */
export function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte | 32 : byte
}

/** Whether [start, end) spells `name`, which must be in lower case. */
export function sameIgnoringCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  name: Uint8Array,
): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) {
    if (lower(bytes[start + i]!) !== name[i]) return false
  }
  return true
}

/** First offset at or after `at` that is not white space, or `end`. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && (CLASS[bytes[at]!]! & LWS) !== 0) at++
  return at
}

/** `end` moved back over white space, not below `start`. */
export function trimSpace(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && (CLASS[bytes[end - 1]!]! & LWS) !== 0) end--
  return end
}

/** Offset after the quoted string that opens at `at`, or -1 if it never closes (RFC 3261 §25.1, quoted-pair). */
export function skipQuoted(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) return i + 1
    if (byte === BACKSLASH) i++
  }
  return -1
}

/** The value of [start, end), all digits, at most `max`; -1 if it is empty, larger, or anything else. */
export function decimal(bytes: Uint8Array, start: number, end: number, max: number): number {
  if (start >= end) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
    if (value > max) return -1
  }
  return value
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte - ZERO
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** The bytes of an ASCII text, for constants. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

function classes(): Uint8Array {
  const table = new Uint8Array(256)
  const mark = (text: string, bit: number) => {
    for (let i = 0; i < text.length; i++) table[text.charCodeAt(i)]! |= bit
  }
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
  const digits = '0123456789'
  mark(letters + digits + "-.!%*_+`'~", TOKEN)
  mark(letters + digits + '-._', HOST)
  mark(digits + 'abcdefABCDEF:.', IPV6)
  for (let byte = 33; byte < 256; byte++) {
    if (byte === 127) continue
    const char = String.fromCharCode(byte)
    if (!'"<>'.includes(char)) mark(char, URI)
    if (!'"<>,;'.includes(char)) mark(char, VALUE)
  }
  mark(' \t\r\n', LWS)
  mark(letters, ALPHA)
  return table
}
