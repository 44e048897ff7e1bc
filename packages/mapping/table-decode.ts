/**
 * From a document to a table, or to one typed reason why not. Total: no text makes it throw, and what it accepts
 * satisfies every invariant that table.ts names. Fields it does not know are covered by the checksum and otherwise
 * ignored, so that a newer operator may add some without breaking older balancers.
 */
import { CanonicalJsonError } from './canonical-json.ts'
import { HASH_NAME } from './hash.ts'
import { isIpLiteral, isNetwork } from './ip-literal.ts'
import {
  FORMER_MAX,
  MEMBERS_MAX,
  SLOTS_MAX,
  SLOTS_MIN,
  TABLE_LENGTH_MAX,
  WEIGHT_MAX,
} from './limits.ts'
import {
  boolean,
  type Fields,
  fields,
  integer,
  listOf,
  nullOr,
  oneOf,
  Refusal,
  refuse,
  string,
  stringMatching,
  stringThat,
} from './schema.ts'
import { decodeSlots } from './slot-array.ts'
import {
  type FormerMember,
  type Member,
  MemberState,
  NO_MEMBER,
  TABLE_SCHEMA,
  type Table,
  type TableEdge,
  TableInsideSource,
  TableKey,
  type TableProbe,
} from './table.ts'
import { documentChecksum } from './table-encode.ts'

export const TableErrorCode = {
  tooLong: 'too-long',
  notJson: 'not-json',
  /** Written by a newer operator with another schema or hash. */
  unsupported: 'unsupported',
  badField: 'bad-field',
  badChecksum: 'bad-checksum',
} as const
export type TableErrorCode = (typeof TableErrorCode)[keyof typeof TableErrorCode]

export interface TableError {
  readonly code: TableErrorCode
  /** A sentence that names the field, for logs and conditions. */
  readonly message: string
}

export type DecodedTable =
  | { readonly ok: true; readonly table: Table }
  | { readonly ok: false; readonly error: TableError }

export function decodeTable(text: string): DecodedTable {
  if (text.length > TABLE_LENGTH_MAX) {
    return failed(TableErrorCode.tooLong, `more than ${TABLE_LENGTH_MAX} characters`)
  }
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    return failed(TableErrorCode.notJson, error instanceof Error ? error.message : String(error))
  }
  try {
    return decodeDocument(fields(document, 'table'))
  } catch (error) {
    if (error instanceof Refusal) return failed(TableErrorCode.badField, error.message)
    if (error instanceof CanonicalJsonError) return failed(TableErrorCode.badField, error.message)
    throw error
  }
}

function decodeDocument(document: Fields): DecodedTable {
  const { sha256, ...content } = document.record
  if (content['schema'] !== TABLE_SCHEMA) {
    return failed(TableErrorCode.unsupported, `schema is not ${TABLE_SCHEMA}`)
  }
  if (content['hash'] !== HASH_NAME) {
    return failed(TableErrorCode.unsupported, `hash is not ${HASH_NAME}`)
  }
  const checksum = documentChecksum(content)
  if (sha256 !== checksum) {
    return failed(TableErrorCode.badChecksum, 'sha256 does not match the document')
  }
  return { ok: true, table: { ...readContent(document), sha256: checksum } }
}

function failed(code: TableErrorCode, message: string): DecodedTable {
  return { ok: false, error: { code, message } }
}

const HEX_256 = /^[0-9a-f]{64}$/
const TIME =
  /^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$/
const CODE = /^[2-6](?:[0-9]{2}|xx)$/

const count = integer(0, Number.MAX_SAFE_INTEGER)
const port = integer(1, 65535)
const label = stringThat((text) => text !== '', 'a name')
const time = stringMatching(TIME, 'a time such as 2026-11-23T08:52:54.000Z')
const ipLiteral = stringThat(isIpLiteral, 'an IP address')
const networks = listOf(stringThat(isNetwork, 'a network such as 10.0.0.0/8'))
const milliseconds = integer(1, 24 * 3600 * 1000)

