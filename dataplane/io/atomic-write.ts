/**
 * Writing a file so that a reader sees the old text or the new one, never half: a temporary file beside it,
 * then rename. Not here: what is written. Invariant: a failed write leaves the old file as it was and no
 * temporary file behind.
 */

import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { storeErrorOf } from './store-error.ts'

/** Makes the folder where it is missing. Fails with StoreError. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  // The dot makes it nobody's file: readers of the folder skip such names.
  const temporary = join(dirname(path), `.writing-${basename(path)}.${process.pid}`)
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(temporary, text)
    await rename(temporary, path)
  } catch (cause) {
    // The write's own error is the one to tell; the temporary file may not even exist.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw storeErrorOf(cause, `cannot write ${path}`)
  }
}
