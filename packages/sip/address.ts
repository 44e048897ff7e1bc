/**
 * IP addresses as words, and their text. An endpoint is five 32-bit words at some index of an Int32Array:
 *
 *     at+0      at+1      at+2      at+3      at+4
 *     +---------+---------+---------+---------+---------+
 *     | IPv6 address, big-endian; IPv4 as     | port    |
 *     | 0         0         0xffff    a.b.c.d |         |
 *     +---------+---------+---------+---------+---------+
 *
 * Not here: sockaddr (packages/net), host names (never resolved). Parsing is strict: no leading zeros, no zone ids,
 * no short IPv4 forms, so one text means one address to everybody who reads it.
 */
import { ascii, CLOSE_BRACKET, COLON, DOT, decimal, hexDigit, OPEN_BRACKET, ZERO } from './ascii.ts'

/** Words of an endpoint: four of the address, one of the port. */
export const ENDPOINT_WORDS = 5

/** Bytes that the longest text of an endpoint needs: brackets, 39 of IPv6, colon, 5 of the port. */
export const ENDPOINT_TEXT_MAX = 47

const IPV4_MARK = 0xffff

/**
 * Reads an IPv4 or IPv6 literal, the latter with or without brackets, into four words; the port word stays.
 * False, with `out` in any state, if [start, end) is anything else.
 */
export function parseAddress(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Int32Array,
  at: number,
): boolean {
  if (start >= end) return false
  if (bytes[start] === OPEN_BRACKET) {
    return bytes[end - 1] === CLOSE_BRACKET && parseIPv6(bytes, start + 1, end - 1, out, at)
  }
  for (let i = start; i < end && i < start + 5; i++) {
    if (bytes[i] === COLON) return parseIPv6(bytes, start, end, out, at)
  }
  return parseIPv4(bytes, start, end, out, at)
}

/** `parseAddress` for text that is not on the wire. */
export function parseAddressText(text: string, out: Int32Array, at: number): boolean {
  return parseAddress(ascii(text), 0, text.length, out, at) && isLatin(text)
}

/**
 * Reads `a.b.c.d:port` or `[v6]:port` into five words. With `defaultPort` the port may be missing, and an IPv6
 * address then needs no brackets. Port 0 is accepted: to a socket it means "any".
 */
export function parseEndpointText(
  text: string,
  out: Int32Array,
  at: number,
  defaultPort?: number,
): boolean {
  const colon = text.lastIndexOf(':')
  const bare = colon < 0 || text.endsWith(']') || (text[0] !== '[' && text.indexOf(':') !== colon)
  if (bare) {
    if (defaultPort === undefined || !parseAddressText(text, out, at)) return false
    out[at + 4] = defaultPort
    return true
  }
  const host = text.slice(0, colon)
  const digits = text.slice(colon + 1)
  const port = decimal(ascii(digits), 0, digits.length, 65535)
  if (port < 0 || digits !== String(port) || !parseAddressText(host, out, at)) return false
  out[at + 4] = port
  return true
}

/** The address's text: dotted quad, or IPv6 as RFC 5952 writes it, without brackets. */
export function formatAddress(words: Int32Array, at: number): string {
  const bytes = new Uint8Array(ENDPOINT_TEXT_MAX)
  return String.fromCharCode(...bytes.subarray(0, writeAddress(words, at, bytes, 0)))
}

/** `a.b.c.d:port` or `[v6]:port`. */
export function formatEndpoint(words: Int32Array, at: number): string {
  const address = formatAddress(words, at)
  return isIPv4(words, at) ? `${address}:${words[at + 4]}` : `[${address}]:${words[at + 4]}`
}

/** Writes the address as `formatAddress` does, at most 39 bytes; returns the offset after it. */
export function writeAddress(
  words: Int32Array,
  at: number,
  out: Uint8Array,
  outAt: number,
): number {
  return isIPv4(words, at)
    ? writeIPv4(words[at + 3]!, out, outAt)
    : writeIPv6(words, at, out, outAt)
}

/** Whether the address is an IPv4 one (IPv4-mapped, RFC 4291 §2.5.5.2). */
export function isIPv4(words: Int32Array, at: number): boolean {
  return words[at + 2] === IPV4_MARK && words[at] === 0 && words[at + 1] === 0
}

/** Copies an endpoint, port included. Five words: a call of `set` would cost more than the copy. */
export function copyEndpoint(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): void {
  to[toAt] = from[fromAt]!
  to[toAt + 1] = from[fromAt + 1]!
  to[toAt + 2] = from[fromAt + 2]!
  to[toAt + 3] = from[fromAt + 3]!
  to[toAt + 4] = from[fromAt + 4]!
}

/** Whether two addresses are equal; ports don't count. */
export function sameAddress(a: Int32Array, ai: number, b: Int32Array, bi: number): boolean {
  return (
    a[ai + 3] === b[bi + 3] && a[ai + 2] === b[bi + 2] && a[ai + 1] === b[bi + 1] && a[ai] === b[bi]
  )
}

