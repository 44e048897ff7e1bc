/**
 * A disk of its own for a directory, that can be filled and made read-only while programs use it. Needs root.
 * Not here: private mount namespaces; programs in network namespaces have copies of the mounts, which share this disk.
 */
import { execFile } from 'node:child_process'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PAGE_BYTES = 4_096

export class SmallDisk {
  readonly #path: string

  static async mount(path: string, kibibytes: number): Promise<SmallDisk> {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k,mode=700`, 'sipcast-test', path])
    return new SmallDisk(path)
  }

  constructor(path: string) {
    this.#path = path
  }

  /** Not one more page. */
  async fill(): Promise<void> {
    const file = await open(this.#filler, 'w')
    try {
      const page = Buffer.alloc(PAGE_BYTES)
      for (;;) await file.write(page)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      await file.close()
    }
  }

  async makeSpace(): Promise<void> {
    await rm(this.#filler, { force: true })
  }

  async makeReadOnly(): Promise<void> {
    await run('mount', ['-o', 'remount,ro', this.#path])
  }

  async makeWritable(): Promise<void> {
    await run('mount', ['-o', 'remount,rw', this.#path])
  }

  async unmount(): Promise<void> {
    await run('umount', [this.#path])
  }

  get #filler(): string {
    return join(this.#path, 'filler')
  }
}
