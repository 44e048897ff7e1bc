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
  lower,
  NINE,
  OPEN_BRACKET,
  PLUS,
  QUESTION,
  SEMICOLON,
  URI,
  ZERO,
} from './ascii.ts'
import { Scheme, type UriView } from './message.ts'

/** Reads the URI in [start, end), which must have no space around it; false if it is malformed. */
export function parseUri(uri: UriView, bytes: Uint8Array, start: number, end: number): boolean {
  uri.clear()
  const after = schemeEnd(uri, bytes, start, end)
  if (after < 0) return false
  uri.start = start
  uri.end = end
  switch (uri.scheme) {
    case Scheme.sip:
    case Scheme.sips:
      return parseSip(uri, bytes, after, end)
    case Scheme.tel:
      return parseTel(uri, bytes, after, end)
    case Scheme.other:
      return allowed(bytes, after, end)
  }
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
function schemeEnd(uri: UriView, bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || (CLASS[bytes[start]!]! & ALPHA) === 0) return -1
  let i = start + 1
  while (i < end && bytes[i] !== COLON) {
    const byte = bytes[i]!
    const inScheme = (CLASS[byte]! & ALPHA) !== 0 || (byte >= ZERO && byte <= NINE)
    if (!inScheme && byte !== PLUS && byte !== DASH && byte !== DOT) return -1
    i++
  }
  if (i === end) return -1
  uri.scheme = schemeOf(bytes, start, i)
  return i + 1
}

function schemeOf(bytes: Uint8Array, start: number, end: number): Scheme {
  const length = end - start
  if (length !== 3 && length !== 4) return Scheme.other
  const a = lower(bytes[start]!)
  const b = lower(bytes[start + 1]!)
  const c = lower(bytes[start + 2]!)
  if (a === 0x73 && b === 0x69 && c === 0x70) {
    if (length === 3) return Scheme.sip
    return lower(bytes[start + 3]!) === 0x73 ? Scheme.sips : Scheme.other
  }
  return length === 3 && a === 0x74 && b === 0x65 && c === 0x6c ? Scheme.tel : Scheme.other
}

function parseSip(uri: UriView, bytes: Uint8Array, start: number, end: number): boolean {
  let host = start
  let userEnd = -1
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if ((CLASS[byte]! & URI) === 0) return false
    if (byte === AT_SIGN) {
      if (host !== start || i === start) return false
      if (userEnd < 0) userEnd = i
      host = i + 1
    } else if (userEnd < 0 && (byte === COLON || byte === SEMICOLON)) userEnd = i
  }
  if (host !== start && userEnd > start) {
    uri.userStart = start
    uri.userEnd = userEnd
  }
  return parseHostPort(uri, bytes, host, end)
}

function parseHostPort(uri: UriView, bytes: Uint8Array, start: number, end: number): boolean {
  let i = hostEnd(bytes, start, end)
  if (i === start) return false
  uri.hostStart = start
  uri.hostEnd = i
  if (i < end && bytes[i] === COLON) {
    const from = i + 1
    i = digitsEnd(bytes, from, end)
    uri.port = portOf(bytes, from, i)
    if (uri.port < 0) return false
  }
  if (i < end && bytes[i] === SEMICOLON) {
    uri.paramsStart = i
    while (i < end && bytes[i] !== QUESTION) i++
    uri.paramsEnd = i
  }
  return i === end || bytes[i] === QUESTION
}

function parseTel(uri: UriView, bytes: Uint8Array, start: number, end: number): boolean {
  let i = start
  while (i < end && bytes[i] !== SEMICOLON) i++
  if (i === start) return false
  uri.userStart = start
  uri.userEnd = i
  if (i < end) {
    uri.paramsStart = i
    uri.paramsEnd = end
  }
  return allowed(bytes, start, end)
}

function allowed(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((CLASS[bytes[i]!]! & URI) === 0) return false
  return start < end
}
