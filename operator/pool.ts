/**
 * What the operator remembers of one SipProxy between two passes. All of it can be found again in tables, status and
 * balancers' reports, or does no harm when lost. Not here: what is remembered of its proxies' health (probes.ts).
 * Invariant: `table` is the table that is stored, or was stored last and shall be again.
 */
import { createHash } from 'node:crypto'
import type { Parsed, SipProxy, SipProxySpec, SipProxyStatus } from '@sipcast/crds'
import { canonicalJson, decodeTable, type HandBackSpending, type Table } from '@sipcast/mapping'
import { isoTime, timeMs } from './iso-time.ts'
import type { Identity } from './identity.ts'
import type { MemberMemory } from './judge.ts'
import type { Key, Pod, Stored } from './ports.ts'

export interface Pool {
  readonly key: Key
  readonly namespace: string
  readonly name: string
  /** The stored table has been read at least once. */
  isRecovered: boolean
  identity: Identity | null
  /** What the object as found last says: looked at once, however often it is passed. */
  seen: SeenObject | null
  /** The last good spec, and the generation it has; null until one was seen by this process. */
  spec: SipProxySpec | null
  specGeneration: number
  annotations: Readonly<Record<string, string>>
  table: Table | null
  /** Of what is stored; null = nothing is. */
  version: string | null
  /** sha256 of the table that was to be written last: stored or not, if the answer was lost. */
  attempted: string | null
  /** Whether what is stored is not `table`. */
  rewrite: Rewrite
  /** No epoch up to this one may be used again. */
  epochFloor: number
  publishedAt: string | null
  lastMoves: number
  spending: HandBackSpending
  members: ReadonlyMap<string, MemberMemory>
  /** Its proxies that are pods, as of the last pass. */
  pods: readonly Pod[]
  /** Until when new proxies may join without budget (monotonic); null before the first is up. */
  gatheringUntilMs: number | null
  /** Members that have been up with slots of their own; null where the first table is not of this process. */
  everOwners: Set<string> | null
  /** Wall clock. */
  firstSeenMs: number
  /** Since when first probe results are waited for (monotonic); null when all are in. */
  pendingSinceMs: number | null
  /** When the removal was published (monotonic). */
  removedSinceMs: number | null
  isPanicking: boolean
  /** As written last. */
  status: SipProxyStatus | null
  isStatusKnown: boolean
  /** What could not be read or written, by what; to tell only when it changes. */
  readonly failing: Map<string, string>
  refusedTold: string
  /** Outcome of the last assignment that had nothing outstanding: see plan.ts. */
  settled: { readonly sha256: string; readonly roles: string } | null
}

export interface SeenObject {
  readonly object: unknown
  readonly parsed: Parsed<'sipProxy', SipProxy>
  readonly fingerprint: string
}

export function makePool(key: Key, nowMs: number): Pool {
  const [namespace = '', name = ''] = key.split('/')
  return {
    key,
    namespace,
    name,
    isRecovered: false,
    identity: null,
    seen: null,
    spec: null,
    specGeneration: 0,
    annotations: {},
    table: null,
    version: null,
    attempted: null,
    rewrite: Rewrite.no,
    epochFloor: 0,
    publishedAt: null,
    lastMoves: 0,
    spending: [],
    members: new Map(),
    pods: [],
    gatheringUntilMs: null,
    everOwners: null,
    firstSeenMs: nowMs,
    pendingSinceMs: null,
    removedSinceMs: null,
    isPanicking: false,
    status: null,
    isStatusKnown: false,
    failing: new Map(),
    refusedTold: '',
    settled: null,
  }
}

export const Rewrite = {
  no: 'no',
  /** The same text: it vanished, or was spoilt. */
  again: 'again',
  /** With a new epoch: balancers may have another one under this epoch. */
  anew: 'anew',
} as const
export type Rewrite = (typeof Rewrite)[keyof typeof Rewrite]

export const TableNews = {
  same: 'same',
  recovered: 'recovered',
  none: 'none',
  /** It was there, and is gone. */
  vanished: 'vanished',
  /** Truncated, edited, or not ours to understand. */
  damaged: 'damaged',
  /** A good table that we did not write. */
  foreign: 'foreign',
  /** Written by an operator that leads since: it is not taken in. */
  successor: 'successor',
} as const
export type TableNews = (typeof TableNews)[keyof typeof TableNews]

