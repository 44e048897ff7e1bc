/**
 * recvmmsg into a batch, one socket at a time. Shares between sockets are the port's business.
 */

import { ENDPOINT_WORDS } from '@sipcast/sip'
import type { DatagramBatch } from '../datagram-batch.ts'
import { Errno } from '../errno.ts'
import { arenaAddress } from './arena-address.ts'
import type { Libc } from './libc.ts'
import { MESSAGE_TRUE_LENGTH } from './linux.ts'
import { MessageHeaders } from './message-headers.ts'
import { readSockaddr } from './sockaddr.ts'

/** Datagrams per system call. */
const CALL_MAX = 256
/** A pending ICMP error fails a receive without a datagram being lost; several may be pending. */
const TRIES_MAX = 4

export class Receiver {
  readonly #libc: Libc
  readonly #headers = new MessageHeaders(CALL_MAX)

  constructor(libc: Libc) {
    this.#libc = libc
  }

  /** Appends up to `max` datagrams waiting at `fd` to the batch; their number. Room is the caller's promise. */
  receive(fd: number, id: number, batch: DatagramBatch, max: number): number {
    let total = 0
    while (total < max) {
      const wanted = Math.min(max - total, CALL_MAX)
      const got = this.#call(fd, batch, wanted)
      for (let index = 0; index < got; index++) this.#take(index, id, batch)
      total += got
      if (got < wanted) break
    }
    return total
  }

  #call(fd: number, batch: DatagramBatch, wanted: number): number {
    const headers = this.#headers
    const { slotSize } = batch
    const first = arenaAddress(batch.bytes) + batch.slotOffset(batch.count)
    for (let index = 0; index < wanted; index++) {
      headers.setPayload(index, first + index * slotSize, slotSize)
      headers.resetSockaddrLength(index)
    }
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const got = this.#libc.recvmmsg(fd, headers.addressAt(0), wanted, MESSAGE_TRUE_LENGTH, 0)
      if (got >= 0) return got
      if (this.#libc.errno() === Errno.again) return 0
    }
    return 0
  }

  #take(header: number, id: number, batch: DatagramBatch): void {
    const index = batch.count++
    const length = this.#headers.receivedLength(header)
    const isCut = length > batch.slotSize
    batch.offset[index] = batch.slotOffset(index)
    batch.length[index] = isCut ? batch.slotSize : length
    batch.error[index] = isCut ? Errno.messageSize : 0
    batch.socket[index] = id
    const sockaddr = this.#headers.sockaddrAt(header)
    readSockaddr(this.#headers.sockaddrs, sockaddr, batch.peer, index * ENDPOINT_WORDS)
  }
}