function readContent(table: Fields): Omit<Table, 'sha256'> {
  const slots = table.read('slots', integer(SLOTS_MIN, SLOTS_MAX))
  if ((slots & (slots - 1)) !== 0) refuse('table.slots', 'a power of two')
  const members = table.read('members', listOf(readMember, MEMBERS_MAX))
  if (new Set(members.map(({ id }) => id)).size !== members.length) {
    refuse('table.members', 'a list of distinct ids')
  }
  const indices = slotIndices(slots, members.length)
  return {
    schema: TABLE_SCHEMA,
    uid: table.read('uid', label),
    namespace: table.read('namespace', label),
    name: table.read('name', label),
    generation: table.read('generation', count),
    objectCreated: table.read('objectCreated', time),
    epoch: table.read('epoch', count),
    leaseTransitions: table.read('leaseTransitions', count),
    removed: table.read('removed', boolean),
    hash: HASH_NAME,
    seed: table.read('seed', stringMatching(HEX_256, '64 lower-case hex digits')),
    key: table.read('key', oneOf(TableKey)),
    signingKey: table.read('signingKey', integer(0, 255)),
    addresses: table.read('addresses', listOf(ipLiteral)),
    port: table.read('port', port),
    aliases: table.read('aliases', listOf(label)),
    domains: table.read('domains', listOf(label)),
    edge: table.read('edge', readEdge),
    probe: table.read('probe', readProbe),
    panicPercent: table.read('panicPercent', integer(0, 100)),
    members,
    former: table.read('former', listOf(readFormer, FORMER_MAX)),
    slots,
    owners: table.read('owners', indices),
    backups: table.read('backups', indices),
    ...('previous' in table.record ? { previous: table.read('previous', indices) } : {}),
  }
}

function slotIndices(slots: number, memberCount: number) {
  return (value: unknown, path: string): Uint16Array => {
    const indices = typeof value === 'string' ? decodeSlots(value, slots) : null
    if (indices === null) refuse(path, `base64 of ${slots} little-endian u16`)
    for (const index of indices) {
      if (index >= memberCount && index !== NO_MEMBER) refuse(path, 'indices of members')
    }
    return indices
  }
}

function readMember(value: unknown, path: string): Member {
  const member = fields(value, path)
  return {
    id: member.read('id', label),
    name: member.read('name', label),
    address: member.read('address', ipLiteral),
    port: member.read('port', port),
    hostAddresses: member.read('hostAddresses', listOf(ipLiteral)),
    weight: member.read('weight', integer(1, WEIGHT_MAX)),
    state: member.read('state', oneOf(MemberState)),
    since: member.read('since', time),
  }
}

function readFormer(value: unknown, path: string): FormerMember {
  const former = fields(value, path)
  return {
    address: former.read('address', ipLiteral),
    port: former.read('port', port),
    until: former.read('until', time),
  }
}

function readEdge(value: unknown, path: string): TableEdge {
  const edge = fields(value, path)
  return {
    path: edge.read('path', boolean),
    recordRoute: edge.read('recordRoute', boolean),
    insideSource: edge.read('insideSource', oneOf(TableInsideSource)),
    insideNetworks: edge.read('insideNetworks', networks),
    trustedNetworks: edge.read('trustedNetworks', networks),
    rateLimit: edge.read('rateLimit', nullOr(readRateLimit)),
    denyUserAgents: edge.read('denyUserAgents', listOf(label)),
  }
}

function readRateLimit(value: unknown, path: string): { perSource: number; burst: number } {
  const rateLimit = fields(value, path)
  const packets = integer(1, 1e9)
  return {
    perSource: rateLimit.read('perSource', packets),
    burst: rateLimit.read('burst', packets),
  }
}

function readProbe(value: unknown, path: string): TableProbe {
  const probe = fields(value, path)
  return {
    intervalMs: probe.read('intervalMs', milliseconds),
    timeoutMs: probe.read('timeoutMs', milliseconds),
    fall: probe.read('fall', integer(1, 1000)),
    rise: probe.read('rise', integer(1, 1000)),
    acceptedCodes: probe.read('acceptedCodes', listOf(stringMatching(CODE, 'a code such as 2xx'))),
    requestUri: probe.read('requestUri', nullOr(string)),
    from: probe.read('from', nullOr(string)),
  }
}
