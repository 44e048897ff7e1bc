/**
 * One folder kept in view: fs.watch says quickly what changed, a periodic look at everything finds what it missed
 * (lost events, network file systems, a folder that was replaced). Not here: what the files mean.
 * Invariants: one look at a time; a file is reported when its identity, size or times differ from what was reported
 * last; files that begin with a dot are nobody's; nothing throws, a folder that cannot be read is reported as such
 * and keeps its last files.
 */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RESCAN_PERIOD_MS, WATCH_SETTLE_MS } from '../limits.ts'
import { errnoOf } from './store-error.ts'

export type FileChange =
  | { readonly name: string; readonly kind: 'text'; readonly text: string }
  | { readonly name: string; readonly kind: 'unreadable'; readonly why: string }
  | { readonly name: string; readonly kind: 'gone' }
  /** Of a folder whose texts are not wanted. */
  | { readonly name: string; readonly kind: 'touched' }

export interface FolderOptions {
  readonly path: string
  readonly accepts: (name: string) => boolean
  /** Larger files are unreadable; null: only the names matter, nothing is read. */
  readonly bytesMax: number | null
  readonly onChanges: (changes: readonly FileChange[]) => void
  /** Null when the folder can be read again. */
  readonly onUnreadable: (why: string | null) => void
}

interface Print {
  readonly text: string
  readonly young: boolean
  readonly size: number
}

/** A file younger than this may change again without its times telling (their grain is some milliseconds). */
const YOUNG_MS = 50

export class Folder {
  readonly #options: FolderOptions
  readonly #prints = new Map<string, string>()
  readonly #touched = new Set<string>()
  #watcher: FSWatcher | null = null
  #settling: NodeJS.Timeout | null = null
  #rescan: NodeJS.Timeout | null = null
  #looking: Promise<void> = Promise.resolve()
  #unreadable: string | null = null
  #stopped = false

  constructor(options: FolderOptions) {
    this.#options = options
  }

  /** Looks at everything once, then keeps looking. */
  async start(): Promise<void> {
    this.#watch()
    await this.#enqueue(() => this.#lookAtAll())
    this.#rescan = setInterval(() => {
      if (this.#watcher === null) this.#watch()
      void this.#enqueue(() => this.#lookAtAll())
    }, RESCAN_PERIOD_MS)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#watcher?.close()
    if (this.#rescan !== null) clearInterval(this.#rescan)
    if (this.#settling !== null) clearTimeout(this.#settling)
    await this.#looking
  }

  /** The names last seen. */
  names(): readonly string[] {
    return [...this.#prints.keys()]
  }

  /** What is in this file now is known, and no news: we wrote it. */
  async note(name: string): Promise<void> {
    const print = await this.#printOf(name)
    if (print !== null) this.#prints.set(name, print.text)
  }

  #enqueue(look: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.then(() => (this.#stopped ? undefined : look()))
    return this.#looking
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#options.path, (_event, name) => this.#touch(name))
      this.#watcher.on('error', () => this.#unwatch())
    } catch {
      // No inotify to be had, or no folder yet: the periodic look is enough, and tries again.
      this.#watcher = null
    }
  }

  #unwatch(): void {
    this.#watcher?.close()
    this.#watcher = null
  }

  #touch(name: string | null): void {
    if (name !== null && this.#isOurs(name)) this.#touched.add(name)
    if (this.#touched.size === 0 || this.#settling !== null) return
    this.#settling = setTimeout(() => {
      this.#settling = null
      const names = [...this.#touched]
      this.#touched.clear()
      void this.#enqueue(() => this.#lookAt(names))
    }, WATCH_SETTLE_MS)
  }

  async #lookAtAll(): Promise<void> {
    const found = await this.#list()
    if (found === null) return
    // A replaced folder is another inode: the watcher still sits on the old one.
    const missing = [...this.#prints.keys()].filter((name) => !found.includes(name))
    if (missing.length > 0) this.#rewatch()
    await this.#lookAt([...found, ...missing])
  }

  #rewatch(): void {
    this.#unwatch()
    this.#watch()
  }

  async #list(): Promise<readonly string[] | null> {
    try {
      const names = await readdir(this.#options.path)
      this.#tellUnreadable(null)
      return names.filter((name) => this.#isOurs(name))
    } catch (cause) {
      // A folder that cannot be listed is no folder without files: what was read last holds.
      this.#unwatch()
      this.#tellUnreadable(`cannot read ${this.#options.path}: ${errnoOf(cause) || String(cause)}`)
      return null
    }
  }

  #tellUnreadable(why: string | null): void {
    if (why === this.#unreadable) return
    this.#unreadable = why
    this.#options.onUnreadable(why)
  }

  async #lookAt(names: readonly string[]): Promise<void> {
    const changes: FileChange[] = []
    for (const name of names) {
      const change = await this.#changeOf(name)
      if (change !== null) changes.push(change)
    }
    if (changes.length > 0 && !this.#stopped) this.#options.onChanges(changes)
  }

  async #changeOf(name: string): Promise<FileChange | null> {
    const print = await this.#printOf(name)
    if (print === null) return this.#prints.delete(name) ? { name, kind: 'gone' } : null
    if (print.text === this.#prints.get(name)) return null
    this.#prints.set(name, print.young ? `${print.text} young` : print.text)
    const { bytesMax } = this.#options
    if (bytesMax === null) return { name, kind: 'touched' }
    if (print.size > bytesMax) {
      const why = `${join(this.#options.path, name)}: larger than ${bytesMax} bytes`
      return { name, kind: 'unreadable', why }
    }
    return await this.#read(name)
  }

  async #read(name: string): Promise<FileChange> {
    const path = join(this.#options.path, name)
    try {
      return { name, kind: 'text', text: await readFile(path, 'utf8') }
    } catch (cause) {
      // Told as the file's change; a later look tries again because the fingerprint is dropped.
      this.#prints.set(name, 'unread')
      return { name, kind: 'unreadable', why: `cannot read ${path}: ${errnoOf(cause)}` }
    }
  }

  /** What tells one state of a file from another; null where there is no such file. */
  async #printOf(name: string): Promise<Print | null> {
    try {
      const { ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(join(this.#options.path, name), {
        bigint: true,
      })
      return {
        text: `${ino} ${size} ${mtimeNs} ${ctimeNs}`,
        young: Date.now() - Number(ctimeMs) < YOUNG_MS,
        size: Number(size),
      }
    } catch (cause) {
      return errnoOf(cause) === 'ENOENT' ? null : { text: errnoOf(cause), young: false, size: 0 }
    }
  }

  #isOurs(name: string): boolean {
    return !name.startsWith('.') && this.#options.accepts(name)
  }
}
