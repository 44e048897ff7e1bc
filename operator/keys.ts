/**
 * The life of the MAC keys: accepted everywhere, then signing, then accepted for at least a day after its last use
 * (design section 4). Pure.
 * Not here: reading and writing them (key-keeper.ts). Balancers read `id` and `secret` of each entry and nothing
 * else.
 * Invariants: exactly one key signs; ids are not used again while anything may still know them; a key leaves only
 * when no table names it.
 *
 *    created ──► accepted by all fresh balancers ──► signingSince ──► (successor signs) retired ──► 1 day ──► gone
 */
import { isoTime, timeMs } from './iso-time.ts'
import { KEY_ACCEPTED_AFTER_USE_MS, KEY_AGE_MAX_MS, KEY_ID_MAX, KEY_SETTLE_MS } from './limits.ts'

export interface MacKey {
  /** 0…255. */
  readonly id: number
  /** 16 bytes as 32 hex digits. */
  readonly secret: string
  readonly created: string
  readonly signingSince?: string
  readonly retired?: string
}

export interface KeyStep {
  readonly keys: readonly MacKey[]
  readonly signingKey: number
  /** What to tell, in order; empty when nothing changed. */
  readonly news: readonly KeyNews[]
}

export interface KeyNews {
  readonly event: 'KeyCreated' | 'KeySigning' | 'KeyRemoved'
  readonly id: number
}

export interface KeyStepInput {
  readonly keys: readonly MacKey[]
  /** Of each fresh balancer. */
  readonly acceptedKeyIds: readonly (readonly number[])[]
  /** What the tables name now. */
  readonly namedByTables: ReadonlySet<number>
  readonly nowMs: number
  readonly newSecret: () => string
}

export function stepKeys(input: KeyStepInput): KeyStep {
  const news: KeyNews[] = []
  let keys = withSigner(input, news)
  keys = withSuccessor(input, keys, news)
  keys = promoted(input, keys, news)
  keys = withoutExpired(input, keys, news)
  const signer = keys.find(isSigning)
  return { keys, signingKey: signer?.id ?? 0, news }
}

/** The keys of a keys.json; null where it is not one. */
export function parseKeys(text: string): readonly MacKey[] | null {
  let object: unknown
  try {
    object = JSON.parse(text)
  } catch {
    // Not JSON, and no word of it belongs into a log.
    return null
  }
  if (typeof object !== 'object' || object === null || !('keys' in object)) return null
  const { keys } = object
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > KEY_ID_MAX + 1) return null
  const valid = keys.every(isMacKey)
  return valid && new Set(keys.map(({ id }) => id)).size === keys.length ? keys : null
}

export function encodeKeys(keys: readonly MacKey[]): string {
  return `${JSON.stringify({ keys }, null, 2)}\n`
}

/**
 * Without a key nothing can be signed, so the first one signs at once; of given ones it is the one that tables name,
 * else the oldest.
 */
function withSigner(input: KeyStepInput, news: KeyNews[]): readonly MacKey[] {
  const { keys, namedByTables, nowMs } = input
  if (keys.some(isSigning)) return keys
  const usable = keys.filter(({ retired }) => retired === undefined)
  const [first] = usable.toSorted(
    (a, b) =>
      Number(namedByTables.has(b.id)) - Number(namedByTables.has(a.id)) ||
      timeMs(a.created) - timeMs(b.created),
  )
  const signer = first ?? newKey(input, keys, news)
  news.push({ event: 'KeySigning', id: signer.id })
  const signing = { ...signer, signingSince: isoTime(nowMs) }
  return first === undefined ? [...keys, signing] : replaced(keys, signing)
}

function withSuccessor(
  input: KeyStepInput,
  keys: readonly MacKey[],
  news: KeyNews[],
): readonly MacKey[] {
  const signer = keys.find(isSigning)
  const ageMs = input.nowMs - timeMs(signer?.signingSince ?? '')
  if (keys.some(isWaiting) || !(ageMs >= KEY_AGE_MAX_MS)) return keys
  return [...keys, newKey(input, keys, news)]
}

/** A waiting key signs once every fresh balancer accepts it; with none to be seen it waits. */
function promoted(
  { acceptedKeyIds, nowMs }: KeyStepInput,
  keys: readonly MacKey[],
  news: KeyNews[],
): readonly MacKey[] {
  const waiting = keys.find(isWaiting)
  const signer = keys.find(isSigning)
  if (waiting === undefined || signer === undefined || acceptedKeyIds.length === 0) return keys
  const settled = nowMs - timeMs(waiting.created) >= KEY_SETTLE_MS
  if (!settled || !acceptedKeyIds.every((ids) => ids.includes(waiting.id))) return keys
  news.push({ event: 'KeySigning', id: waiting.id })
  const retired = replaced(keys, { ...signer, retired: isoTime(nowMs) })
  return replaced(retired, { ...waiting, signingSince: isoTime(nowMs) })
}

function withoutExpired(
  { namedByTables, nowMs }: KeyStepInput,
  keys: readonly MacKey[],
  news: KeyNews[],
): readonly MacKey[] {
  return keys.filter(({ id, retired }) => {
    if (retired === undefined || namedByTables.has(id)) return true
    if (nowMs - timeMs(retired) < KEY_ACCEPTED_AFTER_USE_MS) return true
    news.push({ event: 'KeyRemoved', id })
    return false
  })
}

function newKey(input: KeyStepInput, keys: readonly MacKey[], news: KeyNews[]): MacKey {
  const taken = new Set([
    ...keys.map(({ id }) => id),
    ...input.namedByTables,
    ...input.acceptedKeyIds.flat(),
  ])
  const last = Math.max(0, ...taken)
  let id = (last + 1) % (KEY_ID_MAX + 1)
  // Ends: taken has fewer members than there are ids, as keys expire long before 255 successors.
  for (let tries = 0; taken.has(id) && tries <= KEY_ID_MAX; tries++)
    id = (id + 1) % (KEY_ID_MAX + 1)
  news.push({ event: 'KeyCreated', id })
  return { id, secret: input.newSecret(), created: isoTime(input.nowMs) }
}

function isSigning({ signingSince, retired }: MacKey): boolean {
  return signingSince !== undefined && retired === undefined
}

function isWaiting({ signingSince, retired }: MacKey): boolean {
  return signingSince === undefined && retired === undefined
}

function replaced(keys: readonly MacKey[], key: MacKey): readonly MacKey[] {
  return keys.map((other) => (other.id === key.id ? key : other))
}

function isMacKey(value: unknown): value is MacKey {
  if (typeof value !== 'object' || value === null) return false
  const key = value as Record<string, unknown>
  return (
    Number.isInteger(key['id']) &&
    Number(key['id']) >= 0 &&
    Number(key['id']) <= KEY_ID_MAX &&
    typeof key['secret'] === 'string' &&
    /^[0-9a-f]{32}$/.test(key['secret']) &&
    isTime(key['created']) &&
    (key['signingSince'] === undefined || isTime(key['signingSince'])) &&
    (key['retired'] === undefined || isTime(key['retired']))
  )
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(timeMs(value))
}
