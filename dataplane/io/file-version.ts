/** Tells one state of a file from another without reading it. */

import { stat } from 'node:fs/promises'
import { errnoOf } from './store-error.ts'

/** A file younger than this may change again without its times telling: their grain is some milliseconds. */
const YOUNG_MS = 50

/** Null where there is no such file; of one that cannot be looked at, why: reading it will say so. */
export async function fileVersion(path: string): Promise<string | null> {
  try {
    const { ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true })
    const young = Date.now() - Number(ctimeMs) < YOUNG_MS ? ' young' : ''
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}${young}`
  } catch (cause) {
    return errnoOf(cause) === 'ENOENT' ? null : errnoOf(cause)
  }
}
