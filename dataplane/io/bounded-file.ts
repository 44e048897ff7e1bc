/** Reading a file that is expected to be small. */

import { readFile, stat } from 'node:fs/promises'
import { errnoOf, storeErrorOf } from './store-error.ts'

/** Null where the file is larger than `bytesMax`, undefined where there is none. Fails with StoreError. */
export async function readBounded(
  path: string,
  bytesMax: number,
): Promise<string | null | undefined> {
  try {
    return (await stat(path)).size > bytesMax ? null : await readFile(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw storeErrorOf(cause, `cannot read ${path}`)
  }
}
