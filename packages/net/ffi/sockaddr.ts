/**
 * Endpoint words to sockaddr and back: the only place that knows both.
 *
 * sockaddrs live in an Int32Array of eight words each (SOCKADDR_STRIDE), addressed by their first word.
 * Scope ids are not kept: link-local peers are out of scope. Both machines are little-endian, so
 * network order is a byte swap.
 */

import { isIPv4 } from '@sipcast/sip'
import { AddressFamily, SOCKADDR_SIZE_IPV4, SOCKADDR_SIZE_IPV6 } from './linux.ts'

const PORT_WORD = 4
const IPV4_MARK = 0xffff

/** Writes the sockaddr at word `to`; returns its length in bytes. */
export function writeSockaddr(
  endpoint: Int32Array,
  from: number,
  family: number,
  sockaddrs: Int32Array,
  to: number,
): number {
  const port = endpoint[from + PORT_WORD]!
  sockaddrs[to] = family | ((port & 0xff) << 24) | ((port & 0xff00) << 8)
  if (family === AddressFamily.ipv4) {
    sockaddrs[to + 1] = swapBytes(endpoint[from + 3]!)
    return SOCKADDR_SIZE_IPV4
  }
  sockaddrs[to + 1] = 0
  sockaddrs[to + 2] = swapBytes(endpoint[from]!)
  sockaddrs[to + 3] = swapBytes(endpoint[from + 1]!)
  sockaddrs[to + 4] = swapBytes(endpoint[from + 2]!)
  sockaddrs[to + 5] = swapBytes(endpoint[from + 3]!)
  sockaddrs[to + 6] = 0
  return SOCKADDR_SIZE_IPV6
}

/** Reads the sockaddr at word `from` into five endpoint words. */
export function readSockaddr(
  sockaddrs: Int32Array,
  from: number,
  endpoint: Int32Array,
  to: number,
): void {
  const head = sockaddrs[from]!
  endpoint[to + PORT_WORD] = ((head >>> 8) & 0xff00) | (head >>> 24)
  if ((head & 0xffff) === AddressFamily.ipv4) {
    endpoint[to] = 0
    endpoint[to + 1] = 0
    endpoint[to + 2] = IPV4_MARK
    endpoint[to + 3] = swapBytes(sockaddrs[from + 1]!)
    return
  }
  endpoint[to] = swapBytes(sockaddrs[from + 2]!)
  endpoint[to + 1] = swapBytes(sockaddrs[from + 3]!)
  endpoint[to + 2] = swapBytes(sockaddrs[from + 4]!)
  endpoint[to + 3] = swapBytes(sockaddrs[from + 5]!)
}

export function familyOf(endpoint: Int32Array, at: number): number {
  return isIPv4(endpoint, at) ? AddressFamily.ipv4 : AddressFamily.ipv6
}

function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
}
