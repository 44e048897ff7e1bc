/**
 * Lists of the fake API server, in pages: a `continue` token leads on in the list as it was when its first page was
 * read.
 */

import type { ApiObject } from '@sipcast/kube'
import { expired } from './api-refusal.ts'
import type { ObjectStore } from './object-store.ts'
import { apiVersionOf, type ResourceKind, type Target } from './resource-kind.ts'
import { parseSelectors } from './selector.ts'

interface Pending {
  readonly items: readonly ApiObject[]
  readonly version: number
}

/** Lists begun and not read to their end. */
const PENDING_MAX = 100

export class ListPages {
  readonly #pending = new Map<string, Pending>()
  #frozen: {
    readonly version: number
    list(kind: ResourceKind, namespace?: string): ApiObject[]
  } | null = null
  #tokens = 0

  list(store: ObjectStore, target: Target, query: URLSearchParams, isStale: boolean): object {
    const { kind } = target
    const { items, version } =
      this.#pendingOf(query.get('continue')) ??
      this.#begin(isStale ? (this.#frozen ?? store) : store, target, query)
    const limit = Number(query.get('limit') ?? 0) || items.length
    const rest = items.slice(limit)
    const metadata = {
      resourceVersion: String(version),
      ...this.#remember({ items: rest, version }),
    }
    return {
      apiVersion: apiVersionOf(kind),
      kind: `${kind.kind}List`,
      metadata,
      // A real server does not repeat them in the items of its own kinds.
      items: items.slice(0, limit).map(({ apiVersion: _a, kind: _k, ...item }) => item),
    }
  }

  /** From now on stale lists show this. */
  freeze(store: ObjectStore): void {
    const { version } = store
    const byKind = new Map<ResourceKind, ApiObject[]>()
    const all = (kind: ResourceKind) => byKind.get(kind) ?? []
    for (const kind of store.kinds()) byKind.set(kind, store.list(kind))
    this.#frozen = {
      version,
      list: (kind, namespace) =>
        all(kind).filter(
          ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
        ),
    }
  }

  thaw(): void {
    this.#frozen = null
  }

  /** Tokens given out lead nowhere any more. */
  forget(): void {
    this.#pending.clear()
  }

  #begin(
    from: Pick<ObjectStore, 'list' | 'version'>,
    { kind, namespace }: Target,
    query: URLSearchParams,
  ): Pending {
    const selector = parseSelectors(query.get('labelSelector'), query.get('fieldSelector'))
    return { items: from.list(kind, namespace).filter(selector), version: from.version }
  }

  #pendingOf(token: string | null): Pending | null {
    if (token === null || token === '') return null
    const pending = this.#pending.get(token)
    if (pending === undefined) throw expired('The provided continue parameter is too old')
    return pending
  }

  #remember(pending: Pending): { continue?: string; remainingItemCount?: number } {
    if (pending.items.length === 0) return {}
    this.#tokens += 1
    const token = `page-${this.#tokens}`
    this.#pending.set(token, pending)
    const [oldest] = this.#pending.keys()
    if (this.#pending.size > PENDING_MAX && oldest !== undefined) this.#pending.delete(oldest)
    return { continue: token, remainingItemCount: pending.items.length }
  }
}
