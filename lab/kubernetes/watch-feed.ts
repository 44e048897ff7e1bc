/**
 * One open watch of the fake API server: the changes of one kind, as seen through a selector, as lines of JSON.
 * An object that comes into the selection is ADDED, one that leaves it DELETED.
 */
import type { ServerResponse } from 'node:http'
import type { ApiObject } from '@sipcast/kube'
import { type Change, withVersion } from './object-store.ts'
import { apiVersionOf, type ResourceKind } from './resource-kind.ts'
import type { Selector } from './selector.ts'

export interface WatchOptions {
  readonly response: ServerResponse
  readonly kind: ResourceKind
  readonly namespace: string | undefined
  readonly selector: Selector
  readonly wantsBookmarks: boolean
}

export class WatchFeed {
  readonly #options: WatchOptions
  #isSilent = false

  constructor(options: WatchOptions) {
    this.#options = options
  }

  get kind(): ResourceKind {
    return this.#options.kind
  }

  see({ kind, version, before, after }: Change): void {
    if (kind !== this.#options.kind) return
    const was = before !== null && this.#selects(before)
    const is = after !== null && this.#selects(after)
    if (is) this.send(was ? 'MODIFIED' : 'ADDED', after)
    else if (was) this.send('DELETED', withVersion(before, version))
  }

  bookmark(version: number): void {
    if (!this.#options.wantsBookmarks) return
    const { kind } = this.#options
    const metadata = { resourceVersion: String(version), creationTimestamp: null }
    this.send('BOOKMARK', { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata })
  }

  send(type: string, object: object): void {
    this.sendLine(JSON.stringify({ type, object }))
  }

  sendLine(line: string): void {
    const { response } = this.#options
    if (!this.#isSilent && !response.writableEnded) response.write(`${line}\n`)
  }

  /** Stays open and says nothing any more: what happens to a connection whose path was lost. */
  silence(): void {
    this.#isSilent = true
  }

  endCleanly(): void {
    this.#options.response.end()
  }

  reset(): void {
    this.#options.response.socket?.resetAndDestroy()
  }

  #selects(object: ApiObject): boolean {
    const { namespace, selector } = this.#options
    if (namespace !== undefined && object.metadata.namespace !== namespace) return false
    return selector(object)
  }
}
