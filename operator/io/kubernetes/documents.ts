/**
 * Texts that live in objects of one namespace, one each: tables in ConfigMaps, keys in a Secret. Reads answer from what
 * the watch has brought and we have written ourselves, whichever is newer; where that is uncertain, the API server is
 * asked.
 * Not here: what the texts say. Invariants: every write is a compare-and-set; what we wrote is no news to us; after a
 * write that failed, whatever the reason, the next read asks the API server.
 */
import { ApiError, ApiErrorCode, type ApiObject, type ApiServer, ListWatch } from '@sipcast/kube'
import type { Stored } from '../../ports.ts'
import { storing } from './api-store-error.ts'
import { isNewer } from './metadata.ts'
import type { Watching } from './watching.ts'

export interface DocumentsOptions {
  readonly api: ApiServer
  readonly watching: Watching
  /** Singular, for people: `ConfigMap`. */
  readonly kind: 'ConfigMap' | 'Secret'
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Key of the text in `data`. */
  readonly field: string
  readonly collectionPath: string
  readonly pathOf: (name: string) => string
  /** What others did to an object of this name. */
  readonly onChange: (name: string) => void
}

export class Documents {
  readonly #options: DocumentsOptions
  readonly #watch: ListWatch<Stored>
  readonly #known = new Map<string, Stored>()
  /** Under way: the watch may bring them before the answer does. */
  readonly #writing = new Map<string, string>()
  /** Deleted by us, and in which version: the watch brings their lives afterwards. */
  readonly #deleted = new Map<string, string>()
  /** What is known of these may be out of date. */
  readonly #doubtful = new Set<string>()

  constructor(options: DocumentsOptions) {
    this.#options = options
    const { api, watching, collectionPath: path, labelSelector, fieldSelector } = options
    this.#watch = new ListWatch<Stored>({
      api,
      path,
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      take: (object) => this.#shared(object),
      onChange: (id, stored, last) => this.#see(id.slice(id.indexOf('/') + 1), stored, last),
      ...watching.optionsFor(path),
    })
    watching.add(path, this.#watch)
  }

  names(): Iterable<string> {
    return this.#known.keys()
  }

  texts(): Iterable<Stored> {
    return this.#known.values()
  }

  async read(name: string): Promise<Stored | null> {
    if (this.#doubtful.has(name)) await this.#readThrough(name)
    return this.#known.get(name) ?? null
  }

  /** Resolves to the new version. @throws StoreError */
  async write(name: string, text: string, ifVersion: string | null): Promise<string> {
    const { api, kind, collectionPath, pathOf } = this.#options
    const object = this.#objectOf(name, text, ifVersion)
    const what = `cannot write ${kind} ${this.#place(name)}`
    this.#writing.set(name, text)
    const written =
      ifVersion === null
        ? await this.#changing(name, what, () => creating(() => api.create(collectionPath, object)))
        : await this.#changing(name, what, () => api.replace(pathOf(name), object))
    const stored = this.#shared(written)
    const known = this.#known.get(name)
    if (known === undefined || isNewer(stored.version, known.version)) this.#known.set(name, stored)
    return stored.version
  }

  async delete(name: string): Promise<void> {
    const { api, kind, pathOf } = this.#options
    const version = this.#known.get(name)?.version
    const preconditions = version === undefined ? {} : { resourceVersion: version }
    await this.#changing(name, `cannot delete ${kind} ${this.#place(name)}`, () =>
      api.delete(pathOf(name), preconditions),
    )
    this.#known.delete(name)
    if (version !== undefined) this.#deleted.set(name, version)
  }

  async #changing<T>(name: string, what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await storing(what, request)
    } catch (cause) {
      this.#doubtful.add(name)
      throw cause
    } finally {
      this.#writing.delete(name)
    }
  }

  async #readThrough(name: string): Promise<void> {
    const { api, kind, pathOf } = this.#options
    const what = `cannot read ${kind} ${this.#place(name)}`
    const object = await storing(what, () => api.get(pathOf(name)))
    this.#doubtful.delete(name)
    if (object === null) this.#known.delete(name)
    else this.#known.set(name, this.#storedOf(object))
  }

  #see(name: string, stored: Stored | null, last: Stored | null): void {
    const known = this.#known.get(name)
    const deleted = this.#deleted.get(name)
    if (stored === null) {
      this.#deleted.delete(name)
      if (known === undefined) return
      // Whether it is what we wrote since that is gone, only the API server can tell.
      if (last?.version !== known.version) this.#doubtful.add(name)
      else this.#known.delete(name)
    } else {
      const newest = known?.version ?? deleted
      if (newest !== undefined && !isNewer(stored.version, newest)) return
      this.#known.set(name, stored)
      if (stored.text === this.#writing.get(name)) return
    }
    this.#options.onChange(name)
  }

  /** As `#storedOf`, with the text that is held already where it is the same: of a thousand large ones no copies. */
  #shared(object: ApiObject): Stored {
    const { name } = object.metadata
    const { text, version } = this.#storedOf(object)
    const held = [this.#writing.get(name), this.#known.get(name)?.text]
    return { text: held.find((one) => one === text) ?? text, version }
  }

  #storedOf({ metadata, ...fields }: ApiObject): Stored {
    const { field, labels, kind } = this.#options
    const version = metadata.resourceVersion ?? ''
    const data = (fields['data'] ?? {}) as Readonly<Record<string, string>>
    // Without its labels nobody finds it: as good as damaged.
    const isLabelled = Object.entries(labels).every(
      ([key, value]) => metadata.labels?.[key] === value,
    )
    const text = isLabelled ? (data[field] ?? '') : ''
    return { text: kind === 'Secret' ? Buffer.from(text, 'base64').toString() : text, version }
  }

  #objectOf(name: string, text: string, version: string | null): ApiObject {
    const { kind, namespace, labels, field } = this.#options
    return {
      apiVersion: 'v1',
      kind,
      metadata: {
        name,
        namespace,
        labels,
        ...(version === null ? {} : { resourceVersion: version }),
      },
      data: { [field]: kind === 'Secret' ? Buffer.from(text).toString('base64') : text },
    }
  }

  #place(name: string): string {
    return `${this.#options.namespace}/${name}`
  }
}

/** What is not found when something is made is its namespace: that is no conflict, and a person must hear of it. */
async function creating(request: () => Promise<ApiObject>): Promise<ApiObject> {
  try {
    return await request()
  } catch (cause) {
    if (!(cause instanceof ApiError) || cause.code !== ApiErrorCode.notFound) throw cause
    throw new ApiError(cause.message, { code: ApiErrorCode.unavailable, cause })
  }
}
