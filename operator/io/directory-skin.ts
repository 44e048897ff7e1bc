/** The skin of one machine without a cluster: a directory, and a lock so that it has one operator at a time. */
import { stat } from 'node:fs/promises'
import type { DirectoryPlace } from '../config.ts'
import { Directory } from './directory.ts'
import { lockDirectory } from './lock.ts'
import { RefusedError, type Skin, type SkinPorts } from './skin.ts'
import { systemClock } from './system-clock.ts'

/** @throws RefusedError */
export async function openDirectory(
  { directory: path }: DirectoryPlace,
  { tell }: SkinPorts,
): Promise<Skin> {
  await takeDirectory(path)
  const directory = new Directory({ path, clock: systemClock, tell })
  return {
    cluster: directory,
    tell,
    // Whoever writes the directory is trusted.
    addressPools: null,
    place: path,
    isStandby: false,
    start: () => directory.start(),
    stop: () => directory.stop(),
  }
}

async function takeDirectory(path: string): Promise<void> {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isDirectory) throw new RefusedError(`--directory ${path} is no directory`)
  if ((await lockDirectory(path)) === null) {
    throw new RefusedError(`--directory ${path} is already served by another operator`)
  }
}
