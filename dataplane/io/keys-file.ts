/**
 * The keys' document in a file: of a shared directory, or of a mounted Secret, which kubelet replaces by
 * swapping a symbolic link beside it. Not here: what it says. Invariant: whoever reads it looks now and then
 * without being told, so a lost event costs a second.
 */

import { dirname } from 'node:path'
import { KEYS_BYTES_MAX } from '../limits.ts'
import { type KeySource, StoreError, StoreErrorCode } from '../ports.ts'
import { readBounded } from './bounded-file.ts'
import { watchFolders } from './directory-watch.ts'

export class KeysFile implements KeySource {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Returns what ends it. */
  follow(changed: () => void): () => void {
    return watchFolders([dirname(this.#path)], changed)
  }

  async readKeys(): Promise<string | null> {
    const text = await readBounded(this.#path, KEYS_BYTES_MAX)
    if (text !== null) return text ?? null
    const message = `${this.#path} is larger than ${KEYS_BYTES_MAX} bytes`
    throw new StoreError(StoreErrorCode.unavailable, message)
  }
}
