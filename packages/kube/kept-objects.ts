/**
 * What a list-and-watch keeps: of each object its version, uid and the value taken from it. Invariants: an older
 * version never replaces a newer one of the same object; each change is told once.
 */
import { type ApiObject, idOf, isOlder } from './api-object.ts'

interface Kept<T> {
  readonly uid: string | undefined
  readonly version: string | undefined
  readonly value: T
}

export interface KeptObjectsOptions<T> {
  readonly take: (object: ApiObject) => T
  readonly onChange: (id: string, value: T | null, last: T | null) => void
  /** A programmer's error in `take` or `onChange`; the object's change is lost, nothing else. */
  readonly onDefect: (error: unknown, id: string) => void
}

/** A complete list in the making, so that its pages need not be kept. */
export type Listing<T> = Map<string, Kept<T>>

export class KeptObjects<T> {
  readonly #options: KeptObjectsOptions<T>
  #kept = new Map<string, Kept<T>>()

  constructor(options: KeptObjectsOptions<T>) {
    this.#options = options
  }

  get(id: string): T | undefined {
    return this.#kept.get(id)?.value
  }

  *entries(): Generator<[string, T]> {
    for (const [id, { value }] of this.#kept) yield [id, value]
  }

  /** One object of a list; what is known already in this version is not taken anew. */
  collect(listing: Listing<T>, object: ApiObject): void {
    const id = idOf(object)
    const { uid, resourceVersion } = object.metadata
    const last = this.#kept.get(id)
    const isSame = last !== undefined && last.uid === uid && last.version === resourceVersion
    const kept = isSame ? last : (this.#take(id, object) ?? last)
    if (kept !== undefined) listing.set(id, kept)
  }

  /** The list is complete: it becomes what is kept. */
  replaceAll(listing: Listing<T>): void {
    const last = this.#kept
    this.#kept = listing
    for (const [id, { value }] of last) if (!listing.has(id)) this.#tell(id, null, value)
    for (const [id, kept] of listing) {
      const before = last.get(id)
      if (before !== kept) this.#tell(id, kept.value, before?.value ?? null)
    }
  }

  put(object: ApiObject): void {
    const id = idOf(object)
    const last = this.#kept.get(id)
    if (last !== undefined && isOlder(object.metadata.resourceVersion, last.version) === true)
      return
    if (last !== undefined && last.version === object.metadata.resourceVersion) return
    const kept = this.#take(id, object)
    if (kept === null) return
    this.#kept.set(id, kept)
    this.#tell(id, kept.value, last?.value ?? null)
  }

  remove(object: ApiObject): void {
    const id = idOf(object)
    const last = this.#kept.get(id)
    if (last === undefined) return
    if (isOlder(object.metadata.resourceVersion, last.version) === true) return
    this.#kept.delete(id)
    this.#tell(id, null, last.value)
  }

  #take(id: string, object: ApiObject): Kept<T> | null {
    const { uid, resourceVersion: version } = object.metadata
    try {
      return { uid, version, value: this.#options.take(object) }
    } catch (error) {
      this.#options.onDefect(error, id)
      return null
    }
  }

  #tell(id: string, value: T | null, last: T | null): void {
    try {
      this.#options.onChange(id, value, last)
    } catch (error) {
      this.#options.onDefect(error, id)
    }
  }
}
