/**
 * The addresses by which a node talks to itself: the balancer tests itself from them, and its workers know it
 * by that. No packet from a network has them as its source: the kernel drops those.
 */

import { ENDPOINT_WORDS, parseAddressText, sameAddress } from '@sipcast/sip'

/** One of each IP version. Not the rest of 127.0.0.0/8: whoever lives there is somebody. */
export const LOOPBACK_ADDRESSES: readonly string[] = ['127.0.0.1', '::1']

const words = new Int32Array(LOOPBACK_ADDRESSES.length * ENDPOINT_WORDS)
LOOPBACK_ADDRESSES.forEach((address, index) => {
  parseAddressText(address, words, index * ENDPOINT_WORDS)
})

export function isLoopback(source: Int32Array, at: number): boolean {
  return sameAddress(source, at, words, 0) || sameAddress(source, at, words, ENDPOINT_WORDS)
}
