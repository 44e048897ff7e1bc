/**
 * Keys from the Secret by its name, for balancers that have no mounted copy of it: outside the cluster. Not
 * here: what they say. Invariant: the last keys that were heard of stay while the API server can't be reached.
 */

import { type ApiObject, ListWatch, paths } from '@sipcast/kube'
import { KEYS_BYTES_MAX } from '../../limits.ts'
import { type KeySource, StoreError, StoreErrorCode } from '../../ports.ts'
import type { ClusterOptions } from './cluster.ts'
import { lastingTrouble } from './trouble.ts'

const NAME = 'sipcast-keys'
const DATA_KEY = 'keys.json'

export class SecretKeys implements KeySource {
  readonly #watch: ListWatch<string>
  readonly #clock: ClusterOptions['clock']
  #changed: () => void = () => undefined

  constructor({ namespace, ...options }: ClusterOptions & { readonly namespace: string }) {
    this.#clock = options.clock
    this.#watch = new ListWatch({
      ...options,
      path: paths.secrets(namespace),
      fieldSelector: `metadata.name=${NAME}`,
      take: textOf,
      onChange: () => this.#changed(),
    })
  }

  /** Returns what ends it. */
  follow(changed: () => void): () => void {
    this.#changed = changed
    this.#watch.start()
    return () => this.#watch.stop()
  }

  async readKeys(): Promise<string | null | undefined> {
    const trouble = lastingTrouble(this.#watch.trouble, this.#clock.nowMs())
    if (trouble !== null) {
      throw new StoreError(StoreErrorCode.unavailable, `Secret ${NAME}: ${trouble}`)
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