/**
 * Compares what is stored with what is remembered, and takes in what it must. @param leaseTransitions of our own lease
 */
export function takeInTable(
  pool: Pool,
  stored: Stored | null,
  leaseTransitions: number | null,
): TableNews {
  const isKnown = pool.isRecovered && pool.rewrite === Rewrite.no
  if (isKnown && stored !== null && stored.version === pool.version) return TableNews.same
  const decoded = stored === null ? null : decodeTable(stored.text)
  if (decoded?.ok && decoded.table.leaseTransitions > (leaseTransitions ?? Infinity)) {
    return TableNews.successor
  }
  pool.isRecovered = true
  pool.version = stored?.version ?? null
  if (stored === null || decoded === null) {
    if (pool.table === null) return TableNews.none
    need(pool, Rewrite.again)
    return TableNews.vanished
  }
  if (decoded.ok && isOf(pool, decoded.table)) {
    return takeInGood(pool, decoded.table, leaseTransitions)
  }
  if (pool.table === null) salvage(pool, stored.text)
  else need(pool, Rewrite.again)
  return TableNews.damaged
}

/** Notes that the stored table must be written again; "anew" is never weakened to "again". */
export function need(pool: Pool, rewrite: Rewrite): void {
  if (pool.rewrite !== Rewrite.anew) pool.rewrite = rewrite
}

function takeInGood(pool: Pool, table: Table, leaseTransitions: number | null): TableNews {
  pool.epochFloor = Math.max(pool.epochFloor, table.epoch)
  if (pool.table === null) {
    pool.table = table
    return TableNews.recovered
  }
  if (table.sha256 === pool.table.sha256) {
    if (pool.rewrite === Rewrite.again) pool.rewrite = Rewrite.no
    return TableNews.same
  }
  const isOlder = table.uid === pool.table.uid && table.epoch < pool.table.epoch
  if (!isOlder && pool.table.leaseTransitions < (leaseTransitions ?? 0)) {
    // We have written none yet: our predecessor's last one, which we hear of late, is what users live by.
    pool.table = table
    pool.members = new Map()
    return TableNews.recovered
  }
  if (table.uid !== pool.table.uid) outdate(pool, table)
  // Balancers do not take an older table, so there the same text again is enough.
  need(pool, isOlder ? Rewrite.again : Rewrite.anew)
  return table.sha256 === pool.attempted ? TableNews.same : TableNews.foreign
}

/** Balancers may have taken the foreign table: ours must count as the later object. */
function outdate(pool: Pool, { objectCreated }: Table): void {
  if (pool.identity === null || pool.identity.objectCreated > objectCreated) return
  pool.identity = { ...pool.identity, objectCreated: isoTime(timeMs(objectCreated) + 1) }
}

/**
 * A table whose checksum is wrong still says who owned what and which object it was. That is no truth, but a better
 * start than none: nobody is moved for it, and it is written anew. If it does not even hold together as a table,
 * nothing is taken.
 */
function salvage(pool: Pool, text: string): void {
  const table = resealed(text)
  if (table === null || !isOf(pool, table)) return
  pool.epochFloor = Math.max(pool.epochFloor, table.epoch)
  pool.table = table
  need(pool, Rewrite.anew)
}

/** The document with the checksum it should have; null where that makes no table. */
function resealed(text: string): Table | null {
  try {
    const { sha256: _wrong, ...content } = JSON.parse(text) as Record<string, unknown>
    const sha256 = createHash('sha256').update(canonicalJson(content, JSON_DEPTH_MAX)).digest('hex')
    const decoded = decodeTable(JSON.stringify({ ...content, sha256 }))
    return decoded.ok ? decoded.table : null
  } catch {
    // Not JSON, or not canonical: there is nothing to be had from it.
    return null
  }
}

function isOf({ namespace, name }: Pool, table: Table): boolean {
  return table.namespace === namespace && table.name === name
}

const JSON_DEPTH_MAX = 16
