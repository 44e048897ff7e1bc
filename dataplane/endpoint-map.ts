/**
 * Endpoints → small integers, looked up per packet: open addressing over int32 words, no objects, no strings.
 * Not here: growth after construction. Invariants: at most half full, so a miss ends soon; the first value put for an
 * endpoint stays.
 *
 *     entry (6 words):  address 0 | address 1 | address 2 | address 3 | port | value + 1 (0: free)
 */

import { ENDPOINT_WORDS } from '@sipcast/sip'

const ENTRY_WORDS = ENDPOINT_WORDS + 1
/** What `get` returns for an endpoint that was never put. */
export const NOT_FOUND = -1

export class EndpointMap {
  readonly #entries: Int32Array
  readonly #mask: number

  /** @param countMax how many endpoints will be put at most */
  constructor(countMax: number) {
    let capacity = 8
    while (capacity < countMax * 2) capacity *= 2
    this.#entries = new Int32Array(capacity * ENTRY_WORDS)
    this.#mask = capacity - 1
  }

  /** Puts a value ≥ 0 for the endpoint words at `at`; `port` stands in for the port there. */
  put(words: Int32Array, at: number, port: number, value: number): void {
    const entry = this.#find(words, at, port)
    const entries = this.#entries
    if (entries[entry + ENDPOINT_WORDS] !== 0) return
    for (let word = 0; word < 4; word++) entries[entry + word] = words[at + word]!
    entries[entry + 4] = port
    entries[entry + ENDPOINT_WORDS] = value + 1
  }

  /** The value put for this address and port, or NOT_FOUND. */
  get(words: Int32Array, at: number, port: number): number {
    return this.#entries[this.#find(words, at, port) + ENDPOINT_WORDS]! - 1
  }

  #find(words: Int32Array, at: number, port: number): number {
    const entries = this.#entries
    const a = words[at]!
    const b = words[at + 1]!
    const c = words[at + 2]!
    const d = words[at + 3]!
    let hash = Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 961) ^ d, 0x9e3779b1)
    hash = Math.imul((hash ^ (hash >>> 15)) + port, 0x85ebca6b)
    for (let step = (hash ^ (hash >>> 13)) & this.#mask; ; step = (step + 1) & this.#mask) {
      const entry = step * ENTRY_WORDS
      if (entries[entry + ENDPOINT_WORDS] === 0) return entry
      if (
        entries[entry + 3] === d &&
        entries[entry + 4] === port &&
        entries[entry] === a &&
        entries[entry + 1] === b &&
        entries[entry + 2] === c
      ) {
        return entry
      }
    }
  }
}
