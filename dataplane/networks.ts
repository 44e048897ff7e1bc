/**
 * A short list of IP networks and whether an address lies in one of them.
 * Not here: parsing errors worth a message; the operator refused those before a table was published.
 * Invariant: an IPv4 network never holds an IPv6 address: both live in one 128-bit space, IPv4 below ::ffff:0:0/96.
 */

import { ENDPOINT_WORDS, isIPv4, parseAddressText } from '@sipcast/sip'

const NETWORK_WORDS = 8

export class Networks {
  /** Per network: four words of address, four of mask. */
  readonly #words: Int32Array

  /** @param cidrs `a.b.c.d/n`, `v6/n` or a bare address; one that cannot be read matches nothing */
  constructor(cidrs: readonly string[]) {
    const parsed = cidrs.map(parseNetwork).filter((network) => network !== null)
    this.#words = new Int32Array(parsed.length * NETWORK_WORDS)
    parsed.forEach((network, index) => this.#words.set(network, index * NETWORK_WORDS))
  }

  has(words: Int32Array, at: number): boolean {
    const networks = this.#words
    for (let base = 0; base < networks.length; base += NETWORK_WORDS) {
      let differs = 0
      for (let word = 0; word < 4; word++) {
        differs |= (words[at + word]! ^ networks[base + word]!) & networks[base + 4 + word]!
      }
      if (differs === 0) return true
    }
    return false
  }
}

/** Whether this can be read at all. */
export function isNetwork(cidr: string): boolean {
  return parseNetwork(cidr) !== null
}

/** Infinity unless it is written in digits, and nothing else: a length that was forgotten is no length of 0. */
function lengthIn(text: string): number {
  return /^[0-9]{1,3}$/.test(text) ? Number(text) : Infinity
}

function parseNetwork(cidr: string): Int32Array | null {
  const slash = cidr.indexOf('/')
  const endpoint = new Int32Array(ENDPOINT_WORDS)
  if (!parseAddressText(slash < 0 ? cidr : cidr.slice(0, slash), endpoint, 0)) return null
  const sizeBits = isIPv4(endpoint, 0) ? 32 : 128
  const lengthBits = slash < 0 ? sizeBits : lengthIn(cidr.slice(slash + 1))
  if (lengthBits > sizeBits) return null

  const network = new Int32Array(NETWORK_WORDS)
  for (let word = 0; word < 4; word++) {
    const ones = Math.min(32, Math.max(0, lengthBits + 128 - sizeBits - word * 32))
    network[4 + word] = ones === 0 ? 0 : -1 << (32 - ones)
    network[word] = endpoint[word]! & network[4 + word]!
  }
  return network
}
