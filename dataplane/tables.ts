/**
 * Which table document is in use for each SipProxy (design 4 "Publishing", 5.5).
 * Not here: where documents come from and are kept (`io/`), what is done with a table (`balancer.ts`).
 *
 *     document ──check──► refused: the old table serves on, the reason is kept and counted
 *                 │
 *                 └─► waiting, while its signing key is unknown ──► in use ──`removed`──► no longer served, remembered
 *
 * Invariants: tables of one SipProxy are used in the order of (uid, epoch), a new uid only with a later
 * `objectCreated`; a bad document changes nothing; a vanished one neither; a removed SipProxy is not revived
 * by an older table.
 */

import { decodeTable, newerTable, type Table, TableErrorCode } from '@sipcast/mapping'
import { REMOVED_MAX, SIP_PROXIES_MAX } from './limits.ts'

/** Why a document is refused. */
export const Refusal = {
  tooLong: 'TableTooLong',
  notJson: 'TableNotJson',
  unsupported: 'TableUnsupported',
  badField: 'TableBadField',
  badChecksum: 'TableBadChecksum',
  wrongName: 'TableWrongName',
  tooMany: 'TooManySipProxies',
  epochBack: 'EpochBack',
  epochReused: 'EpochReused',
  objectNotLater: 'ObjectNotLater',
} as const
export type Refusal = (typeof Refusal)[keyof typeof Refusal]

const refusalOf: Readonly<Record<TableErrorCode, Refusal>> = {
  [TableErrorCode.tooLong]: Refusal.tooLong,
  [TableErrorCode.notJson]: Refusal.notJson,
  [TableErrorCode.unsupported]: Refusal.unsupported,
  [TableErrorCode.badField]: Refusal.badField,
  [TableErrorCode.badChecksum]: Refusal.badChecksum,
}

export interface Problem {
  readonly reason: string
  readonly message: string
}

/** What became of an offered document. */
export type Offer =
  | { readonly kind: 'taken' }
  /** It is the one in use already. */
  | { readonly kind: 'same' }
  | ({ readonly kind: 'refused' } & Problem)

/** A table that has just come into use, with its document for the last-good copy. */
export interface Settled {
  readonly id: string
  readonly table: Table
  readonly text: string
}

interface Waiting {
  readonly table: Table
  readonly text: string
}

interface Entry {
  inUse: Table | null
  waiting: Waiting | null
  refused: Problem | null
}

export class Tables {
  readonly #entries = new Map<string, Entry>()

