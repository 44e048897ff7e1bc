/**
 * What From, To, Route and Contact have in common: an address with or without display name and angle brackets, then
 * parameters (RFC 3261 §20.10, §25.1). Results are left in a Cursor.
 *
 *     "Bob, the \"man\"" <sip:bob@example.com;lr>;tag=1 ; x="a;b"
 *                         uriStart…uriEnd        |
 *                                                returned offset
 *
 * Invariant: quotes and brackets are respected everywhere, so no ';', ',' or '<' inside them is ever taken for syntax.
 */
import {
  CLASS,
  COMMA,
  EQUAL,
  GREATER,
  LESS,
  LWS,
  QUOTE,
  SEMICOLON,
  skipQuoted,
  skipSpace,
  TOKEN,
  VALUE,
} from './ascii.ts'
import type { Cursor } from './message.ts'

/**
 * Finds the URI of the value that begins at `at`. Returns the offset of what follows it: a ';', a ',', or `end`;
 * -1 if the value is malformed. Without angle brackets a ';' ends the URI: parameters belong to the header (§20.10).
 */
export function readAddress(cursor: Cursor, bytes: Uint8Array, at: number, end: number): number {
  const open = openBracket(bytes, at, end)
  if (open === MALFORMED) return -1
  if (open === NONE) return readAddrSpec(cursor, bytes, at, end)
  let close = open + 1
  while (close < end && bytes[close] !== GREATER) close++
  if (close === end) return -1
  cursor.uriStart = open + 1
  cursor.uriEnd = close
  return delimiter(bytes, close + 1, end)
}

/** Whether the value that `readAddress` has just read had angle brackets. */
export function isBracketed(cursor: Cursor, bytes: Uint8Array, end: number): boolean {
  return cursor.uriEnd < end && bytes[cursor.uriEnd] === GREATER
}

/**
 * Reads the parameter whose ';' stands at `at`. Returns the offset of the next ';' or ',', or `end`; -1 if it is
 * malformed.
 */
export function readParam(cursor: Cursor, bytes: Uint8Array, at: number, end: number): number {
  let i = skipSpace(bytes, at + 1, end)
  cursor.paramStart = at
  cursor.nameStart = i
  while (i < end && (CLASS[bytes[i]!]! & TOKEN) !== 0) i++
  cursor.nameEnd = i
  cursor.paramEnd = i
  cursor.valueStart = -1
  cursor.valueEnd = -1
  i = skipSpace(bytes, i, end)
  if (i >= end || bytes[i] !== EQUAL) return delimiter(bytes, i, end)
  if (cursor.nameEnd === cursor.nameStart) return -1
  i = skipSpace(bytes, i + 1, end)
  cursor.valueStart = i
  if (i < end && bytes[i] === QUOTE) {
    i = skipQuoted(bytes, i, end)
    if (i < 0) return -1
  } else {
    while (i < end && (CLASS[bytes[i]!]! & VALUE) !== 0) i++
  }
  if (i === cursor.valueStart) return -1
  cursor.valueEnd = i
  cursor.paramEnd = i
  return delimiter(bytes, i, end)
}

const MALFORMED = -2
const NONE = -1

/** Offset of the '<' that opens the URI, NONE if the value is a bare addr-spec, or MALFORMED. */
function openBracket(bytes: Uint8Array, at: number, end: number): number {
  let i = at
  if (i < end && bytes[i] === QUOTE) {
    i = skipQuoted(bytes, i, end)
    if (i < 0) return MALFORMED
    i = skipSpace(bytes, i, end)
    return i < end && bytes[i] === LESS ? i : MALFORMED
  }
  for (; i < end; i++) {
    const byte = bytes[i]!
    if (byte === LESS) return i
    if (byte === SEMICOLON || byte === COMMA) return NONE
    if (byte === QUOTE) return MALFORMED
  }
  return NONE
}

function readAddrSpec(cursor: Cursor, bytes: Uint8Array, at: number, end: number): number {
  let i = at
  while (i < end && bytes[i] !== SEMICOLON && bytes[i] !== COMMA) {
    if ((CLASS[bytes[i]!]! & LWS) !== 0) break
    i++
  }
  if (i === at) return -1
  cursor.uriStart = at
  cursor.uriEnd = i
  return delimiter(bytes, i, end)
}

/** Offset of the ';' or ',' that must come next after white space, or `end`; -1 for anything else. */
function delimiter(bytes: Uint8Array, at: number, end: number): number {
  const i = skipSpace(bytes, at, end)
  if (i >= end) return end
  return bytes[i] === SEMICOLON || bytes[i] === COMMA ? i : -1
}
