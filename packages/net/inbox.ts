/**
 * The receive queue of one socket, for skins that have no kernel to keep one.
 *
 * Bounded in bytes like a kernel's receive buffer, including a charge per datagram; what does not
 * fit is dropped and counted. First in, first out.
 */

import { ENDPOINT_WORDS } from '@sipcast/sip'
import type { DatagramBatch } from './datagram-batch.ts'
import { Errno } from './errno.ts'

const BYTES_DEFAULT = 1 << 20
/** What a datagram costs beyond its payload, so that empty ones are bounded too. */
const DATAGRAM_COST_BYTES = 512

interface Waiting {
  readonly payload: Uint8Array
  readonly peer: Int32Array
}

export class Inbox {
  /** Dropped since the socket was opened. */
  drops = 0
  readonly #socket: number
  readonly #bytesMax: number
  #waiting: Waiting[] = []
  /** Those before it are taken; they are cut off now and then rather than shifted one by one. */
  #head = 0
  #bytes = 0

  constructor(socket: number, bytesMax = BYTES_DEFAULT) {
    this.#socket = socket
    this.#bytesMax = bytesMax
  }

  get length(): number {
    return this.#waiting.length - this.#head
  }

  /** Keeps both arguments. False if dropped. */
  put(payload: Uint8Array, peer: Int32Array): boolean {
    const bytes = payload.length + DATAGRAM_COST_BYTES
    if (this.#bytes + bytes > this.#bytesMax) {
      this.drops++
      return false
    }
    this.#bytes += bytes
    this.#waiting.push({ payload, peer })
    return true
  }

  /** Appends up to `max` datagrams to the batch; their number. */
  take(batch: DatagramBatch, max: number): number {
    const count = Math.min(max, this.length, batch.capacity - batch.count)
    for (let turn = 0; turn < count; turn++) this.#takeOne(batch)
    if (this.#head * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return count
  }

  #takeOne(batch: DatagramBatch): void {
    const { payload, peer } = this.#waiting[this.#head++]!
    this.#bytes -= payload.length + DATAGRAM_COST_BYTES
    const index = batch.count++
    const offset = batch.slotOffset(index)
    const isCut = payload.length > batch.slotSize
    batch.bytes.set(isCut ? payload.subarray(0, batch.slotSize) : payload, offset)
    batch.offset[index] = offset
    batch.length[index] = Math.min(payload.length, batch.slotSize)
    batch.error[index] = isCut ? Errno.messageSize : 0
    batch.socket[index] = this.#socket
    batch.peer.set(peer, index * ENDPOINT_WORDS)
  }
}

/** The inboxes of a port, served in turn. */
export class InboxRound {
  #inboxes: readonly Inbox[] = []
  #turn = 0

  add(inbox: Inbox): void {
    this.#inboxes = [...this.#inboxes, inbox]
  }

  remove(inbox: Inbox): void {
    this.#inboxes = this.#inboxes.filter((other) => other !== inbox)
  }

  hasAny(): boolean {
    return this.#inboxes.some((inbox) => inbox.length > 0)
  }

  /** Fills the rest of the batch with equal shares, beginning behind the inbox served last. */
  take(batch: DatagramBatch): number {
    const before = batch.count
    const full = this.#inboxes.filter((inbox) => inbox.length > 0)
    for (let step = 0; step < full.length && batch.count < batch.capacity; step++) {
      const share = Math.ceil((batch.capacity - batch.count) / (full.length - step))
      this.#turn = (this.#turn + 1) % full.length
      full[this.#turn]!.take(batch, share)
    }
    for (const inbox of full) inbox.take(batch, batch.capacity)
    return batch.count - before
  }
}
