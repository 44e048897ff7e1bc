/**
 * SIP, SIPS and tel URIs to offsets (RFC 3261 §19.1, §25.1; RFC 3966); any other scheme only as a range.
 *
 *     sip:alice;day=tuesday:secret@example.com:5060;transport=udp?subject=x
 *         userStart…End            hostStart…End    paramsStart…End
 *
 * Not here: unescaping and comparison (key.ts). A user part may hold ';', '?' and '/', so the '@' is found first;
 * nothing after it may be another '@', or two readers could disagree on the host.
 */
import * as ascii from './ascii.ts'
import { Scheme, type UriView } from './message.ts'

const { ALPHA, AT_SIGN, CLASS, CLOSE_BRACKET, COLON, DASH, DOT, decimal, HOST, IPV6, NINE } = ascii
const { OPEN_BRACKET, PLUS, QUESTION, SEMICOLON, URI, USER, ZERO } = ascii

/** Reads the URI that is all of [start, end); false if it is malformed. */
export function parseUri(uri: UriView, bytes: Uint8Array, start: number, end: number): boolean {
  return readUri(uri, bytes, start, end) === end
}

/** Reads the URI that begins at `start` and ends at `end` or where no URI goes on; the offset after it, or -1. */
export function readUri(uri: UriView, bytes: Uint8Array, start: number, end: number): number {
  if (start + 4 >= end) return -1
  uri.start = start
  uri.port = 0
  uri.userStart = uri.userEnd = uri.hostStart = uri.hostEnd = uri.paramsStart = uri.paramsEnd = -1
  let after = -1
  if (isSip(bytes, start) && bytes[start + 3] === COLON) {
    uri.scheme = SIP
    after = readSip(uri, bytes, start + 4, end)
  } else if (isSip(bytes, start) && (bytes[start + 3]! | 32) === S && bytes[start + 4] === COLON) {
    uri.scheme = SIPS
    after = readSip(uri, bytes, start + 5, end)
  } else if (isTel(bytes, start)) {
    uri.scheme = TEL
    after = readTel(uri, bytes, start + 4, end)
  } else {
    uri.scheme = OTHER
    after = readOpaque(bytes, start, end)
  }
  uri.end = after
  return after
}

/** Offset after a host name, IPv4 address or IPv6 reference that begins at `start`; `start` if there is none. */
export function hostEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  while (i < end && (CLASS[bytes[i]!]! & HOST) !== 0) i++
  return i === start && i < end && bytes[i] === OPEN_BRACKET ? referenceEnd(bytes, i, end) : i
}

/** Offset after a port's digits that begin at `start`. */
export function digitsEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  while (i < end && bytes[i]! >= ZERO && bytes[i]! <= NINE) i++
  return i
}

/** The port in [start, end): 1 … 65535, or -1. Port 0 is nobody's, and here it would mean "none". */
export function portOf(bytes: Uint8Array, start: number, end: number): number {
  const port = decimal(bytes, start, end, 65535)
  return port > 0 ? port : -1
}

/** [ user [ ";" … ] [ ":" password ] "@" ] host … : only an '@' tells whether it was a user. */
function readSip(uri: UriView, bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && (CLASS[bytes[at]!]! & USER) !== 0) at++
  const userEnd = at
  while (at < end && (CLASS[bytes[at]!]! & URI) !== 0) at++
  if (at === end || bytes[at] !== AT_SIGN) at = start
  else {
    if (userEnd > start) {
      uri.userStart = start
      uri.userEnd = userEnd
    }
    at++
  }
  uri.hostStart = at
  at = hostEnd(bytes, at, end)
  uri.hostEnd = at
  if (at === uri.hostStart) return -1
  if (at === end) return at
  if (bytes[at] === COLON) {
    const digits = at + 1
    at = digitsEnd(bytes, digits, end)
    uri.port = portOf(bytes, digits, at)
    if (uri.port < 0) return -1
  }
  return at < end && (bytes[at] === SEMICOLON || bytes[at] === QUESTION)
    ? readTail(uri, bytes, at, end)
    : at
}

/** [ ";" params ] [ "?" headers ] */
function readTail(uri: UriView, bytes: Uint8Array, start: number, end: number): number {
  let at = start
  if (bytes[at] === SEMICOLON) {
    uri.paramsStart = at
    while (at < end && bytes[at] !== QUESTION && (CLASS[bytes[at]!]! & URI) !== 0) at++
    uri.paramsEnd = at
  }
  while (at < end && (CLASS[bytes[at]!]! & URI) !== 0) at++
  return at
}

function isSip(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! | 32) === S && (bytes[at + 1]! | 32) === I && (bytes[at + 2]! | 32) === P
}

function isTel(bytes: Uint8Array, at: number): boolean {
  return (
    (bytes[at]! | 32) === T &&
    (bytes[at + 1]! | 32) === E &&
    (bytes[at + 2]! | 32) === L &&
    bytes[at + 3] === COLON
  )
}

function referenceEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start + 1
  while (i < end && (CLASS[bytes[i]!]! & IPV6) !== 0) i++
  return i < end && i > start + 2 && bytes[i] === CLOSE_BRACKET ? i + 1 : start
}

function readTel(uri: UriView, bytes: Uint8Array, start: number, end: number): number {
  const after = uriEnd(bytes, start, end)
  let i = start
  while (i < after && bytes[i] !== SEMICOLON) i++
  if (i === start) return -1
  uri.userStart = start
  uri.userEnd = i
  if (i < after) {
    uri.paramsStart = i
    uri.paramsEnd = after
  }
  return after
}

/** scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) ":" and at least one byte. */
function readOpaque(bytes: Uint8Array, start: number, end: number): number {
  if ((CLASS[bytes[start]!]! & ALPHA) === 0) return -1
  let i = start + 1
  while (i < end && bytes[i] !== COLON) {
    const byte = bytes[i]!
    const inScheme = (CLASS[byte]! & ALPHA) !== 0 || (byte >= ZERO && byte <= NINE)
    if (!inScheme && byte !== PLUS && byte !== DASH && byte !== DOT) return -1
    i++
  }
  const after = uriEnd(bytes, i + 1, end)
  return after > i + 1 ? after : -1
}

function uriEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && ((CLASS[bytes[at]!]! & URI) !== 0 || bytes[at] === AT_SIGN)) at++
  return at
}

const SIP = Scheme.sip
const SIPS = Scheme.sips
const TEL = Scheme.tel
const OTHER = Scheme.other
const E = 0x65
const I = 0x69
const L = 0x6c
const P = 0x70
const S = 0x73
const T = 0x74
