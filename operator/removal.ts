/**
 * What must be published for a SipProxy that is gone: its last table, marked as removed; where that is gone too, one
 * without content for balancers that serve it still (they were away, and came back with the copy on their disk). Pure.
 * Not here: for how long it stays (retire.ts). Invariant: a balancer that uses any table of this SipProxy takes it.
 */
import {
  defaultSeed,
  HASH_NAME,
  NO_MEMBER,
  SLOTS_MIN,
  TABLE_SCHEMA,
  type TableContent,
} from '@sipcast/mapping'
import type { Pool } from './pool.ts'

/** Null: nobody needs any. */
export function removalOf(
  { table, namespace, name }: Pool,
  found: {
    /** Of the object that balancers serve although its table is gone; null: none. */
    readonly servedUid: string | null
    /** Null: there is no lease. */
    readonly leaseTransitions: number | null
    /** ISO; later than any object of that name was made. */
    readonly now: string
  },
): Omit<TableContent, 'epoch'> | null {
  const { servedUid, leaseTransitions, now } = found
  if (table !== null) {
    const { epoch: _, ...content } = table
    return {
      ...content,
      removed: true,
      leaseTransitions: leaseTransitions ?? table.leaseTransitions,
    }
  }
  if (servedUid === null) return null
  return {
    ...EMPTY,
    uid: servedUid,
    namespace,
    name,
    objectCreated: now,
    leaseTransitions: leaseTransitions ?? 0,
    seed: defaultSeed(namespace, name),
  }
}

const NOBODYS = new Uint16Array(SLOTS_MIN).fill(NO_MEMBER)

/** What is not said of a SipProxy that is gone has no meaning, but must be there. */
const EMPTY = {
  schema: TABLE_SCHEMA,
  generation: 0,
  removed: true,
  hash: HASH_NAME,
  key: 'User',
  signingKey: 0,
  addresses: [],
  port: 5060,
  aliases: [],
  domains: [],
  edge: {
    path: true,
    recordRoute: true,
    insideSource: 'Node',
    insideNetworks: [],
    trustedNetworks: [],
    rateLimit: null,
    denyUserAgents: [],
  },
  probe: {
    intervalMs: 500,
    timeoutMs: 400,
    fall: 2,
    rise: 3,
    acceptedCodes: [],
    requestUri: null,
    from: 'sip:nobody@invalid',
  },
  panicPercent: 50,
  members: [],
  former: [],
  slots: SLOTS_MIN,
  owners: NOBODYS,
  backups: NOBODYS,
} as const
