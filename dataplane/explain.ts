/**
 * What would happen to one message, and why: the packet path itself, run once over a datagram that nobody sent.
 * Not here: reading tables, keys and files (`main.ts`). Invariant: no second opinion; every field is read off the
 * forwarder after the real `forward`.
 */

import { DatagramBatch } from '@sipcast/net'
import type { Table } from '@sipcast/mapping'
import { ENDPOINT_WORDS, formatEndpoint, KeyRing, parseAddressText, Scan, scan } from '@sipcast/sip'
import { NOT_FOUND } from './endpoint-map.ts'
import { forward } from './forward.ts'
import { Forwarder, OpenSocket } from './forwarder.ts'
import { Pool } from './pool.ts'
import { verdictNames } from './verdict.ts'
import type { KeyConfig } from './worker-config.ts'

export interface ExplainInput {
  readonly tables: readonly Table[]
  readonly keys: readonly KeyConfig[]
  readonly message: Uint8Array
  /** Endpoint words of the sender. */
  readonly from: Int32Array
  /** Endpoint words of the address it came in on: one of the tables' addresses, else taken for the inside socket. */
  readonly to: Int32Array
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: number
}

export interface Explanation {
  readonly class: MessageClass
  /** `namespace/name`, null where the message belongs to none. */
  readonly sipProxy: string | null
  /** The normalised key, null where the key had no say. */
  readonly key: string | null
  readonly slot: number | null
  /** Member names. */
  readonly owner: string | null
  readonly backup: string | null
  readonly verdict: string
  /** `address:port` that the outcome is sent to, null where nothing is sent. */
  readonly target: string | null
  /** The datagram that would be sent. */
  readonly out: Uint8Array | null
}

export type MessageClass = (typeof messageClasses)[Scan]

const messageClasses = {
  [Scan.request]: 'request',
  [Scan.response]: 'response',
  [Scan.keepAliveCrlf]: 'keep-alive',
  [Scan.keepAliveSilent]: 'keep-alive',
  [Scan.stun]: 'stun',
  [Scan.tooShort]: 'too-short',
  [Scan.badRequest]: 'bad-request',
  [Scan.malformed]: 'malformed',
} as const

export function explain(input: ExplainInput): Explanation {
  const state = new Forwarder()
  const pools = input.tables.map(poolOf)
  const keys = new KeyRing()
  for (const { id, secret } of input.keys) keys.add(id, secret)
  const sockets = socketsOf(pools, input.to)
  state.use({ pools, keys, sockets })
  state.nowMs = input.nowMs

  const received = new DatagramBatch(1)
  const sending = new DatagramBatch(1)
  received.append(arrivalOf(sockets, input.to).id, input.from, 0, input.message)
  const kind = scan(state.message, received.bytes, 0, input.message.length)
  const verdict = forward(state, received, 0, sending)
  return {
    class: messageClasses[kind],
    ...routeOf(state),
    verdict: verdictNames[verdict]!,
    target: sending.count > 0 ? formatEndpoint(sending.peer, 0) : null,
    out: sending.count > 0 ? sending.payload(0).slice() : null,
  }
}

/** A table as every balancer would compile it that has no evidence of its own. */
function poolOf(table: Table): Pool {
  const count = table.members.length
  const dead = new SharedArrayBuffer(count)
  return new Pool({ table, dead, packets: new SharedArrayBuffer(count * 8) })
}

/** All addresses bound, and an inside socket per IP version; the one that is `to` has its address. */
function socketsOf(pools: readonly Pool[], to: Int32Array): OpenSocket[] {
  const sockets: OpenSocket[] = []
  for (const pool of pools) {
    for (let at = 0; at < pool.addresses.length; at += ENDPOINT_WORDS) {
      const words = pool.addresses.slice(at, at + ENDPOINT_WORDS)
      sockets.push(new OpenSocket(sockets.length, pool, words))
    }
  }
  for (const unspecified of ['0.0.0.0', '::']) {
    const words = new Int32Array(ENDPOINT_WORDS)
    parseAddressText(unspecified, words, 0)
    sockets.push(new OpenSocket(sockets.length, null, words))
  }
  if (!sockets.some(({ words }) => words.every((word, index) => word === to[index]))) {
    sockets.push(new OpenSocket(sockets.length, null, to))
  }
  return sockets
}

function arrivalOf(sockets: readonly OpenSocket[], to: Int32Array): OpenSocket {
  return sockets.find(({ words }) => words.every((word, index) => word === to[index]))!
}

function routeOf(
  state: Forwarder,
): Pick<Explanation, 'sipProxy' | 'key' | 'slot' | 'owner' | 'backup'> {
  if (!state.isAttributed)
    return { sipProxy: null, key: null, slot: null, owner: null, backup: null }
  const { table } = state.pool
  const nameOf = (member: number | undefined): string | null =>
    member === undefined ? null : (table.members[member]?.name ?? null)
  const hasSlot = state.slot !== NOT_FOUND
  return {
    sipProxy: `${table.namespace}/${table.name}`,
    key: hasSlot ? new TextDecoder().decode(state.key.subarray(0, state.keyLength)) : null,
    slot: hasSlot ? state.slot : null,
    owner: hasSlot ? nameOf(table.owners[state.slot]) : null,
    backup: hasSlot ? nameOf(table.backups[state.slot]) : null,
  }
}
