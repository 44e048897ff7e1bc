/**
 * What one packet worker knows while it handles a datagram: the pools, keys and sockets in use, and the scratch space
 * of the datagram at hand. Not here: any decision (`forward.ts` and the stages it calls), sockets themselves.
 * Invariants: nothing outlives the datagram but tables, keys, sockets and rate buckets; no call state.
 */

import {
  Edits,
  ENDPOINT_WORDS,
  isIPv4,
  KeyRing,
  Message,
  sameEndpoint,
  TOKEN_LENGTH_MAX,
  Token,
  ViaFlow,
  Writer,
} from '@sipcast/sip'
import type { DatagramBatch } from '@sipcast/net'
import { PACKET_NONE } from './counters.ts'
import { EndpointMap, NOT_FOUND } from './endpoint-map.ts'
import { KEY_BYTES_MAX, EDIT_SCRATCH_BYTES, TOKENS_MAX } from './limits.ts'
import { OwnAddress } from './own-address.ts'
import type { Pool } from './pool.ts'
import { RateLimiter, ReplyBudget } from './rate-limiter.ts'

/** A bound socket as the packet path sees it. */
export class OpenSocket {
  /** Id at the UDP port. */
  readonly id: number
  /** The SipProxy of an outside socket; null on the inside socket, which serves all. */
  readonly pool: Pool | null
  readonly address: OwnAddress
  /** Our address and port. */
  readonly words: Int32Array
  /** Lives as long as the socket itself. */
  readonly tally: SocketTally

  constructor(
    id: number,
    pool: Pool | null,
    words: Int32Array,
    tally: SocketTally = { served: 0 },
  ) {
    this.id = id
    this.pool = pool
    this.address = new OwnAddress(words)
    this.words = words
    this.tally = tally
  }
}

export interface SocketTally {
  /** Datagrams that came in there and got what they deserve. */
  served: number
}

export interface World {
  readonly pools: readonly Pool[]
  readonly keys: KeyRing
  readonly sockets: readonly OpenSocket[]
}

export class Forwarder {
  /** Wall clock of this burst, in milliseconds since the epoch. */
  nowMs = 0

  pools: readonly Pool[] = []
  keys: KeyRing = new KeyRing()
  /** Every address:port of every SipProxy served, held by this node or not → index in `pools`. */
  ownEndpoints = new EndpointMap(0)
  insideIPv4: OpenSocket | null = null
  insideIPv6: OpenSocket | null = null
  readonly rates = new RateLimiter()
  readonly replies = new ReplyBudget()
  #outside = new EndpointMap(0)
  #sockets: readonly OpenSocket[] = []
  #socketById: (OpenSocket | undefined)[] = []

  // The datagram at hand.
  readonly message = new Message()
  readonly edits = new Edits(EDIT_SCRATCH_BYTES)
  received!: DatagramBatch
  sending!: DatagramBatch
  /** Source endpoint: words in `received.peer` at `sourceAt`. */
  sourceAt = 0
  arrival!: OpenSocket
  /** Set once `isAttributed`: the SipProxy that the message belongs to. */
  pool!: Pool
  isAttributed = false
  isFromInside = false
  /** Index in `packetKinds`. */
  packetKind = PACKET_NONE

  // Own Route entries on top (routes.ts).
  poppedRoutes = 0
  readonly tokens: readonly Token[] = Array.from({ length: TOKENS_MAX }, () => new Token())
  tokenCount = 0

  // The decision (target.ts); `slot` is -1 where the key had no say.
  readonly target = new Int32Array(ENDPOINT_WORDS)
  targetMember: number = NOT_FOUND
  targetSocket: OpenSocket | null = null
  readonly key = new Uint8Array(KEY_BYTES_MAX)
  keyLength = 0
  keyHash = 0
  slot: number = NOT_FOUND

  readonly viaFlow = new ViaFlow()
  readonly tokenOut = new Token()
  readonly tokenText = new Writer(new Uint8Array(TOKEN_LENGTH_MAX))
  readonly scratch = new Int32Array(ENDPOINT_WORDS)

  /** Swaps tables, keys and sockets in one step, between two bursts. */
  use(world: World): void {
    this.pools = world.pools
    this.keys = world.keys
    this.ownEndpoints = indexOwnEndpoints(world.pools)
    this.#sockets = world.sockets
    this.#socketById = []
    this.#outside = new EndpointMap(world.sockets.length)
    this.insideIPv4 = null
    this.insideIPv6 = null
    world.sockets.forEach((socket, index) => {
      this.#socketById[socket.id] = socket
      if (socket.pool !== null) this.#outside.put(socket.words, 0, socket.words[4]!, index)
      else if (isIPv4(socket.words, 0)) this.insideIPv4 = socket
      else this.insideIPv6 = socket
    })
  }

  /** Turns to datagram `index` of `received`. False where its socket was closed meanwhile. */
  arrive(received: DatagramBatch, index: number, sending: DatagramBatch): boolean {
    const arrival = this.#socketById[received.socket[index]!]
    if (arrival === undefined) return false
    this.received = received
    this.sending = sending
    this.sourceAt = index * ENDPOINT_WORDS
    this.arrival = arrival
    this.isFromInside = false
    this.isAttributed = false
    this.packetKind = PACKET_NONE
    this.poppedRoutes = 0
    this.tokenCount = 0
    this.targetMember = NOT_FOUND
    this.targetSocket = null
    this.keyLength = 0
    this.slot = NOT_FOUND
    return true
  }

  /** Our open socket with exactly this address and port on the phones' side, or null. */
  outsideSocket(words: Int32Array, at: number): OpenSocket | null {
    const index = this.#outside.get(words, at, words[at + 4]!)
    return index === NOT_FOUND ? null : this.#sockets[index]!
  }

  /** The inside socket if it has exactly this address and port, or null. */
  insideSocketAt(words: Int32Array, at: number): OpenSocket | null {
    const socket = this.insideSocket(isIPv4(words, at))
    return socket !== null && sameEndpoint(socket.words, 0, words, at) ? socket : null
  }

  insideSocket(wantIPv4: boolean): OpenSocket | null {
    return wantIPv4 ? this.insideIPv4 : this.insideIPv6
  }
}

function indexOwnEndpoints(pools: readonly Pool[]): EndpointMap {
  const count = pools.reduce((sum, pool) => sum + pool.addresses.length / ENDPOINT_WORDS, 0)
  const map = new EndpointMap(count)
  pools.forEach((pool, index) => {
    for (let at = 0; at < pool.addresses.length; at += ENDPOINT_WORDS) {
      map.put(pool.addresses, at, pool.addresses[at + 4]!, index)
    }
  })
  return map
}
