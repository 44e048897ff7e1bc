/**
 * Which object a table belongs to, and in which order objects and tables come (design section 4, "Publishing"). On
 * Kubernetes uid, creation time and generation are the API server's. In directory mode nobody gives them: a uid is
 * drawn at first sight and found again in the table, and the generation counts changes of the spec.
 * Invariants: a new uid always comes with a later objectCreated; a restart that finds everything unchanged changes
 * nothing.
 */
import type { SipProxyStatus } from '@sipcast/crds'
import type { Table } from '@sipcast/mapping'
import { isoTime, timeMs } from './iso-time.ts'
import type { Origin } from './ports.ts'

export interface Identity {
  readonly uid: string
  readonly objectCreated: string
  readonly generation: number
  /** Of the spec that has this generation, valid or not; null = not seen yet in this process. */
  readonly fingerprint: string | null
}

export interface IdentifyInput {
  readonly origin: Origin | null
  /** Of the spec as found. */
  readonly fingerprint: string
  readonly known: Identity | null
  readonly table: Table | null
  /** Uid that balancers say is in use, where the table is lost. */
  readonly reportedUid: string | null
  readonly status: SipProxyStatus | null
  /** Whether the spec as found says what the table says. */
  readonly matchesTable: () => boolean
  readonly nowMs: number
  readonly newUid: () => string
}

/** The identity of an object that is there. */
export function identify(input: IdentifyInput): Identity {
  const { origin, fingerprint } = input
  if (origin === null) return { ...identifyUnnamed(input), fingerprint }
  const { uid, generation } = origin
  const objectCreated = createdOf(input, uid, origin.createdMs)
  return { uid, objectCreated, generation, fingerprint }
}

/** While the object cannot be read: whose table is served. */
export function identityOfTable(table: Table | null): Identity | null {
  if (table === null || table.removed) return null
  const { uid, objectCreated, generation } = table
  return { uid, objectCreated, generation, fingerprint: null }
}

function identifyUnnamed(input: IdentifyInput): Identity {
  const { known, table, fingerprint, nowMs } = input
  if (known !== null && table?.removed !== true)
    return { ...known, generation: counted(known, input) }
  const carriesOn = table !== null && !table.removed
  const uid = carriesOn
    ? table.uid
    : ((table === null ? input.reportedUid : null) ?? input.newUid())
  return {
    uid,
    objectCreated: createdOf(input, uid, nowMs),
    generation: carriesOn ? recoveredGeneration(table, input) : 1,
    fingerprint,
  }
}

function counted(known: Identity, { fingerprint, table, ...input }: IdentifyInput): number {
  if (known.fingerprint === fingerprint) return known.generation
  if (known.fingerprint !== null || table === null) return known.generation + 1
  return recoveredGeneration(table, { fingerprint, table, ...input })
}

/** The first sight of a spec in this process: unchanged if the table says the same. */
function recoveredGeneration(table: Table, { status, matchesTable }: IdentifyInput): number {
  if (matchesTable()) return table.generation
  return Math.max(table.generation + 1, status?.observedGeneration ?? 0)
}

/** The later of the object's own time and the old table's plus 1 ms. */
function createdOf({ known, table }: IdentifyInput, uid: string, createdMs: number): string {
  const own = [table, known]
    .filter((one) => one?.uid === uid)
    .map((one) => one?.objectCreated ?? '')
  const [latest] = own.toSorted().toReversed()
  if (latest !== undefined) return latest
  const others = [table, known].map((one) => timeMs(one?.objectCreated ?? '') || 0)
  return isoTime(Math.max(createdMs, ...others.map((ms) => ms + 1)))
}
