/**
 * Bytes of the wire: the ASCII characters that the scanner names, the character classes of RFC 3261 §25.1 as one
 * lookup table, comparisons that ignore case, numbers. Not a tokenizer: each header's file walks its own bytes.
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
 * What may stand in a URI except '@': everything but controls, spaces, quotes and angle brackets. The grammar wants
 * more escaped, but phones with unescaped names exist, and a proxy's answer to them is better than ours.
 */
export const URI = 8
/** The same without ':' and ';', which end a user. */
export const USER = 16
/** An unquoted parameter value: token, host, IPv6 reference, and whatever else ends no value. */
export const VALUE = 32
/** What may stand between the start of an address and its '<' or its end: no '<', ';', ',' or quote. */
export const DISPLAY = 64
/** Letters. */
export const ALPHA = 128

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
  for (let i = start; i < end; i++) {
    if (lower(bytes[i]!) !== name[i - start]) return false
  }
  return true
}

/** The first four letters of `text` as `lowerWord` reads them. */
export function wordOf(text: string): number {
  return lowerWord(new DataView(ascii(text).buffer), 0)
}

/** Four bytes at once, letters in lower case. Tells tokens apart: of their bytes only letters differ by 0x20. */
export function lowerWord(view: DataView, at: number): number {
  return view.getInt32(at, true) | 0x20202020
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

/** The bytes of an ASCII text, for constants to compare with. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** A text to be written: a DataView tells its length by a call. */
export interface Text {
  readonly view: DataView
  readonly length: number
}

/** The bytes of an ASCII text, for constants to write. */
export function asText(content: string): Text {
  return { view: new DataView(ascii(content).buffer), length: content.length }
}

function classes(): Uint8Array {
  const table = new Uint8Array(256)
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCharCode(byte)
    const letter = /[A-Za-z]/.test(char)
    const alphanumeric = letter || /[0-9]/.test(char)
    const visible = byte > SPACE && byte !== 127
    let bits = 0
    if (letter) bits |= ALPHA
    if (alphanumeric || "-.!%*_+`'~".includes(char)) bits |= TOKEN
    if (alphanumeric || '-._'.includes(char)) bits |= HOST
    if (hexDigit(byte) >= 0 || ':.'.includes(char)) bits |= IPV6
    if (visible && !'"<>@'.includes(char)) bits |= URI
    if (visible && !'"<>@:;'.includes(char)) bits |= USER
    if (visible && !'"<>,;'.includes(char)) bits |= VALUE
    if (!'"<;,'.includes(char)) bits |= DISPLAY
    table[byte] = bits
  }
  return table
}
