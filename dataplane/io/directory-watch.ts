/**
 * Calls back soon after something in the watched folders changed. Not here: what changed; whoever is called
 * looks for himself, and looks now and then without being called, so a lost event costs a second and a
 * platform without events works. Invariant: nothing throws.
 */

import { type FSWatcher, statSync, watch } from 'node:fs'
import { RESCAN_MS } from '../limits.ts'

/** @param name of the file, where that is known */
export type Changed = (name: string | null) => void

interface Watched {
  readonly path: string
  watcher: FSWatcher | null
  /** Of the folder that `watcher` sits on: a replaced folder is another one. Null: there is none. */
  identity: string | null
}

/** Returns what ends it. */
export function watchFolders(paths: readonly string[], changed: Changed): () => void {
  const folders = paths.map((path): Watched => ({ path, watcher: null, identity: null }))
  const renew = (): void => {
    for (const folder of folders) {
      if (identityOf(folder.path) !== folder.identity) rewatch(folder, changed)
    }
  }
  renew()
  const timer = setInterval(renew, RESCAN_MS)
  return () => {
    clearInterval(timer)
    for (const { watcher } of folders) watcher?.close()
  }
}

function rewatch(folder: Watched, changed: Changed): void {
  folder.watcher?.close()
  folder.watcher = null
  folder.identity = identityOf(folder.path)
  changed(null)
  if (folder.identity === null) return
  try {
    folder.watcher = watch(folder.path, (_, name) => changed(name))
    folder.watcher.on('error', () => {
      folder.watcher?.close()
      folder.identity = null
    })
  } catch {
    // No inotify to be had: the periodic look is enough.
    folder.watcher = null
  }
}

/** The inode alone is not enough: its number is free again once the folder is gone. */
function identityOf(path: string): string | null {
  try {
    const { ino, birthtimeMs } = statSync(path)
    return `${ino} ${birthtimeMs}`
  } catch {
    // Missing or out of reach: whoever looks at the folder will say so.
    return null
  }
}
