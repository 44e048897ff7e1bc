/**
 * Writing a file so that a reader sees the old text or the new one, never half: a temporary file beside it,
 * then rename. Not here: what is written. Invariant: a failed write leaves the old file as it was and no
 * temporary file behind.
 */

import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { StoreError, StoreErrorCode } from '../ports.ts'
import { storeErrorOf } from './store-error.ts'

export interface AtomicWrite {
  readonly path: string
  readonly text: string
  /** Nothing is written while this directory is gone: it may be a disk that will be mounted again. */
  readonly root: string
}

/** Makes the folder where it is missing. Fails with StoreError. */
export async function writeAtomically({ path, text, root }: AtomicWrite): Promise<void> {
  if (!(await isDirectory(root))) {
    throw new StoreError(StoreErrorCode.absent, `cannot write ${path}: ${root} is gone`)
  }
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

export async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
