/**
 * What From, To, Route and Contact have in common: an address with or without display name and angle brackets, then
 * parameters (RFC 3261 §20.10, §25.1).
 *
 *     "Bob, the \"man\"" <sip:bob@example.com;lr>;tag=1 ; x="a;b"
 *                         the address           | and what follows it
 *
 * Invariant: quotes and brackets are respected everywhere, so no ';', ',' or '<' inside them is ever taken for syntax.
 */
import * as ascii from './ascii.ts'
import type { Cursor, UriView } from './message.ts'
import { parseUri, readUri } from './uri.ts'
import { skipQuoted, skipSpace } from './skip.ts'

const { CLASS, COMMA, DISPLAY, EQUAL, GREATER, LESS, QUOTE, SEMICOLON, SPACE, TOKEN, VALUE } = ascii

/**
 * Steps over the address that begins at `at`. Returns the offset of what follows it: a ';', a ',', or `end`; -1 if it
 * is malformed. Without angle brackets a ';' ends the URI: parameters belong to the header (§20.10).
 */
export function skipAddress(bytes: Uint8Array, at: number, end: number): number {
  const open = openBracket(bytes, at, end)
  if (open < 0) {
    const uriEnd = open === NONE ? addrSpecEnd(bytes, at, end) : at
    return uriEnd > at ? delimiter(bytes, uriEnd, end) : -1
  }
  let close = open + 1
  while (close < end && bytes[close] !== GREATER) close++
  return close === end ? -1 : delimiter(bytes, close + 1, end)
}

/** The same, and reads its URI. */
export function readAddress(uri: UriView, bytes: Uint8Array, at: number, end: number): number {
  const open = openBracket(bytes, at, end)
  if (open < 0) {
    if (open === MALFORMED) return -1
    const uriEnd = addrSpecEnd(bytes, at, end)
    return parseUri(uri, bytes, at, uriEnd) ? delimiter(bytes, uriEnd, end) : -1
  }
  const close = readUri(uri, bytes, open + 1, end)
  return close >= 0 && close < end && bytes[close] === GREATER
    ? delimiter(bytes, close + 1, end)
    : -1
}

/** Whether the URI that `readAddress` has just read had angle brackets. */
export function isBracketed(uri: UriView, bytes: Uint8Array, end: number): boolean {
  return uri.end < end && bytes[uri.end] === GREATER
}

/**
 * Reads the parameter whose ';' stands at `at`. Returns the offset of the next ';' or ',', or `end`; -1 if it is
 * malformed.
 */
export function readParam(cursor: Cursor, bytes: Uint8Array, at: number, end: number): number {
  let i = at + 1
  if (i < end && bytes[i]! <= SPACE) i = skipSpace(bytes, i, end)
  cursor.paramStart = at
  cursor.nameStart = i
  while (i < end && (CLASS[bytes[i]!]! & TOKEN) !== 0) i++
  cursor.nameEnd = i
  cursor.paramEnd = i
  cursor.valueStart = -1
  cursor.valueEnd = -1
  if (i < end && bytes[i]! <= SPACE) i = skipSpace(bytes, i, end)
  if (i >= end || bytes[i] !== EQUAL) return delimiter(bytes, i, end)
  if (cursor.nameEnd === cursor.nameStart) return -1
  i++
  if (i < end && bytes[i]! <= SPACE) i = skipSpace(bytes, i, end)
  cursor.valueStart = i
  while (i < end && (CLASS[bytes[i]!]! & VALUE) !== 0) i++
  if (i === cursor.valueStart) {
    if (i === end || bytes[i] !== QUOTE) return -1
    i = skipQuoted(bytes, i, end)
    if (i < 0) return -1
  }
  cursor.valueEnd = i
  cursor.paramEnd = i
  return delimiter(bytes, i, end)
}

/** Offset of the '<' that opens the URI, NONE if the value is a bare addr-spec, or MALFORMED. */
function openBracket(bytes: Uint8Array, at: number, end: number): number {
  let i = at
  if (i < end && bytes[i] === QUOTE) {
    i = skipQuoted(bytes, i, end)
    if (i < 0) return MALFORMED
    i = skipSpace(bytes, i, end)
    return i < end && bytes[i] === LESS ? i : MALFORMED
  }
  while (i < end && (CLASS[bytes[i]!]! & DISPLAY) !== 0) i++
  if (i < end && bytes[i] === LESS) return i
  return i < end && bytes[i] === QUOTE ? MALFORMED : NONE
}

function addrSpecEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== SEMICOLON && bytes[at] !== COMMA && bytes[at]! > SPACE) at++
  return at
}

/** Offset of the ';' or ',' that must come next after white space, or `end`; -1 for anything else. */
function delimiter(bytes: Uint8Array, at: number, end: number): number {
  let i = at
  if (i < end && bytes[i]! <= SPACE) i = skipSpace(bytes, i, end)
  if (i >= end) return end
  return bytes[i] === SEMICOLON || bytes[i] === COMMA ? i : -1
}

const MALFORMED = -2
const NONE = -1
