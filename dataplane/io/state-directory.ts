/**
 * Last-good copies on disk: STATE/NAMESPACE.NAME.json, the very text that came into use.
 * Not here: which tables deserve it (`last-good.ts`), checking what is read back (`tables.ts`).
 */

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { TABLE_LENGTH_MAX } from '@sipcast/mapping'
import type { LastGoodStore } from '../ports.ts'
import { writeAtomically } from './atomic-write.ts'
import { readBounded } from './bounded-file.ts'
import { errnoOf, storeErrorOf } from './store-error.ts'

const SUFFIX = '.json'

export class StateDirectory implements LastGoodStore {
  readonly #path: string
  readonly #root: string

  /** @param root see AtomicWrite */
  constructor(path: string, root: string) {
    this.#path = path
    this.#root = root
  }

  async list(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.#path)
      return names
        .filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'))
        .map((name) => name.slice(0, -SUFFIX.length))
    } catch (cause) {
      // The first start: nothing was kept yet.
      if (errnoOf(cause) === 'ENOENT') return []
      throw storeErrorOf(cause, `cannot read ${this.#path}`)
    }
  }

  async read(id: string): Promise<string | null | undefined> {
    return await readBounded(this.#fileOf(id), TABLE_LENGTH_MAX)
  }

  async save(id: string, text: string): Promise<void> {
    await writeAtomically({ path: this.#fileOf(id), text, root: this.#root })
  }

  async remove(id: string): Promise<void> {
    const path = this.#fileOf(id)
    await rm(path, { force: true }).catch((cause: unknown) => {
      throw storeErrorOf(cause, `cannot remove ${path}`)
    })
  }

  #fileOf(id: string): string {
    return join(this.#path, `${id}${SUFFIX}`)
  }
}
