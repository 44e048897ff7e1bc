/**
 * A batch of datagrams: payloads in one arena of bytes, everything else in parallel arrays.
 *
 * What a port receives into and sends from. It owns no socket and knows no protocol; a datagram is
 * an index below `count`, never an object.
 *
 *   bytes   │…│ slot 0 (slotSize) │ slot 1 │ …            slot i begins at base + i·slotSize
 *   offset  [i]  where datagram i lies in `bytes`: set to its slot by receive, anywhere when sending
 *   length  [i]  its length in bytes
 *   socket  [i]  the socket it came in on, or goes out by
 *   peer    [5i] endpoint words: its source when received, its target when sending
 *   error   [i]  errno: after send why it was not sent; after receive EMSGSIZE if it was cut to the slot
 *
 * Invariants: `offset[i] + length[i] ≤ bytes.length`; capacity and arena never change, so a port may
 * keep addresses into them. Several batches may share an arena, even the same part of it.
 */

import { ENDPOINT_WORDS } from '@sipcast/sip'

/** Holds the largest UDP payload; the odd number of cache lines keeps slots from aliasing in the caches. */
export const SLOT_SIZE_DEFAULT = 64 * 1029

export interface BatchArena {
  readonly bytes: Uint8Array
  /** Where slot 0 begins. */
  readonly offset: number
  readonly slotSize?: number
}

export class DatagramBatch {
  readonly capacity: number
  readonly bytes: Uint8Array
  readonly base: number
  readonly slotSize: number
  count = 0
  readonly offset: Int32Array
  readonly length: Int32Array
  readonly socket: Int32Array
  readonly peer: Int32Array
  readonly error: Int32Array

  constructor(capacity: number, arena?: BatchArena) {
    this.capacity = capacity
    this.slotSize = arena?.slotSize ?? SLOT_SIZE_DEFAULT
    this.bytes = arena?.bytes ?? new Uint8Array(new ArrayBuffer(capacity * this.slotSize))
    this.base = arena?.offset ?? 0
    if (this.base + capacity * this.slotSize > this.bytes.length) {
      throw new RangeError('the arena is too small for the batch')
    }
    this.offset = new Int32Array(capacity)
    this.length = new Int32Array(capacity)
    this.socket = new Int32Array(capacity)
    this.peer = new Int32Array(capacity * ENDPOINT_WORDS)
    this.error = new Int32Array(capacity)
  }

  clear(): void {
    this.count = 0
  }

  /** Where the slot of datagram `index` begins in `bytes`. */
  slotOffset(index: number): number {
    return this.base + index * this.slotSize
  }

  /** Appends a copy of `payload` for `socket` to send to `peer`; false if full or larger than a slot. */
  append(socket: number, peer: Int32Array, peerAt: number, payload: Uint8Array): boolean {
    if (this.count === this.capacity || payload.length > this.slotSize) return false
    const index = this.count++
    const offset = this.slotOffset(index)
    this.bytes.set(payload, offset)
    this.offset[index] = offset
    this.length[index] = payload.length
    this.socket[index] = socket
    this.error[index] = 0
    for (let word = 0; word < ENDPOINT_WORDS; word++) {
      this.peer[index * ENDPOINT_WORDS + word] = peer[peerAt + word]!
    }
    return true
  }

  /** Whether datagram `index` lies where a port may read: else it is not sent. */
  isInArena(index: number): boolean {
    const offset = this.offset[index]!
    const length = this.length[index]!
    return offset >= 0 && length >= 0 && offset + length <= this.bytes.length
  }

  /** The payload of datagram `index`: a view, valid until the slot is reused. */
  payload(index: number): Uint8Array {
    const offset = this.offset[index]!
    return this.bytes.subarray(offset, offset + this.length[index]!)
  }
}
