/**
 * Keys from the Secret by its name, for balancers that have no mounted copy of it: outside the cluster. Not
 * here: what they say. Invariant: the last keys that were heard of stay while the API server can't be reached.
 */

import { type ApiObject, ListWatch, paths } from '@sipcast/kube'
import { API_PATIENCE_MS, KEYS_BYTES_MAX } from '../../limits.ts'
import { type KeySource, StoreError, StoreErrorCode } from '../../ports.ts'
import type { ClusterOptions } from './cluster.ts'
import { stalenessOf, Trouble } from './trouble.ts'

const NAME = 'sipcast-keys'
const DATA_KEY = 'keys.json'

export class SecretKeys implements KeySource {
  readonly #watch: ListWatch<string>
  readonly #clock: ClusterOptions['clock']
  readonly #trouble = new Trouble()
  #changed: () => void = () => undefined

  constructor({ namespace, ...options }: ClusterOptions & { readonly namespace: string }) {
    this.#clock = options.clock
    this.#watch = new ListWatch({
      ...options,
      path: paths.secrets(namespace),
      fieldSelector: `metadata.name=${NAME}`,
      take: textOf,
      onChange: () => this.#changed(),
      onTrouble: (message, code) => this.#trouble.tell(message, code),
    })
  }

  /** Returns what ends it. */
  follow(changed: () => void): () => void {
    this.#changed = changed
    this.#watch.start()
    return () => this.#watch.stop()
  }

  async readKeys(): Promise<string | null | undefined> {
    const stale = stalenessOf(this.#watch, this.#trouble)
    const staleMs = stale === null ? 0 : this.#clock.nowMs() - stale.sinceMs
    if (staleMs > API_PATIENCE_MS) {
      throw new StoreError(StoreErrorCode.unavailable, `Secret ${NAME}: ${stale?.message}`)
    }
    if (!this.#watch.isSynced) return undefined
    const [entry] = this.#watch.entries()
    return entry?.[1] ?? null
  }
}

/** What is too long is cut off, and so refused. */
function textOf({ data }: ApiObject): string {
  const base64 = (data as Readonly<Record<string, string>> | undefined)?.[DATA_KEY] ?? ''
  return Buffer.from(base64, 'base64').subarray(0, KEYS_BYTES_MAX).toString('utf8')
}
