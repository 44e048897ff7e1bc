/**
 * Keeps the stored keys as keys.ts says they should be, and knows which key signs. The only writer of keys.
 * Invariants: a key signs only once it is stored where balancers read it; keys in memory are put back when what is
 * stored is lost; keys that are nowhere any more are replaced under new ids, loudly, because every token made with
 * them is void.
 */
import type { Balancers } from './balancers.ts'
import { encodeKeys, type KeyNews, type MacKey, parseKeys, stepKeys } from './keys.ts'
import type { Metrics } from './metrics.ts'
import { type Ports, StoreError, type Stored } from './ports.ts'

export interface KeyKeeperOptions {
  readonly ports: Ports
  readonly balancers: Balancers
  readonly metrics: Metrics
  /** The ids that tables name now. */
  readonly namedByTables: () => ReadonlySet<number>
  readonly onSigningKey: () => void
}

const NEWS: Readonly<Record<KeyNews['event'], string>> = {
  KeyCreated: 'is made; it signs when all balancers accept it',
  KeySigning: 'signs from now on',
  KeyRemoved: 'is no longer accepted: its last use is long past',
}

export class KeyKeeper {
  readonly #options: KeyKeeperOptions
  #keys: readonly MacKey[] | null = null
  #signingKey: number | null = null
  #failing = ''
  #stepping: Promise<void> = Promise.resolve()

  constructor(options: KeyKeeperOptions) {
    this.#options = options
  }

  get signingKey(): number | null {
    return this.#signingKey
  }

  /** Looks at the stored keys and does what is due; steps never overlap. */
  step(): Promise<void> {
    this.#stepping = this.#stepping.then(() => this.#tryStep())
    return this.#stepping
  }

  async #tryStep(): Promise<void> {
    const { metrics, ports } = this.#options
    try {
      await this.#step()
      if (this.#failing === '') return
      this.#failing = ''
      ports.tell({ level: 'info', event: 'KeysRecovered', message: 'keys can be stored again' })
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause
      // Tried again with the next step; what signs goes on signing.
      metrics.storeFailures.inc({ what: 'keys', code: cause.code })
      if (this.#failing === cause.message) return
      this.#failing = cause.message
      ports.tell({ level: 'error', event: 'KeysFailed', message: cause.message })
    }
  }

  async #step(): Promise<void> {
    const { ports, balancers, namedByTables } = this.#options
    const stored = await ports.cluster.readKeys()
    const base = this.#base(stored)
    const next = stepKeys({
      keys: base,
      acceptedKeyIds: balancers.acceptedKeyIds(),
      namedByTables: namedByTables(),
      nowMs: ports.clock.nowMs(),
      newSecret: () => ports.random.hex(16),
    })
    const text = encodeKeys(next.keys)
    if (text !== stored?.text) await ports.cluster.writeKeys(text, stored?.version ?? null)
    this.#keys = next.keys
    for (const { event, id } of next.news) {
      ports.tell({ level: 'info', event, message: `key ${id} ${NEWS[event]}`, details: { id } })
    }
    if (next.signingKey === this.#signingKey) return
    this.#signingKey = next.signingKey
    this.#options.onSigningKey()
  }

  /** The keys to go on from: what is stored, unless that would lose the one that signs. */
  #base(stored: Stored | null): readonly MacKey[] {
    const found = stored === null ? null : parseKeys(stored.text)
    const known = this.#keys
    const { tell, cluster } = this.#options.ports
    const { keys: name } = cluster.names
    const state = stored === null ? 'missing' : 'damaged'
    if (known === null) {
      if (found === null && (stored !== null || this.#options.namedByTables().size > 0)) {
        const message = `${name} was ${state}: new keys are made, and tokens of the old ones are void until phones register again`
        tell({ level: 'error', event: 'KeysRecreated', message })
      }
      return found ?? []
    }
    if (found !== null && keepsSigner(found, known, this.#signingKey)) return found
    const message =
      found === null
        ? `${name} was ${state}: the keys in memory are written again`
        : `${name} was changed without the key that signs: the keys in memory are written again`
    tell({ level: 'error', event: 'KeysRestored', message })
    return known
  }
}

function keepsSigner(
  found: readonly MacKey[],
  known: readonly MacKey[],
  signingKey: number | null,
): boolean {
  const signer = known.find(({ id }) => id === signingKey)
  return found.some(({ id, secret }) => id === signer?.id && secret === signer.secret)
}
