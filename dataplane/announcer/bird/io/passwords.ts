/**
 * Passwords of BGP sessions from files: DIR/SECRET/KEY, as Secrets are mounted. Not here: whether a password can be
 * used (`peers.ts`). Invariant: a file is bounded, and one line break at its end is not part of the password: most
 * editors add it.
 */

import { join } from 'node:path'
import { readBounded } from '../../../io/bounded-file.ts'
import { StoreError } from '../../../ports.ts'
import type { PasswordSource } from '../inputs.ts'
import { PASSWORD_BYTES_MAX } from '../limits.ts'

export class PasswordFiles implements PasswordSource {
  readonly remedy: string
  readonly #directory: string

  constructor(directory: string, remedy: string) {
    this.#directory = directory
    this.remedy = remedy
  }

  async read(secret: string, key: string): Promise<string | null | undefined> {
    try {
      const text = await readBounded(join(this.#directory, secret, key), PASSWORD_BYTES_MAX)
      return text?.replace(/\r?\n$/, '') ?? null
    } catch (error) {
      if (error instanceof StoreError) return undefined
      throw error
    }
  }
}

export class NoPasswords implements PasswordSource {
  readonly remedy = '--passwords names no folder'

  async read(): Promise<null> {
    return null
  }
}
