/**
 * The table: everything a balancer needs to know about one SipProxy, as one document (design, section 4,
 * "Publishing"). This file says what it holds and which of two tables counts; table-encode.ts and table-decode.ts
 * write and read it.
 *
 * Invariants of every decoded table: slots is a power of two within limits.ts; owners, backups and previous have one
 * entry per slot, each an index of `members` or NO_MEMBER; member ids are unique; sha256 matches.
 */

/** An entry of owners, backups or previous that names nobody. */
export const NO_MEMBER = 0xffff

export const TABLE_SCHEMA = 1

export const MemberState = {
  unknown: 'Unknown',
  up: 'Up',
  down: 'Down',
  draining: 'Draining',
  notReady: 'NotReady',
} as const
export type MemberState = (typeof MemberState)[keyof typeof MemberState]

export const TableKey = { user: 'User', userAndHost: 'UserAndHost', callId: 'CallId' } as const
export type TableKey = (typeof TableKey)[keyof typeof TableKey]

export const TableInsideSource = { node: 'Node', shared: 'Shared' } as const
export type TableInsideSource = (typeof TableInsideSource)[keyof typeof TableInsideSource]

/** One proxy of the pool. */
export interface Member {
  /** Stable identity: pod name or static name, never an address. */
  readonly id: string
  readonly name: string
  /** IP literal. */
  readonly address: string
  readonly port: number
  /** IP literals of the node that hosts it: its traffic may arrive masqueraded. */
  readonly hostAddresses: readonly string[]
  /** 1…WEIGHT_MAX. */
  readonly weight: number
  readonly state: MemberState
  /** When `state` last changed; ISO-8601 in UTC with milliseconds, like every time in a table. */
  readonly since: string
}

/** Where a member was that left or changed its address: its tokens are still around. */
export interface FormerMember {
  readonly address: string
  readonly port: number
  readonly until: string
}

export interface TableEdge {
  readonly path: boolean
  readonly recordRoute: boolean
  readonly insideSource: TableInsideSource
  /** CIDR, like trustedNetworks. */
  readonly insideNetworks: readonly string[]
  readonly trustedNetworks: readonly string[]
  /** Packets per second and packets. */
  readonly rateLimit: { readonly perSource: number; readonly burst: number } | null
  /** Case-insensitive substrings. */
  readonly denyUserAgents: readonly string[]
}

export interface TableProbe {
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly fall: number
  readonly rise: number
  /** "2xx" or "404". */
  readonly acceptedCodes: readonly string[]
  readonly requestUri: string | null
  readonly from: string | null
}

/** A table without its checksum: what the operator composes. */
export interface TableContent {
  readonly schema: typeof TABLE_SCHEMA
  /** Identity of the SipProxy object. */
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly generation: number
  /** Orders uids: see newerTable. */
  readonly objectCreated: string
  /** Only grows within one uid. */
  readonly epoch: number
  /** Of the writer's lease: the fence between operators. */
  readonly leaseTransitions: number
  /** The SipProxy is gone: stop serving it. */
  readonly removed: boolean
  /** HASH_NAME of hash.ts. */
  readonly hash: string
  /** 64 lower-case hex digits. */
  readonly seed: string
  readonly key: TableKey
  /** Id of the key that signs tokens, 0…255. */
  readonly signingKey: number
  readonly addresses: readonly string[]
  readonly port: number
  readonly aliases: readonly string[]
  readonly domains: readonly string[]
  readonly edge: TableEdge
  readonly probe: TableProbe
  readonly panicPercent: number
  readonly members: readonly Member[]
  readonly former: readonly FormerMember[]
  readonly slots: number
  readonly owners: Uint16Array
  readonly backups: Uint16Array
  /** Owners before the last planned move, while that matters. */
  readonly previous?: Uint16Array
}

export interface Table extends TableContent {
  /** Lower-case hex over the RFC 8785 JSON of the document without this field. */
  readonly sha256: string
}

/** What identifies and orders tables; a Table is one. */
export type TableVersion = Pick<TableContent, 'uid' | 'epoch' | 'objectCreated'>

/**
 * Whether `candidate` replaces `current`. Within one object the epoch decides; another object of the same name counts
 * only if it was made later, so that a late table of a deleted SipProxy never comes back.
 */
export function newerTable(candidate: TableVersion, current: TableVersion): boolean {
  if (candidate.uid === current.uid) return candidate.epoch > current.epoch
  // One fixed-width spelling in UTC (table-decode.ts), so text order is time order.
  return candidate.objectCreated > current.objectCreated
}
