/**
 * Which keys this balancer accepts in MACs: the document `keys.json`, checked whole.
 * Not here: reading it (`io/`), which key signs (each table says so), MACs (`@sipcast/sip`).
 * Invariants: a document that is missing or bad changes nothing, the last good keys stay; secrets appear in no message.
 *
 *     {"keys": [{"id": 0…255, "secret": "<32 hex digits>", "created": "<ISO-8601>"}]}
 */

import type { KeyConfig } from './worker-config.ts'

/** Why the keys in use are not those of the newest document. */
export const KeyProblem = {
  missing: 'KeysMissing',
  bad: 'KeysBad',
} as const
export type KeyProblem = (typeof KeyProblem)[keyof typeof KeyProblem]

export interface KeyTrouble {
  readonly reason: KeyProblem
  readonly message: string
}

const KEYS_MAX = 256
const SECRET = /^[0-9a-f]{32}$/i

export class Keys {
  /** In the order of their ids; empty until a good document came. */
  current: readonly KeyConfig[] = []
  trouble: KeyTrouble | null = {
    reason: KeyProblem.missing,
    message: 'no keys yet: nothing is forwarded',
  }

  get ids(): readonly number[] {
    return this.current.map((key) => key.id)
  }

  /** Takes the newest document, null where there is none. True if the keys in use or the trouble differ now. */
  offer(text: string | null): boolean {
    const outcome = text === null ? this.#missing() : parseKeys(text)
    if ('reason' in outcome) {
      const isNews = outcome.message !== this.trouble?.message
      this.trouble = outcome
      return isNews
    }
    const isNews = this.trouble !== null || !sameKeys(this.current, outcome.keys)
    if (isNews) this.current = outcome.keys
    this.trouble = null
    return isNews
  }

  #missing(): KeyTrouble {
    const message =
      this.current.length === 0
        ? 'the keys document is missing: nothing is forwarded until the operator writes it'
        : 'the keys document has vanished: the last good keys stay in use'
    return { reason: KeyProblem.missing, message }
  }
}

/** The document's keys, or why it is refused. */
export function parseKeys(text: string): { readonly keys: readonly KeyConfig[] } | KeyTrouble {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    // JSON.parse quotes the text in its message, and the text holds secrets.
    return bad('is no JSON')
  }
  const list = isRecord(document) ? document['keys'] : null
  if (!Array.isArray(list) || list.length === 0) return bad('has no list of keys')
  if (list.length > KEYS_MAX) return bad(`has more than ${KEYS_MAX} keys`)
  const keys = new Map<number, KeyConfig>()
  for (const [index, entry] of list.entries()) {
    const { id, secret } = isRecord(entry) ? entry : {}
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > 255) {
      return bad(`has no id from 0 to 255 in entry ${index}`)
    }
    if (keys.has(id)) return bad(`has id ${id} twice`)
    if (typeof secret !== 'string' || !SECRET.test(secret)) {
      return bad(`has no secret of 32 hex digits for id ${id}`)
    }
    keys.set(id, { id, secret: Uint8Array.fromHex(secret) })
  }
  return { keys: [...keys.values()].sort((a, b) => a.id - b.id) }
}

function bad(what: string): KeyTrouble {
  return { reason: KeyProblem.bad, message: `the keys document ${what}` }
}

function sameKeys(a: readonly KeyConfig[], b: readonly KeyConfig[]): boolean {
  const text = (keys: readonly KeyConfig[]) =>
    keys.map(({ id, secret }) => `${id}:${secret.toHex()}`).join()
  return text(a) === text(b)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
