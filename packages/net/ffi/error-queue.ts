/**
 * The error queue of a socket (IP_RECVERR): ICMP errors with the destination they are about.
 *
 * Plain receives and `node:dgram` never learn of them on an unconnected socket. Errors of local
 * origin are skipped, they say nothing about the peer.
 *
 *   control: │ cmsghdr: len u64 │ level u32 │ type u32 │ sock_extended_err: errno u32 │ origin u8 │ …
 *   name:    the destination of the datagram that the error answers
 */

import { ENDPOINT_WORDS } from '@sipcast/sip'
import type { RefusalBatch } from '../refusal-batch.ts'
import { addressOf, type Libc } from './libc.ts'
import {
  CONTROL_HEADER_SIZE,
  ERROR_ORIGIN_ICMP,
  ERROR_ORIGIN_ICMP6,
  ExtendedError,
  IpOption,
  Ipv6Option,
  Level,
  MESSAGE_ERROR_QUEUE,
  SOCKADDR_SIZE_IPV6,
} from './linux.ts'
import { readSockaddr } from './sockaddr.ts'
import { clearPendingError } from './socket.ts'

/** Per socket and drain: a flood of errors must not hold up the datagrams. */
const DRAIN_MAX = 64

const NAME_AT = 64
const VECTOR_AT = 96
const PAYLOAD_AT = 112
const CONTROL_AT = 128
const CONTROL_SIZE = 384
const HeaderField = { nameLength: 8, controlLength: 40 } as const

export class ErrorQueue {
  readonly #libc: Libc
  readonly #memory = new ArrayBuffer(CONTROL_AT + CONTROL_SIZE)
  readonly #view = new DataView(this.#memory)
  readonly #sockaddr = new Int32Array(this.#memory, NAME_AT, 8)
  readonly #address = addressOf(this.#memory)
  readonly #peer = new Int32Array(ENDPOINT_WORDS)

  constructor(libc: Libc) {
    this.#libc = libc
    this.#setPointer(0, NAME_AT)
    this.#setPointer(16, VECTOR_AT)
    this.#view.setUint32(24, 1, true)
    this.#setPointer(32, CONTROL_AT)
    this.#setPointer(VECTOR_AT, PAYLOAD_AT)
    this.#view.setUint32(VECTOR_AT + 8, CONTROL_AT - PAYLOAD_AT, true)
  }

  /** Takes the waiting errors of `fd` off, into `into` as far as there is room. */
  drain(fd: number, id: number, into: RefusalBatch): void {
    for (let turn = 0; turn < DRAIN_MAX; turn++) {
      this.#view.setUint32(HeaderField.nameLength, SOCKADDR_SIZE_IPV6, true)
      this.#view.setUint32(HeaderField.controlLength, CONTROL_SIZE, true)
      if (this.#libc.recvmsg(fd, this.#address, MESSAGE_ERROR_QUEUE) < 0) {
        clearPendingError(this.#libc, fd)
        return
      }
      const errno = this.#icmpErrno()
      if (errno === 0) continue
      readSockaddr(this.#sockaddr, 0, this.#peer, 0)
      into.append(errno, id, this.#peer, 0)
    }
  }

  /** The errno of the extended error in the control data, 0 if there is none of ICMP origin. */
  #icmpErrno(): number {
    const view = this.#view
    const end = CONTROL_AT + view.getUint32(HeaderField.controlLength, true)
    let at = CONTROL_AT
    while (at + CONTROL_HEADER_SIZE <= end) {
      const length = view.getUint32(at, true)
      if (length < CONTROL_HEADER_SIZE) return 0
      const level = view.getUint32(at + 8, true)
      const type = view.getUint32(at + 12, true)
      const isError =
        (level === Level.ip && type === IpOption.receiveErrors) ||
        (level === Level.ipv6 && type === Ipv6Option.receiveErrors)
      if (isError) {
        const origin = view.getUint8(at + CONTROL_HEADER_SIZE + ExtendedError.origin)
        const isIcmp = origin === ERROR_ORIGIN_ICMP || origin === ERROR_ORIGIN_ICMP6
        const errno = view.getUint32(at + CONTROL_HEADER_SIZE + ExtendedError.errno, true)
        return isIcmp ? errno : 0
      }
      at += (length + 7) & ~7
    }
    return 0
  }

  #setPointer(at: number, to: number): void {
    this.#view.setBigUint64(at, BigInt(this.#address + to), true)
  }
}
