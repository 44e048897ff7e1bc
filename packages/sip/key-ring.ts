/**
 * The keys of the MACs under tokens and Via flows, by id. A ring accepts every key it holds; which one signs is said
 * by the table in use, per token. Not here: where keys come from, how they are rotated (operator) or read (dataplane).
 *
 * Invariants: a secret never leaves a ring except into a hash; an id that was not added verifies nothing.
 */
import type { SipHash } from './siphash.ts'

/** Bytes of a secret. */
export const KEY_BYTES = 16

/** Ids are one byte on the wire. */
export const KEY_ID_MAX = 255

const KEY_WORDS = KEY_BYTES / 4

export class KeyRing {
  readonly #words = new Int32Array((KEY_ID_MAX + 1) * KEY_WORDS)
  readonly #held = new Uint8Array(KEY_ID_MAX + 1)

  /** Puts a secret of KEY_BYTES under `id`, in place of an earlier one. Throws RangeError for a wrong id or length. */
  add(id: number, secret: Uint8Array): void {
    if (!Number.isInteger(id) || id < 0 || id > KEY_ID_MAX) throw new RangeError(`key id ${id}`)
    if (secret.length !== KEY_BYTES) throw new RangeError(`key ${id} has ${secret.length} bytes`)
    const view = new DataView(secret.buffer, secret.byteOffset, KEY_BYTES)
    for (let word = 0; word < KEY_WORDS; word++) {
      this.#words[id * KEY_WORDS + word] = view.getInt32(word * 4, true)
    }
    this.#held[id] = 1
  }

  has(id: number): boolean {
    return this.#held[id] === 1
  }

  /** The ids held, in ascending order. */
  ids(): readonly number[] {
    return Array.from(this.#held.keys()).filter((id) => this.has(id))
  }

  /** Begins `hash` under the key `id`; false, and nothing begun, if there is none. */
  begin(hash: SipHash, id: number): boolean {
    if (this.#held[id] !== 1) return false
    hash.init(this.#words, id * KEY_WORDS)
    return true
  }
}