  /** Checks a document found under `id`, NAMESPACE.NAME; null: it is larger than allowed. */
  offer(id: string, text: string | null): Offer {
    const entry = this.#entries.get(id) ?? { inUse: null, waiting: null, refused: null }
    const checked = this.#check(id, entry, text)
    entry.refused = 'reason' in checked ? checked : null
    // Refused documents of unknown SipProxies are remembered too, for the report, but not without bound.
    if (this.#entries.size < SIP_PROXIES_MAX) this.#entries.set(id, entry)
    if ('reason' in checked) return { kind: 'refused', ...checked }
    const isSame =
      checked.table.epoch === entry.inUse?.epoch && checked.table.uid === entry.inUse.uid
    entry.waiting = isSame ? null : checked
    return { kind: isSame ? 'same' : 'taken' }
  }

  /** Puts every waiting table into use whose signing key is among the accepted ones. */
  settle(keyIds: readonly number[]): readonly Settled[] {
    const settled: Settled[] = []
    for (const [id, entry] of this.#entries) {
      const { waiting } = entry
      if (waiting === null) continue
      if (!waiting.table.removed && !keyIds.includes(waiting.table.signingKey)) continue
      entry.inUse = withSharedSlots(waiting.table)
      entry.waiting = null
      settled.push({ id, table: entry.inUse, text: waiting.text })
    }
    return settled
  }

  /** Tables to serve by, by id. */
  inUse(): ReadonlyMap<string, Table> {
    const served = new Map<string, Table>()
    for (const [id, { inUse }] of this.#entries) {
      if (inUse !== null && !inUse.removed) served.set(id, inUse)
    }
    return served
  }

  /** Tables that were accepted and wait for their signing key. */
  waiting(): readonly Table[] {
    return [...this.#entries.values()].flatMap(({ waiting }) =>
      waiting === null || waiting.table.removed ? [] : [waiting.table],
    )
  }

  /** Forgets refused documents that are gone, and the oldest removed SipProxies; returns the latter. */
  forget(listed: ReadonlySet<string>): readonly string[] {
    const removed: string[] = []
    for (const [id, { inUse, waiting }] of this.#entries) {
      if (inUse === null && waiting === null && !listed.has(id)) this.#entries.delete(id)
      if (inUse?.removed === true && !listed.has(id)) removed.push(id)
    }
    const forgotten = removed.slice(0, Math.max(0, removed.length - REMOVED_MAX))
    for (const id of forgotten) this.#entries.delete(id)
    return forgotten
  }

  /** SipProxies there is something to say about: served, waiting or refused. */
  get ids(): readonly string[] {
    return [...this.#entries].filter(([, entry]) => isWorthReport(entry)).map(([id]) => id)
  }

  /** Why the newest document of this SipProxy is not in use. */
  problem(id: string): Problem | null {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.refused !== null) return entry?.refused ?? null
    const waiting = entry.waiting?.table
    if (waiting === undefined) return null
    return {
      reason: 'SigningKeyUnknown',
      message: `epoch ${waiting.epoch} waits for key ${waiting.signingKey}, which this balancer does not have`,
    }
  }

  #check(id: string, entry: Entry, text: string | null): Waiting | Problem {
    if (text === null) return problem(Refusal.tooLong, 'the document is too long to be read')
    const decoded = decodeTable(text)
    if (!decoded.ok) return problem(refusalOf[decoded.error.code], decoded.error.message)
    const { table } = decoded
    if (`${table.namespace}.${table.name}` !== id) {
      return problem(Refusal.wrongName, `the document is of ${table.namespace}.${table.name}`)
    }
    if (!this.#entries.has(id) && this.#entries.size >= SIP_PROXIES_MAX) {
      return problem(Refusal.tooMany, `${SIP_PROXIES_MAX} SipProxies are known already`)
    }
    return disorder(entry.waiting?.table ?? entry.inUse, table) ?? { table, text }
  }
}

/** Why `offered` must not follow the newest table `known`; null if it may, or is the same. */
function disorder(known: Table | null, offered: Table): Problem | null {
  if (known === null || newerTable(offered, known)) return null
  if (offered.uid !== known.uid) {
    return problem(
      Refusal.objectNotLater,
      `uid ${offered.uid} was created ${offered.objectCreated}, not after ${known.objectCreated} of ${known.uid}`,
    )
  }
  if (offered.epoch < known.epoch) {
    return problem(Refusal.epochBack, `epoch ${offered.epoch} is older than ${known.epoch}`)
  }
  return offered.sha256 === known.sha256
    ? null
    : problem(Refusal.epochReused, `epoch ${offered.epoch} came before with another content`)
}

/** The same table with its slots in shared memory, so that workers don't copy them. */
function withSharedSlots(table: Table): Table {
  return { ...table, owners: shared(table.owners), backups: shared(table.backups) }
}

function shared(slots: Uint16Array): Uint16Array {
  const copy = new Uint16Array(new SharedArrayBuffer(slots.byteLength))
  copy.set(slots)
  return copy
}

function isWorthReport({ inUse, waiting, refused }: Entry): boolean {
  return refused !== null || waiting !== null || (inUse !== null && !inUse.removed)
}

function problem(reason: string, message: string): Problem {
  return { reason, message }
}
