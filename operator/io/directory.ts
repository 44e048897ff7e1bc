/**
 * The directory skin of the Cluster port: manifests in DIR/*.yaml, tables, status, keys and balancers' reports beside
 * them.
 * Not here: how files are watched (folder.ts), written (atomic-write.ts) and read (manifest.ts, reports.ts).
 * Invariants: the operator is the only writer of tables, status and keys.json (main.ts holds the lock), so a version
 * is the hash of the text; what was written by us is no news to us; nothing is ever removed because something could
 * not be read.
 */
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseSipProxyStatus, type SipProxyStatus } from '@sipcast/crds'
import {
  ABSENCE_CONFIRM_MS,
  MANIFEST_BYTES_MAX,
  REPORT_BYTES_MAX,
  WATCH_SETTLE_MS,
} from '../limits.ts'
import {
  type BalancerReport,
  type Change,
  type Clock,
  type Cluster,
  type Key,
  type Names,
  type Pod,
  type Sighting,
  StoreError,
  StoreErrorCode,
  type Stored,
  type Tell,
} from '../ports.ts'
import { writeAtomically } from './atomic-write.ts'
import { type FileChange, Folder } from './folder.ts'
import { Manifests } from './manifests.ts'
import { Reports } from './reports.ts'
import { errnoOf, storeErrorOf } from './store-error.ts'

const KEYS_FILE = 'keys.json'
const MANIFEST = /\.ya?ml$/
const JSON_FILE = /\.json$/

export class Directory implements Cluster {
  readonly leaseTransitions = null
  readonly bgpPeers = null
  readonly names: Names = {
    keys: KEYS_FILE,
    keysRemedy: 'mend its permissions or make space',
    addressPools: 'nothing: in directory mode every address may be used',
  }
  readonly #path: string
  readonly #clock: Clock
  readonly #tell: Tell
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #manifests: Manifests
  readonly #reports: Reports
  readonly #folders: { root: Folder; tables: Folder; statuses: Folder; balancers: Folder }

