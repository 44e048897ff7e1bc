/**
 * Writing a file so that a reader sees the old text or the new one, never half: a temporary file beside it, then
 * rename.
 * Not here: what is written. Invariant: a failed write leaves the old file as it was and no temporary file behind.
 */
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { storeErrorOf } from './store-error.ts'

export interface WriteOptions {
  readonly mode?: number
  /** Waits until the disk has it: for what cannot be made again. */
  readonly durable?: boolean
}

/** Throws StoreError. */
export async function writeAtomically(
  path: string,
  text: string,
  options: WriteOptions = {},
): Promise<void> {
  const temporary = join(dirname(path), `${TEMPORARY_PREFIX}${basename(path)}.${process.pid}`)
  try {
    await writeAndRename(temporary, path, text, options)
  } catch (cause) {
    // The write's own error is the one to tell; the temporary file may not even exist.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw storeErrorOf(cause, `cannot write ${path}`)
  }
}

/** Files that begin so are writes under way, of anybody. */
const TEMPORARY_PREFIX = '.writing-'

async function writeAndRename(
  temporary: string,
  path: string,
  text: string,
  { mode = 0o644, durable = false }: WriteOptions,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(temporary, 'w', mode)
  try {
    await file.chmod(mode)
    await file.writeFile(text)
    if (durable) await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
