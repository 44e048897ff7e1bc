/**
 * The fake API server's memory: objects by kind and id, one version counter for all, and a history for watches.
 * Not here: what requests may do (object-requests.ts). Invariants: every change has a version of its own, larger than
 * all before; stored objects are never changed in place.
 */
import { isDeepStrictEqual } from 'node:util'
import { type ApiObject, idOf } from '@sipcast/kube'
import type { ResourceKind } from './resource-kind.ts'

export interface Change {
  readonly version: number
  readonly kind: ResourceKind
  readonly before: ApiObject | null
  /** Null: deleted. */
  readonly after: ApiObject | null
}

/** Changes that a watch may still ask for. */
const HISTORY_MAX = 10_000

export class ObjectStore {
  readonly #byKind = new Map<ResourceKind, Map<string, ApiObject>>()
  readonly #listeners = new Set<(change: Change) => void>()
  #history: Change[] = []
  #forgottenVersion = 0
  #version = 1

  get version(): number {
    return this.#version
  }

  get(kind: ResourceKind, id: string): ApiObject | undefined {
    return this.#byKind.get(kind)?.get(id)
  }

  /** In the order of their ids. */
  list(kind: ResourceKind, namespace?: string): ApiObject[] {
    const all = [...(this.#byKind.get(kind)?.entries() ?? [])]
    return all
      .filter(([, { metadata }]) => namespace === undefined || metadata.namespace === namespace)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object)
  }

  kinds(): Iterable<ResourceKind> {
    return this.#byKind.keys()
  }

  /** The object as stored: unchanged and with its old version where nothing differs. */
  put(kind: ResourceKind, object: ApiObject): ApiObject {
    const objects = this.#byKind.getOrInsertComputed(kind, () => new Map<string, ApiObject>())
    const id = idOf(object)
    const before = objects.get(id) ?? null
    if (before !== null && isDeepStrictEqual(withVersion(object, before), before)) return before
    this.#version += 1
    const after = freeze(withVersion(object, this.#version))
    objects.set(id, after)
    this.#record({ version: this.#version, kind, before, after })
    return after
  }

  /** Resolves to the object as it was, under the version of its deletion. */
  remove(kind: ResourceKind, id: string): ApiObject | undefined {
    const objects = this.#byKind.get(kind)
    const before = objects?.get(id)
    if (objects === undefined || before === undefined) return undefined
    objects.delete(id)
    this.#version += 1
    this.#record({ version: this.#version, kind, before, after: null })
    return withVersion(before, this.#version)
  }

  /** Null where they are no longer known. */
  changesSince(version: number): readonly Change[] | null {
    if (version < this.#forgottenVersion) return null
    return this.#history.filter((change) => change.version > version)
  }

  /** As after a compaction: only what changes from now on is known. */
  forgetHistory(): void {
    // Even a watch from the newest version is too old then.
    this.#version += 1
    this.#forgottenVersion = this.#version
    this.#history = []
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #record(change: Change): void {
    this.#history.push(change)
    if (this.#history.length > HISTORY_MAX) {
      const [oldest] = this.#history.splice(0, HISTORY_MAX / 10).slice(-1)
      this.#forgottenVersion = oldest?.version ?? this.#forgottenVersion
    }
    for (const listener of this.#listeners) listener(change)
  }
}

export function withVersion(object: ApiObject, version: number | ApiObject): ApiObject {
  const resourceVersion =
    typeof version === 'number' ? String(version) : version.metadata.resourceVersion
  const metadata = {
    ...object.metadata,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
  return { ...object, metadata }
}

/** As it would come back over the wire; nobody changes it later. */
function freeze(object: ApiObject): ApiObject {
  return JSON.parse(JSON.stringify(object)) as ApiObject
}
