/**
 * A directory that is kept like another one, until it is cut off: what is a split of the API server in a cluster is
 * that without one. Manifests, tables and keys go there, reports come back. Invariant: files are replaced whole.
 */
import { cp, mkdir, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LabDirectory } from '../start/directory.ts'

const EVERY_MS = 50
const THERE = ['', 'tables', 'secrets/bgp']
const BACK = ['balancers']
const COPIED = /\.(json|ya?ml)$|^password$/

export class Mirror {
  readonly copy: LabDirectory
  readonly #original: LabDirectory
  readonly #seenMs = new Map<string, number>()
  #copying: Promise<void> = Promise.resolve()
  #isOpen = true
  #isConnected = true

  static async of(original: LabDirectory): Promise<Mirror> {
    const mirror = new Mirror(original, await LabDirectory.create())
    await mirror.#copyAll()
    mirror.#copying = mirror.#keepCopying()
    return mirror
  }

  constructor(original: LabDirectory, copy: LabDirectory) {
    this.#original = original
    this.copy = copy
  }

  cut(): void {
    this.#isConnected = false
  }

  /** Everything goes over again, whatever became of the copy. */
  mend(): void {
    this.#seenMs.clear()
    this.#isConnected = true
  }

  async close(): Promise<void> {
    this.#isOpen = false
    await this.#copying
    await this.copy.remove()
  }

  async #keepCopying(): Promise<void> {
    while (this.#isOpen) {
      await sleep(EVERY_MS)
      if (this.#isConnected) await this.#copyAll()
    }
  }

  async #copyAll(): Promise<void> {
    for (const folder of THERE) await this.#copy(folder, this.#original.path, this.copy.path)
    for (const folder of BACK) await this.#copy(folder, this.copy.path, this.#original.path)
  }

  async #copy(folder: string, from: string, to: string): Promise<void> {
    // A folder that is not there yet is empty.
    const names = await readdir(join(from, folder)).catch((): string[] => [])
    for (const name of names.filter((one) => COPIED.test(one))) {
      const source = join(from, folder, name)
      const { mtimeMs } = await stat(source)
      if (this.#seenMs.get(source) === mtimeMs) continue
      const target = join(to, folder, name)
      await mkdir(join(to, folder), { recursive: true })
      await cp(source, `${target}.copy`)
      await rename(`${target}.copy`, target)
      this.#seenMs.set(source, mtimeMs)
    }
  }
}
