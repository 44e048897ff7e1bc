/** Questions about IP literals in text. Not here: reading and writing them (`@sipcast/sip`). */

import { ENDPOINT_WORDS, formatAddress, isIPv4, parseAddressText } from '@sipcast/sip'

/** Whether an IP literal is an IPv4 one; false for any other text. */
export function isIPv4Text(text: string): boolean {
  const words = new Int32Array(ENDPOINT_WORDS)
  return parseAddressText(text, words, 0) && isIPv4(words, 0)
}

/** The literal in its one canonical spelling; null if the text is none. */
export function canonicalAddress(text: string): string | null {
  const words = new Int32Array(ENDPOINT_WORDS)
  return parseAddressText(text, words, 0) ? formatAddress(words, 0) : null
}

/** Of IPv6, in canonical spelling: the kernel gives links such addresses by itself. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/.test(address)
}
