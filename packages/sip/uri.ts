/**
 * SIP, SIPS and tel URIs to offsets (RFC 3261 §19.1, §25.1; RFC 3966); any other scheme only as a range.
 *
 *     sip:alice;day=tuesday:secret@example.com:5060;transport=udp?subject=x
 *         userStart…End            hostStart…End    paramsStart…End
 *
 * Not here: unescaping and comparison (key.ts). A user part may hold ';', '?' and '/', so the '@' is found first;
 * nothing after it may be another '@', or two readers could disagree on the host.
 */
import {
  ALPHA,
  AT_SIGN,
  CLASS,
  CLOSE_BRACKET,
  COLON,
  DASH,
  DOT,
  decimal,
  HOST,
  IPV6,
  NINE,
  OPEN_BRACKET,
  PLUS,
  QUESTION,
  SEMICOLON,
  URI,
  USER,
  ZERO,
} from './ascii.ts'
import { Scheme, type UriView } from './message.ts'

/** Reads the URI that is all of [start, end); false if it is malformed. */
export function parseUri(uri: UriView, bytes: Uint8Array, start: number, end: number): boolean {
  return readUri(uri, bytes, start, end) === end
}

/** Reads the URI that begins at `start` and ends at `end` or where no URI goes on; the offset after it, or -1. */
export function readUri(uri: UriView, bytes: Uint8Array, start: number, end: number): number {
  uri.clear()
  let at = readScheme(uri, bytes, start, end)
  if (at < 0) return -1
  if (uri.scheme === Scheme.sip || uri.scheme === Scheme.sips) at = readSip(uri, bytes, at, end)
  else if (uri.scheme === Scheme.tel) at = readTel(uri, bytes, at, end)
  else at = readOpaque(bytes, at, end)
  uri.start = start
  uri.end = at
  return at
}

/** Offset after a host name, IPv4 address or IPv6 reference that begins at `start`; `start` if there is none. */
export function hostEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  if (i < end && bytes[i] === OPEN_BRACKET) {
    i++
    while (i < end && (CLASS[bytes[i]!]! & IPV6) !== 0) i++
    return i < end && i > start + 2 && bytes[i] === CLOSE_BRACKET ? i + 1 : start
  }
  while (i < end && (CLASS[bytes[i]!]! & HOST) !== 0) i++
  return i
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

/** Sets the scheme; the offset after its colon, or -1. */
function readScheme(uri: UriView, bytes: Uint8Array, start: number, end: number): number {
  if (start + 4 >= end) return -1
  const first = bytes[start]! | 32
  if (first === S && (bytes[start + 1]! | 32) === I && (bytes[start + 2]! | 32) === P) {
    if (bytes[start + 3] === COLON) {
      uri.scheme = Scheme.sip
      return start + 4
    }
    if ((bytes[start + 3]! | 32) === S && bytes[start + 4] === COLON) {
      uri.scheme = Scheme.sips
      return start + 5
    }
  }
  if (first === T && (bytes[start + 1]! | 32) === E && (bytes[start + 2]! | 32) === L) {
    if (bytes[start + 3] === COLON) {
      uri.scheme = Scheme.tel
      return start + 4
    }
  }
  return skipScheme(bytes, start, end)
}

/** scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), and its colon. */
function skipScheme(bytes: Uint8Array, start: number, end: number): number {
  if ((CLASS[bytes[start]!]! & ALPHA) === 0) return -1
  let i = start + 1
  while (i < end && bytes[i] !== COLON) {
    const byte = bytes[i]!
    const inScheme = (CLASS[byte]! & ALPHA) !== 0 || (byte >= ZERO && byte <= NINE)
    if (!inScheme && byte !== PLUS && byte !== DASH && byte !== DOT) return -1
    i++
  }
  return i + 1 < end ? i + 1 : -1
}

/** [ user [ ";" … ] [ ":" password ] "@" ] host … : only an '@' tells whether it was a user. */
function readSip(uri: UriView, bytes: Uint8Array, start: number, end: number): number {
  let i = start
  while (i < end && (CLASS[bytes[i]!]! & USER) !== 0) i++
  const userEnd = i
  while (i < end && (CLASS[bytes[i]!]! & URI) !== 0) i++
  if (i === end || bytes[i] !== AT_SIGN) return readHostPort(uri, bytes, start, end)
  if (i === start) return -1
  if (userEnd > start) {
    uri.userStart = start
    uri.userEnd = userEnd
  }
  return readHostPort(uri, bytes, i + 1, end)
}

/** host [ ":" port ] [ ";" params ] [ "?" headers ]; the offset after it, or -1. */
function readHostPort(uri: UriView, bytes: Uint8Array, start: number, end: number): number {
  let i = hostEnd(bytes, start, end)
  if (i === start) return -1
  uri.hostStart = start
  uri.hostEnd = i
  if (i < end && bytes[i] === COLON) {
    const from = i + 1
    i = digitsEnd(bytes, from, end)
    uri.port = portOf(bytes, from, i)
    if (uri.port < 0) return -1
  }
  if (i < end && bytes[i] === SEMICOLON) {
    uri.paramsStart = i
    while (i < end && bytes[i] !== QUESTION && (CLASS[bytes[i]!]! & URI) !== 0) i++
    uri.paramsEnd = i
  }
  return i < end && bytes[i] === QUESTION ? uriEnd(bytes, i, end) : i
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

function readOpaque(bytes: Uint8Array, start: number, end: number): number {
  const after = uriEnd(bytes, start, end)
  return after > start ? after : -1
}

function uriEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && ((CLASS[bytes[at]!]! & URI) !== 0 || bytes[at] === AT_SIGN)) at++
  return at
}

const E = 0x65
const I = 0x69
const L = 0x6c
const P = 0x70
const S = 0x73
const T = 0x74