/** Whether two endpoints are equal, ports included. */
export function sameEndpoint(a: Int32Array, ai: number, b: Int32Array, bi: number): boolean {
  return a[ai + 4] === b[bi + 4] && sameAddress(a, ai, b, bi)
}

function parseIPv4(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Int32Array,
  at: number,
): boolean {
  const word = ipv4Word(bytes, start, end)
  if (word < 0) return false
  out[at] = 0
  out[at + 1] = 0
  out[at + 2] = IPV4_MARK
  out[at + 3] = word | 0
  return true
}

/** The dotted quad in [start, end) as an unsigned number, or -1. */
function ipv4Word(bytes: Uint8Array, start: number, end: number): number {
  let word = 0
  let from = start
  for (let octet = 0; octet < 4; octet++) {
    let to = from
    while (to < end && to < from + 4 && bytes[to] !== DOT) to++
    const value = decimal(bytes, from, to, 255)
    if (value < 0 || (bytes[from] === ZERO && to - from > 1)) return -1
    word = word * 256 + value
    if (octet === 3) return to === end ? word : -1
    if (to >= end || bytes[to] !== DOT) return -1
    from = to + 1
  }
  return -1
}

/** RFC 4291 §2.2, all three forms. Groups after '::' are written from the left first and moved to the end. */
function parseIPv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Int32Array,
  at: number,
): boolean {
  out[at] = out[at + 1] = out[at + 2] = out[at + 3] = 0
  let groups = 0
  let gap = -1
  let i = start
  if (i + 1 < end && bytes[i] === COLON && bytes[i + 1] === COLON) {
    gap = 0
    i += 2
  }
  while (i < end) {
    if (groups === 8) return false
    const to = groupEnd(bytes, i, end)
    if (to < end && bytes[to] === DOT) {
      const word = ipv4Word(bytes, i, end)
      if (word < 0 || groups > 6) return false
      setGroup(out, at, groups++, word / 65536)
      setGroup(out, at, groups++, word & 0xffff)
      break
    }
    if (to === i) return false
    setGroup(out, at, groups++, hexGroup(bytes, i, to))
    if (to === end) break
    if (bytes[to] !== COLON || to + 1 === end) return false
    i = to + 1
    if (bytes[i] === COLON) {
      if (gap >= 0) return false
      gap = groups
      i++
    }
  }
  if (gap < 0) return groups === 8
  return groups < 8 && openGap(out, at, groups, gap)
}

/** Offset after at most four hexadecimal digits. */
function groupEnd(bytes: Uint8Array, at: number, end: number): number {
  let to = at
  while (to < end && to < at + 4 && hexDigit(bytes[to]!) >= 0) to++
  return to
}

function hexGroup(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) value = value * 16 + hexDigit(bytes[i]!)
  return value
}

function openGap(out: Int32Array, at: number, groups: number, gap: number): boolean {
  const missing = 8 - groups
  for (let i = groups - 1; i >= gap; i--) {
    setGroup(out, at, i + missing, group(out, at, i))
    setGroup(out, at, i, 0)
  }
  return true
}

function group(words: Int32Array, at: number, index: number): number {
  const word = words[at + (index >> 1)]!
  return (index & 1) === 0 ? word >>> 16 : word & 0xffff
}

function setGroup(words: Int32Array, at: number, index: number, value: number): void {
  const word = at + (index >> 1)
  words[word] =
    (index & 1) === 0
      ? (words[word]! & 0xffff) | (value << 16)
      : (words[word]! & ~0xffff) | (value & 0xffff)
}

function writeIPv4(word: number, out: Uint8Array, at: number): number {
  for (let shift = 24; shift >= 0; shift -= 8) {
    const octet = (word >>> shift) & 255
    if (octet >= 100) out[at++] = ZERO + ((octet / 100) | 0)
    if (octet >= 10) out[at++] = ZERO + (((octet / 10) | 0) % 10)
    out[at++] = ZERO + (octet % 10)
    if (shift > 0) out[at++] = DOT
  }
  return at
}

/** RFC 5952 §4: no leading zeros, the first longest run of two or more zero groups as '::', lower case. */
function writeIPv6(words: Int32Array, at: number, out: Uint8Array, outAt: number): number {
  let runStart = 8
  let runLength = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && group(words, at, i + length) === 0) length++
    if (length > runLength) {
      runStart = i
      runLength = length
    }
    i += length
  }
  for (let i = 0; i < 8; i++) {
    if (i === runStart) {
      out[outAt++] = COLON
      i += runLength - 1
      if (i === 7) out[outAt++] = COLON
      continue
    }
    if (i > 0) out[outAt++] = COLON
    outAt = writeHex(group(words, at, i), out, outAt)
  }
  return outAt
}

function writeHex(value: number, out: Uint8Array, at: number): number {
  let shift = 12
  while (shift > 0 && value >> shift === 0) shift -= 4
  for (; shift >= 0; shift -= 4) {
    const digit = (value >> shift) & 15
    out[at++] = digit < 10 ? ZERO + digit : 87 + digit
  }
  return at
}

function isLatin(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}
