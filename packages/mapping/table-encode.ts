/**
 * From a table to its document: RFC 8785 JSON with its checksum in it, and nothing that TableContent does not name.
 *
 * Not a validator: the operator composes tables from parsed parts, and table-decode.ts is the gate for what was read.
 */
import { createHash } from 'node:crypto'
import { assert } from './assert.ts'
import { canonicalJson } from './canonical-json.ts'
import { TABLE_DEPTH_MAX } from './limits.ts'
import { encodeSlots } from './slot-array.ts'
import type { Member, Table, TableContent, TableEdge, TableProbe } from './table.ts'

/** The document, for `table.json`. Same content, same text. */
export function encodeTable(content: TableContent): string {
  const document = documentOf(content)
  return canonicalJson({ ...document, sha256: documentChecksum(document) }, TABLE_DEPTH_MAX)
}

/** The content with its checksum: what decodeTable(encodeTable(content)) gives, without the detour. */
export function sealTable(content: TableContent): Table {
  return { ...content, sha256: documentChecksum(documentOf(content)) }
}

/** SHA-256 in lower-case hex over the canonical JSON of a document that has no `sha256` field. */
export function documentChecksum(document: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(canonicalJson(document, TABLE_DEPTH_MAX)).digest('hex')
}

function documentOf(content: TableContent): Record<string, unknown> {
  const { owners, backups, previous, slots } = content
  assert(owners.length === slots, 'every slot has an entry in owners')
  assert(backups.length === slots, 'every slot has an entry in backups')
  const document: Record<string, unknown> = {
    schema: content.schema,
    uid: content.uid,
    namespace: content.namespace,
    name: content.name,
    generation: content.generation,
    objectCreated: content.objectCreated,
    epoch: content.epoch,
    leaseTransitions: content.leaseTransitions,
    removed: content.removed,
    hash: content.hash,
    seed: content.seed,
    key: content.key,
    signingKey: content.signingKey,
    addresses: content.addresses,
    port: content.port,
    aliases: content.aliases,
    domains: content.domains,
    edge: edgeOf(content.edge),
    probe: probeOf(content.probe),
    panicPercent: content.panicPercent,
    members: content.members.map(memberOf),
    former: content.former.map(({ address, port, until }) => ({ address, port, until })),
    slots,
    owners: encodeSlots(owners),
    backups: encodeSlots(backups),
  }
  if (previous !== undefined) {
    assert(previous.length === slots, 'every slot has an entry in previous')
    document['previous'] = encodeSlots(previous)
  }
  return document
}

function memberOf(member: Member): Member {
  const { id, name, address, port, hostAddresses, weight, state, since } = member
  return { id, name, address, port, hostAddresses, weight, state, since }
}

function edgeOf(edge: TableEdge): TableEdge {
  const { path, recordRoute, insideSource, insideNetworks, trustedNetworks, denyUserAgents } = edge
  const rateLimit = edge.rateLimit && {
    perSource: edge.rateLimit.perSource,
    burst: edge.rateLimit.burst,
  }
  return {
    path,
    recordRoute,
    insideSource,
    insideNetworks,
    trustedNetworks,
    rateLimit,
    denyUserAgents,
  }
}

function probeOf(probe: TableProbe): TableProbe {
  const { intervalMs, timeoutMs, fall, rise, acceptedCodes, requestUri, from } = probe
  return { intervalMs, timeoutMs, fall, rise, acceptedCodes, requestUri, from }
}
