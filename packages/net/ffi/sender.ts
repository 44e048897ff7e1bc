/**
 * sendmmsg from a batch: as few calls as there are sockets, each datagram's fate in `batch.error`.
 *
 * Datagrams are grouped by socket with a stable counting sort, so the order between one socket and
 * one peer is kept. sendmmsg stops at the first datagram that fails: that one is tried once more (the
 * error may be a pending ICMP of another peer), then skipped. A full send buffer is waited for
 * once per call, briefly; then what is left of the group is dropped.
 */

import { ENDPOINT_WORDS } from '@sipcast/sip'
import type { DatagramBatch } from '../datagram-batch.ts'
import { Errno } from '../errno.ts'
import { arenaAddress } from './arena-address.ts'
import { addressOf, type Libc } from './libc.ts'
import { POLL_WRITABLE } from './linux.ts'
import { MessageHeaders } from './message-headers.ts'
import { familyOf, writeSockaddr } from './sockaddr.ts'
import { SOCKETS_MAX, type SocketTable } from './socket-table.ts'

/** Datagrams per system call. */
const CALL_MAX = 256

export class Sender {
  readonly #libc: Libc
  readonly #sockets: SocketTable
  readonly #writableWaitMs: number
  readonly #headers = new MessageHeaders(CALL_MAX)
  /** The batch index of each header in use. */
  readonly #index = new Int32Array(CALL_MAX)
  readonly #slot = new Int32Array(CALL_MAX)
  /** Headers per socket slot, then where the slot's next header goes; zero between calls. */
  readonly #place = new Int32Array(SOCKETS_MAX)
  readonly #groups = new Int32Array(CALL_MAX)
  readonly #pollfd = new Int32Array(new ArrayBuffer(8))
  readonly #pollfdAddress = addressOf(this.#pollfd)
  #mayWait = false
  #failures = 0

  constructor(libc: Libc, sockets: SocketTable, writableWaitMs: number) {
    this.#libc = libc
    this.#sockets = sockets
    this.#writableWaitMs = writableWaitMs
  }

  send(batch: DatagramBatch): number {
    this.#mayWait = this.#writableWaitMs > 0
    this.#failures = 0
    for (let from = 0; from < batch.count; from += CALL_MAX) {
      this.#sendPart(batch, from, Math.min(batch.count, from + CALL_MAX))
    }
    return batch.count - this.#failures
  }

  #sendPart(batch: DatagramBatch, from: number, to: number): void {
    const groupCount = this.#countGroups(batch, from, to)
    this.#placeGroups(groupCount)
    this.#fillHeaders(batch, from, to)
    let begin = 0
    for (let group = 0; group < groupCount; group++) {
      const slot = this.#groups[group]!
      const end = this.#place[slot]!
      this.#place[slot] = 0
      this.#sendGroup(batch, this.#sockets.fdAt(slot), begin, end)
      begin = end
    }
  }

  /** Finds each datagram's socket slot, -1 if it can't be sent, and counts the datagrams per slot. */
  #countGroups(batch: DatagramBatch, from: number, to: number): number {
    let groupCount = 0
    for (let index = from; index < to; index++) {
      const slot = this.#sockets.slotOf(batch.socket[index]!)
      const error = slot < 0 ? Errno.badSocket : this.#objection(batch, index, slot)
      batch.error[index] = error
      this.#slot[index - from] = error === 0 ? slot : -1
      if (error !== 0) this.#failures++
      else if (this.#place[slot]!++ === 0) this.#groups[groupCount++] = slot
    }
    return groupCount
  }

  /** Turns counts into the place of each slot's first header. */
  #placeGroups(groupCount: number): void {
    let next = 0
    for (let group = 0; group < groupCount; group++) {
      const slot = this.#groups[group]!
      const count = this.#place[slot]!
      this.#place[slot] = next
      next += count
    }
  }

  /** Leaves each slot's place behind its last header. */
  #fillHeaders(batch: DatagramBatch, from: number, to: number): void {
    const headers = this.#headers
    const arena = arenaAddress(batch.bytes)
    for (let index = from; index < to; index++) {
      const slot = this.#slot[index - from]!
      if (slot < 0) continue
      const header = this.#place[slot]!++
      this.#index[header] = index
      headers.setPayload(header, arena + batch.offset[index]!, batch.length[index]!)
      const { sockaddrs } = headers
      const family = this.#sockets.familyAt(slot)
      const at = headers.sockaddrAt(header)
      const peerAt = index * ENDPOINT_WORDS
      headers.setSockaddrLength(header, writeSockaddr(batch.peer, peerAt, family, sockaddrs, at))
    }
  }

  /** Why this datagram must not reach the kernel, which would read beyond the arena or misread the peer. */
  #objection(batch: DatagramBatch, index: number, slot: number): number {
    if (!batch.isInArena(index)) return Errno.invalid
    const family = familyOf(batch.peer, index * ENDPOINT_WORDS)
    return family === this.#sockets.familyAt(slot) ? 0 : Errno.familyUnsupported
  }

  #sendGroup(batch: DatagramBatch, fd: number, begin: number, end: number): void {
    let at = begin
    let retried = -1
    while (at < end) {
      const sent = this.#libc.sendmmsg(fd, this.#headers.addressAt(at), end - at, 0)
      if (sent > 0) {
        at += sent
        continue
      }
      const errno = this.#libc.errno()
      if (errno === Errno.again) {
        if (this.#waitWritable(fd)) continue
        while (at < end) this.#fail(batch, at++, errno)
        return
      }
      // ENOBUFS is the device's queue speaking: a second try would only load it more.
      if (retried !== at && errno !== Errno.noBuffers) retried = at
      else this.#fail(batch, at++, errno)
    }
  }

  #fail(batch: DatagramBatch, header: number, errno: number): void {
    batch.error[this.#index[header]!] = errno
    this.#failures++
  }

  #waitWritable(fd: number): boolean {
    if (!this.#mayWait) return false
    this.#mayWait = false
    this.#pollfd[0] = fd
    this.#pollfd[1] = POLL_WRITABLE
    return this.#libc.poll(this.#pollfdAddress, 1, this.#writableWaitMs) > 0
  }
}
