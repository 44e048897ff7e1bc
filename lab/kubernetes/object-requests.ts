/**
 * What the fake API server does with a request for objects: create, replace, patch, apply, delete, each with
 * compare-and-set, generation, status apart, finalizers. Not here: HTTP, lists and watches; schemas, defaults and
 * admission of a real one.
 */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ApiObject, ObjectMetadata } from '@sipcast/kube'
import { ApiRefusal, badRequest, conflict, notFound } from './api-refusal.ts'
import type { ObjectStore } from './object-store.ts'
import { apiVersionOf, type Target } from './resource-kind.ts'
import { apply, type Managers } from './server-side-apply.ts'

/** etcd's, as the API server has it. */
const OBJECT_BYTES_MAX = 1_500_000

export interface ApplyQuery {
  readonly fieldManager: string | null
  readonly force: boolean
}

export class ObjectRequests {
  readonly #store: ObjectStore
  /** What was applied, by kind, id and subresource; forgotten with the object. */
  readonly #managers = new Map<string, Managers>()

  constructor(store: ObjectStore) {
    this.#store = store
  }

  get(target: Target): ApiObject {
    const object = this.#store.get(target.kind, idOfTarget(target))
    if (object === undefined) throw notFound(describe(target))
    return object
  }

  create(target: Target, sent: ApiObject): ApiObject {
    const { kind, namespace } = target
    const { name, generateName } = (sent.metadata ?? {}) as ObjectMetadata & {
      generateName?: string
    }
    const finalName = name ?? (generateName === undefined ? undefined : generateName + suffix())
    if (finalName === undefined)
      throw invalid('metadata.name: Required value: name or generateName is required')
    if (sent.metadata.resourceVersion)
      throw badRequest('resourceVersion should not be set on objects to be created')
    checkNamespace(sent, namespace)
    const made = { ...target, name: finalName }
    if (this.#store.get(kind, idOfTarget(made)) !== undefined) {
      throw new ApiRefusal(409, 'AlreadyExists', `${describe(made)} already exists`)
    }
    return this.#store.put(kind, this.#born(made, sent))
  }

  replace(target: Target, sent: ApiObject): ApiObject {
    const before = this.get(target)
    if (sent.metadata?.name !== target.name)
      throw badRequest('the name of the object does not match the name on the URL')
    checkNamespace(sent, target.namespace)
    return this.#update(target, before, sent)
  }

  /** JSON merge patch (RFC 7386). */
  patch(target: Target, patch: unknown): ApiObject {
    const before = this.get(target)
    const patched = mergePatch(before, patch) as ApiObject
    return this.#update(target, before, patched)
  }

  apply(target: Target, sent: ApiObject, { fieldManager, force }: ApplyQuery): ApiObject {
    if (!fieldManager) throw badRequest('fieldManager: is required for apply patch')
    if (!sent.apiVersion || !sent.kind) throw badRequest('apiVersion and kind must be set')
    const key = `${target.kind.resource} ${idOfTarget(target)} ${target.isStatus}`
    const before = this.#store.get(target.kind, idOfTarget(target))
    if (before === undefined) {
      if (target.isStatus) throw notFound(describe(target))
      this.#managers.set(key, new Map([[fieldManager, sent]]))
      return this.#store.put(target.kind, this.#born(target, sent))
    }
    // Kept back until the update is accepted.
    const managers: Managers = new Map(this.#managers.get(key))
    const application = { manager: fieldManager, force, applied: sent }
    const after = this.#update(target, before, apply(before, application, managers) as ApiObject)
    this.#managers.set(key, managers)
    return after
  }

  delete(
    target: Target,
    preconditions: { uid?: string; resourceVersion?: string } = {},
  ): ApiObject {
    const object = this.get(target)
    for (const name of ['uid', 'resourceVersion'] as const) {
      if (preconditions[name] === undefined || preconditions[name] === object.metadata[name])
        continue
      throw conflict(
        `the ${name} in the precondition (${preconditions[name]}) is not ${object.metadata[name]}`,
      )
    }
    if (finalizersOf(object).length === 0) return this.#remove(target)
    const metadata = { deletionTimestamp: now(), ...object.metadata }
    return this.#store.put(target.kind, { ...object, metadata })
  }

  #remove(target: Target): ApiObject {
    const { kind } = target
    const id = idOfTarget(target)
    for (const isStatus of [true, false])
      this.#managers.delete(`${kind.resource} ${id} ${isStatus}`)
    const removed = this.#store.remove(kind, id)
    if (removed === undefined) throw notFound(describe(target))
    return removed
  }

