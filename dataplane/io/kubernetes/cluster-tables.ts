/**
 * Tables in ConfigMaps of the operator's namespace, listed and watched. Texts are large and needed once: they
 * are held until they are read, as far as a small budget allows; beyond it, and for a second reading, they are
 * fetched one by one. Not here: what a text says. Invariants: nothing here waits for the API server; what was
 * once heard of stays listed while it can't be reached.
 */

import { ApiError, type ApiObject, type ApiServer, ListWatch, paths } from '@sipcast/kube'
import { TABLE_LENGTH_MAX } from '@sipcast/mapping'
import { TABLE_PAGE_SIZE, TEXTS_LENGTH_MAX } from '../../limits.ts'
import type { Staleness, TableListing, TableSource } from '../../ports.ts'
import type { ClusterOptions } from './cluster.ts'

const SELECTOR = 'sipcast.io/table=1'
const PREFIX = 'sipcast-table-'
const DATA_KEY = 'table.json'

interface HeldText {
  readonly version: string
  /** Null: it is too long. */
  readonly text: string | null
}

export class ClusterTables implements TableSource {
  readonly #api: ApiServer
  readonly #namespace: string
  /** Versions, by the names of ConfigMaps. */
  readonly #watch: ListWatch<string>
  readonly #texts = new Map<string, HeldText>()
  #heldLength = 0
  readonly #missing = new Set<string>()
  #isFetching = false
  #changed: () => void = () => undefined

  constructor({ namespace, ...options }: ClusterOptions & { readonly namespace: string }) {
    this.#api = options.api
    this.#namespace = namespace
    this.#watch = new ListWatch({
      ...options,
      path: paths.configMaps(namespace),
      labelSelector: SELECTOR,
      pageSize: TABLE_PAGE_SIZE,
      take: (object) => this.#take(object),
      onChange: (path, version) => {
        if (version === null) this.#drop(idOf(path))
        this.#changed()
      },
    })
  }

  /** Returns what ends it. */
  follow(changed: () => void): () => void {
    this.#changed = changed
    this.#watch.start()
    return () => this.#watch.stop()
  }

  async list(): Promise<readonly TableListing[] | null> {
    if (!this.#watch.isSynced) return null
    return [...this.#watch.entries()].flatMap(([path, version]) => {
      const id = idOf(path)
      return id === null ? [] : [{ id, version }]
    })
  }

  async read(id: string): Promise<string | null | undefined> {
    const held = this.#texts.get(id)
    if (held !== undefined && held.version === this.#versionOf(id)) {
      this.#drop(id)
      return held.text
    }
    this.#missing.add(id)
    void this.#fetchMissing()
    return undefined
  }

  staleness(): Staleness | null {
    return this.#watch.trouble
  }

  #take(object: ApiObject): string {
    const { uid = '', name, resourceVersion = '' } = object.metadata
    const version = `${uid} ${resourceVersion}`
    const id = idOf(name)
    if (id !== null) this.#hold(id, { version, text: textOf(object) })
    return version
  }

  #hold(id: string, held: HeldText): void {
    this.#drop(id)
    const length = held.text?.length ?? 0
    if (this.#heldLength > 0 && this.#heldLength + length > TEXTS_LENGTH_MAX) return
    this.#texts.set(id, held)
    this.#heldLength += length
  }

  #drop(id: string | null): void {
    if (id === null) return
    this.#heldLength -= this.#texts.get(id)?.text?.length ?? 0
    this.#texts.delete(id)
  }

  #versionOf(id: string): string | undefined {
    return this.#watch.get(`${this.#namespace}/${PREFIX}${id}`)
  }

  /** One after the other, while there is room; what fails is asked for again by the next `read`. */
  async #fetchMissing(): Promise<void> {
    if (this.#isFetching) return
    this.#isFetching = true
    this.#dropStrays()
    try {
      for (const id of this.#missing) {
        if (this.#heldLength >= TEXTS_LENGTH_MAX) return
        const isThere = await this.#fetch(id)
        this.#missing.delete(id)
        if (isThere) this.#changed()
      }
    } catch (error) {
      // The watch notices an API server in trouble, too, and says so.
      if (!(error instanceof ApiError)) throw error
    } finally {
      this.#isFetching = false
    }
  }

  /** False: it is gone, of which the watch is going to tell. */
  async #fetch(id: string): Promise<boolean> {
    const object = await this.#api.get(paths.configMap(this.#namespace, `${PREFIX}${id}`))
    const version = this.#versionOf(id)
    if (object === null || version === undefined) return false
    // At least as new as what was watched; if newer, the watch is going to say so.
    this.#hold(id, { version, text: textOf(object) })
    return true
  }

  /** Texts of lists that were refused or broke off: nobody is going to read them, and they take others' room. */
  #dropStrays(): void {
    for (const [id, { version }] of this.#texts) if (version !== this.#versionOf(id)) this.#drop(id)
  }
}

/** Null: it is too long. An object without the text is a table that can't be read. */
function textOf({ data }: ApiObject): string | null {
  const text = (data as Readonly<Record<string, string>> | undefined)?.[DATA_KEY] ?? ''
  return text.length > TABLE_LENGTH_MAX ? null : text
}

/** NAMESPACE.NAME; null if the ConfigMap is not named like a table. */
function idOf(path: string): string | null {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const id = name.slice(PREFIX.length)
  return name.startsWith(PREFIX) && id.indexOf('.') > 0 ? id : null
}
