/**
 * A short list of IP networks and whether an address lies in one of them.
 * Not here: parsing errors worth a message; the operator refused those before a table was published.
 * Invariant: a network holds addresses of its own IP version only, though both live in one 128-bit space, IPv4 below
 * ::ffff:0:0/96.
 */

import { ENDPOINT_WORDS, isIPv4, parseAddressText } from '@sipcast/sip'

/** Four of address, four of mask, and 1 for IPv4. */
const NETWORK_WORDS = 9

export interface Network {
  /** An endpoint's words (@sipcast/sip), with no bits behind the length. */
  readonly address: Int32Array
  /** Of 32 or 128, by its family. */
  readonly lengthBits: number
}

export class Networks {
  readonly #words: Int32Array

  /** @param cidrs as `parseNetwork` takes them; one that cannot be read matches nothing */
  constructor(cidrs: readonly string[]) {
    const networks = cidrs.map(parseNetwork).filter((network) => network !== null)
    this.#words = new Int32Array(networks.length * NETWORK_WORDS)
    networks.forEach((network, index) => {
      const { address, lengthBits } = network
      for (let word = 0; word < 4; word++) {
        this.#words[index * NETWORK_WORDS + word] = address[word]!
        this.#words[index * NETWORK_WORDS + 4 + word] = maskWord(lengthBits, sizeOf(address), word)
      }
      this.#words[index * NETWORK_WORDS + 8] = Number(isIPv4(address, 0))
    })
  }

  has(words: Int32Array, at: number): boolean {
    const networks = this.#words
    const version = isIPv4(words, at) ? 1 : 0
    for (let base = 0; base < networks.length; base += NETWORK_WORDS) {
      let differs = networks[base + 8]! ^ version
      for (let word = 0; word < 4; word++) {
        differs |= (words[at + word]! ^ networks[base + word]!) & networks[base + 4 + word]!
      }
      if (differs === 0) return true
    }
    return false
  }
}

/** @param cidr `a.b.c.d/n`, `v6/n` or a bare address; null: it is none of these */
export function parseNetwork(cidr: string): Network | null {
  const slash = cidr.indexOf('/')
  const address = new Int32Array(ENDPOINT_WORDS)
  if (!parseAddressText(slash < 0 ? cidr : cidr.slice(0, slash), address, 0)) return null
  const sizeBits = sizeOf(address)
  const lengthBits = slash < 0 ? sizeBits : lengthIn(cidr.slice(slash + 1))
  if (lengthBits > sizeBits) return null
  for (let word = 0; word < 4; word++) address[word]! &= maskWord(lengthBits, sizeBits, word)
  return { address, lengthBits }
}

/** Infinity unless it is written in digits, and nothing else: a length that was forgotten is no length of 0. */
function lengthIn(text: string): number {
  return /^[0-9]{1,3}$/.test(text) ? Number(text) : Infinity
}

/** One of the mask's four words, in the space that both families live in. */
function maskWord(lengthBits: number, sizeBits: number, word: number): number {
  const ones = Math.min(32, Math.max(0, lengthBits + 128 - sizeBits - word * 32))
  return ones === 0 ? 0 : -1 << (32 - ones)
}

function sizeOf(address: Int32Array): 32 | 128 {
  return isIPv4(address, 0) ? 32 : 128
}