  #born({ kind, namespace, name }: Target, sent: ApiObject): ApiObject {
    const { status: _dropped, ...rest } = sent
    const metadata = {
      ...sent.metadata,
      name: name ?? sent.metadata.name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: randomUUID(),
      creationTimestamp: now(),
      ...(kind.hasGeneration ? { generation: 1 } : {}),
    }
    const body = kind.hasStatus ? rest : sent
    return checkSize({ ...body, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata })
  }

  #update(target: Target, before: ApiObject, wanted: ApiObject): ApiObject {
    const { uid, resourceVersion } = wanted.metadata
    if (uid !== undefined && uid !== before.metadata.uid)
      throw conflict(`the UID is ${before.metadata.uid}`)
    if (
      resourceVersion !== undefined &&
      resourceVersion !== '' &&
      resourceVersion !== before.metadata.resourceVersion
    ) {
      throw conflict(
        'the object has been modified; please apply your changes to the latest version and try again',
      )
    }
    const after = checkSize(updated(target, before, wanted))
    const isLetGo =
      after.metadata.deletionTimestamp !== undefined && finalizersOf(after).length === 0
    return isLetGo ? this.#remove(target) : this.#store.put(target.kind, after)
  }
}

/** `wanted` where it may be written, `before` elsewhere. */
function updated({ kind, isStatus }: Target, before: ApiObject, wanted: ApiObject): ApiObject {
  if (isStatus) return { ...before, status: wanted['status'] }
  const { status: _theirs, ...body } = wanted
  const status = kind.hasStatus && 'status' in before ? { status: before['status'] } : {}
  const after = kind.hasStatus ? { ...body, ...status } : wanted
  const { uid, creationTimestamp, deletionTimestamp, generation, resourceVersion } = before.metadata
  const fixed = { uid, creationTimestamp, deletionTimestamp, generation, resourceVersion }
  const known = Object.entries(fixed).filter(([, value]) => value !== undefined)
  const metadata = { ...wanted.metadata, ...Object.fromEntries(known) } as ObjectMetadata
  const { apiVersion, kind: kindName } = before
  const identity = { ...(apiVersion && { apiVersion }), ...(kindName && { kind: kindName }) }
  const grown = kind.hasGeneration && !isDeepStrictEqual(bodyOf(after), bodyOf(before))
  const counted = grown ? { ...metadata, generation: (generation ?? 0) + 1 } : metadata
  return { ...after, ...identity, metadata: counted }
}

/** All but metadata and status. */
function bodyOf({
  metadata: _m,
  status: _s,
  apiVersion: _a,
  kind: _k,
  ...body
}: ApiObject): object {
  return body
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target)
  const merged: Record<string, unknown> = isObject ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name], value)
  }
  return merged
}

export function idOfTarget({ namespace, name }: Target): string {
  return namespace === undefined ? `${name}` : `${namespace}/${name}`
}

function describe({ kind, name }: Target): string {
  return `${kind.resource}${kind.group === '' ? '' : `.${kind.group}`} "${name}"`
}

function checkNamespace(sent: ApiObject, namespace: string | undefined): void {
  const stated = sent.metadata.namespace
  if (stated === undefined || stated === namespace) return
  throw badRequest(
    'the namespace of the provided object does not match the namespace sent on the request',
  )
}

function checkSize(object: ApiObject): ApiObject {
  if (JSON.stringify(object).length <= OBJECT_BYTES_MAX) return object
  throw new ApiRefusal(413, 'RequestEntityTooLarge', 'etcdserver: request is too large')
}

function finalizersOf({ metadata }: ApiObject): readonly string[] {
  return (metadata as { finalizers?: readonly string[] }).finalizers ?? []
}

function invalid(message: string): ApiRefusal {
  return new ApiRefusal(422, 'Invalid', message)
}

function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`
}

function suffix(): string {
  return randomUUID().slice(0, 5)
}
