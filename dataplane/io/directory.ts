/**
 * The directory skin of tables, keys and reports: DIR/tables/NAMESPACE.NAME.json, DIR/keys.json,
 * DIR/balancers/NAME.json. Not here: what the files say, when to look (`directory-watch.ts`). Invariants:
 * names that begin with a dot are writes under way, and skipped; a missing `tables` in a directory that is
 * there means that nothing was published yet.
 */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SipBalancerStatus } from '@sipcast/crds'
import { TABLE_LENGTH_MAX } from '@sipcast/mapping'
import type { KeySource, ReportSink, TableListing, TableSource } from '../ports.ts'
import { isDirectory, writeAtomically } from './atomic-write.ts'
import { readBounded } from './bounded-file.ts'
import { fileVersion } from './file-version.ts'
import { KeysFile } from './keys-file.ts'
import { errnoOf, storeErrorOf } from './store-error.ts'

const SUFFIX = '.json'

export class Directory implements TableSource, KeySource, ReportSink {
  readonly #path: string
  readonly #reportPath: string
  readonly #keys: KeysFile
  /** A report that is gone from the directory is written again by the next heartbeat. */
  readonly isGone = false
  /** The announcer reads that itself. */
  readonly isMaintenanceWanted = false

  /** @param balancer names the report */
  constructor(path: string, balancer: string) {
    this.#path = path
    this.#reportPath = join(path, 'balancers', `${balancer}${SUFFIX}`)
    this.#keys = new KeysFile(join(path, 'keys.json'))
  }

  get tablesPath(): string {
    return join(this.#path, 'tables')
  }

  async list(): Promise<readonly TableListing[]> {
    const names = await this.#tableNames()
    const listings = await Promise.all(
      names.map(async (name) => {
        const version = await fileVersion(join(this.tablesPath, name))
        return version === null ? [] : [{ id: name.slice(0, -SUFFIX.length), version }]
      }),
    )
    return listings.flat()
  }

  async read(id: string): Promise<string | null | undefined> {
    return await readBounded(join(this.tablesPath, `${id}${SUFFIX}`), TABLE_LENGTH_MAX)
  }

  /** Every look is a new one. */
  staleness(): null {
    return null
  }

  trouble(): null {
    return null
  }

  async readKeys(): Promise<string | null> {
    return await this.#keys.readKeys()
  }

  async write(report: SipBalancerStatus): Promise<void> {
    await writeAtomically({
      path: this.#reportPath,
      text: `${JSON.stringify(report, null, 2)}\n`,
      root: this.#path,
    })
  }

  async #tableNames(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.tablesPath)
      return names.filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'))
    } catch (cause) {
      if (errnoOf(cause) !== 'ENOENT' || !(await isDirectory(this.#path))) {
        throw storeErrorOf(cause, `cannot read ${this.tablesPath}`)
      }
      return []
    }
  }
}