  constructor(options: { path: string; clock: Clock; tell: Tell }) {
    this.#path = options.path
    this.#clock = options.clock
    this.#tell = options.tell
    this.#manifests = new Manifests({
      ...options,
      onChange: (key) => this.#emit({ what: 'sipProxy', key }),
      onDoubt: () => this.#emitUnfound(),
    })
    this.#reports = new Reports({
      tell: options.tell,
      onChange: (name) => this.#emit({ what: 'balancer', name }),
    })
    this.#folders = this.#makeFolders()
  }

  /** Reads everything that is there, then keeps watching. */
  async start(): Promise<void> {
    for (const folder of ['tables', 'status', 'balancers']) {
      await mkdir(join(this.#path, folder), { recursive: true }).catch((cause: unknown) => {
        // Every write says so again and is tried again; starting to probe and to serve is worth more than dying here.
        const message = storeErrorOf(cause, `cannot make ${join(this.#path, folder)}`).message
        this.#tell({ level: 'error', event: 'DirectoryUnwritable', message })
      })
    }
    for (const folder of Object.values(this.#folders)) await folder.start()
    this.#clock.after(ABSENCE_CONFIRM_MS + WATCH_SETTLE_MS, () => this.#emitUnfound())
  }

  async stop(): Promise<void> {
    for (const folder of Object.values(this.#folders)) await folder.stop()
  }

  keys(): ReadonlySet<Key> {
    const { tables, statuses } = this.#folders
    return new Set([
      ...this.#manifests.keys(),
      ...tables.names().flatMap(keyOfFile),
      ...statuses.names().flatMap(keyOfFile),
    ])
  }

  sighting(key: Key): Sighting {
    return this.#manifests.sighting(key)
  }

  /** Pods are a cluster's. */
  pods(): readonly Pod[] {
    return []
  }

  balancers(): readonly BalancerReport[] {
    return this.#reports.all()
  }

  balancer(name: string): BalancerReport | null {
    return this.#reports.get(name)
  }

  async readTable(key: Key): Promise<Stored | null> {
    return await this.#read(this.#fileOf('tables', key))
  }

  async writeTable(key: Key, text: string, ifVersion: string | null): Promise<string> {
    return await this.#write(this.#fileOf('tables', key), text, ifVersion)
  }

  async deleteTable(key: Key): Promise<void> {
    await this.#remove(this.#fileOf('tables', key))
  }

  async readStatus(key: Key): Promise<SipProxyStatus | null> {
    const stored = await this.#read(this.#fileOf('status', key))
    return stored === null ? null : parseStatus(stored.text)
  }

  async writeStatus(key: Key, status: SipProxyStatus): Promise<void> {
    const file = this.#fileOf('status', key)
    await writeAtomically(join(this.#path, file), `${JSON.stringify(status, null, 2)}\n`)
    await this.#folders.statuses.note(fileName(key))
  }

  async deleteStatus(key: Key): Promise<void> {
    await this.#remove(this.#fileOf('status', key))
  }

  setGate(): void {
    // There are no pods here.
  }

  async readKeys(): Promise<Stored | null> {
    const stored = await this.#read(KEYS_FILE)
    if (stored !== null) await this.#keepSecret()
    return stored
  }

  async writeKeys(text: string, ifVersion: string | null): Promise<string> {
    return await this.#write(KEYS_FILE, text, ifVersion, { mode: 0o600, durable: true })
  }

  /** A folder that cannot be watched is read again and again. */
  staleness(): readonly never[] {
    return []
  }

  watch(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #makeFolders() {
    const folder = (name: string) => ({
      path: join(this.#path, name),
      accepts: (file: string) => JSON_FILE.test(file),
      onUnreadable: (why: string | null) => this.#tellFolder(why),
    })
    return {
      root: new Folder({
        ...folder('.'),
        accepts: (name) => MANIFEST.test(name) || name === KEYS_FILE,
        bytesMax: MANIFEST_BYTES_MAX,
        onChanges: (changes) => {
          this.#manifests.update(changes.filter(({ name }) => name !== KEYS_FILE))
          if (changes.some(({ name }) => name === KEYS_FILE)) this.#emit({ what: 'keys' })
        },
        onUnreadable: (why) => this.#manifests.setUnreadable(why),
      }),
      tables: new Folder({
        ...folder('tables'),
        bytesMax: null,
        onChanges: (changes) => this.#emitFiles('table', changes),
      }),
      statuses: new Folder({
        ...folder('status'),
        bytesMax: null,
        onChanges: (changes) => this.#emitFiles('status', changes),
      }),
      balancers: new Folder({
        ...folder('balancers'),
        bytesMax: REPORT_BYTES_MAX,
        onChanges: (changes) => this.#reports.update(changes),
      }),
    }
  }

  #tellFolder(why: string | null): void {
    if (why !== null) this.#tell({ level: 'error', event: 'DirectoryUnreadable', message: why })
  }

  #emit(change: Change): void {
    for (const listener of this.#listeners) listener(change)
  }

  #emitFiles(what: 'table' | 'status', changes: readonly FileChange[]): void {
    for (const key of changes.flatMap(({ name }) => keyOfFile(name))) this.#emit({ what, key })
  }

  /** Whether a SipProxy without manifest is gone for certain has changed: each of them is looked at again. */
  #emitUnfound(): void {
    for (const key of this.keys()) {
      if (this.sighting(key).kind !== 'present') this.#emit({ what: 'sipProxy', key })
    }
  }

  #fileOf(folder: 'tables' | 'status', key: Key): string {
    return join(folder, fileName(key))
  }

  async #read(file: string): Promise<Stored | null> {
    try {
      const text = await readFile(join(this.#path, file), 'utf8')
      return { text, version: versionOf(text) }
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return null
      throw storeErrorOf(cause, `cannot read ${join(this.#path, file)}`)
    }
  }

  async #write(
    file: string,
    text: string,
    ifVersion: string | null,
    options = {},
  ): Promise<string> {
    const current = await this.#read(file)
    if ((current?.version ?? null) !== ifVersion) {
      throw new StoreError(StoreErrorCode.conflict, `${file} was changed by somebody else`)
    }
    await writeAtomically(join(this.#path, file), text, options)
    const [name = ''] = file.split('/').slice(-1)
    await (file === KEYS_FILE ? this.#folders.root : this.#folders.tables).note(name)
    return versionOf(text)
  }

  async #remove(file: string): Promise<void> {
    try {
      await rm(join(this.#path, file), { force: true })
    } catch (cause) {
      throw storeErrorOf(cause, `cannot remove ${join(this.#path, file)}`)
    }
  }

  async #keepSecret(): Promise<void> {
    const path = join(this.#path, KEYS_FILE)
    try {
      const { mode } = await stat(path)
      if ((mode & 0o077) === 0) return
      await chmod(path, 0o600)
      const message = `${path} could be read by others (mode ${(mode & 0o777).toString(8)}); it is 600 now`
      this.#tell({ level: 'warn', event: 'KeysModeMended', message })
    } catch (cause) {
      throw storeErrorOf(cause, `cannot protect ${path}`)
    }
  }
}

function fileName(key: Key): string {
  return `${key.replace('/', '.')}.json`
}

function keyOfFile(name: string): readonly Key[] {
  const match = /^([^.]+)\.(.+)\.json$/.exec(name)
  return match === null ? [] : [`${match[1]}/${match[2]}`]
}

function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A status that cannot be read is written anew; nothing but transition times is lost with it. */
function parseStatus(text: string): SipProxyStatus | null {
  try {
    const parsed = parseSipProxyStatus(JSON.parse(text))
    return parsed.ok ? parsed.status : null
  } catch {
    // Not JSON.
    return null
  }
}
