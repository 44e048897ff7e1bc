/**
 * The UDP port: how the rest of the system sends and receives datagrams.
 *
 * An interface with three skins: FFI (recvmmsg and sendmmsg, error queues), `node:dgram` (works
 * wherever Node does) and memory (tests and simulation). It knows nothing of SIP.
 *
 * What every skin keeps to:
 * - `receive` and `send` never block longer than a few milliseconds, never throw on network errors
 *   and keep the order of datagrams between one socket and one peer;
 * - a datagram whose send fails is tried once more, because a pending ICMP error of one peer fails
 *   the next send to another, healthy one;
 * - `receive` is fair: no socket starves another;
 * - socket ids are not reused while datagrams of a closed socket may still be in a batch;
 * - queues and waits are bounded; datagrams that do not fit are dropped and counted, refusals just
 *   dropped: they are evidence, not a count.
 */

import type { DatagramBatch } from './datagram-batch.ts'
import type { RefusalBatch } from './refusal-batch.ts'

export const UdpErrorCode = {
  addressInUse: 'EADDRINUSE',
  addressAbsent: 'EADDRNOTAVAIL',
  accessDenied: 'EACCES',
  invalidAddress: 'EINVAL',
  tooManySockets: 'EMFILE',
  unsupported: 'ENOTSUP',
  closed: 'EBADF',
  other: 'EIO',
} as const
export type UdpErrorCode = (typeof UdpErrorCode)[keyof typeof UdpErrorCode]

/** A socket could not be opened. Transient: worth trying again later with the same arguments. */
export class UdpError extends Error {
  readonly code: UdpErrorCode
  readonly transient: boolean

  constructor(code: UdpErrorCode, message: string, options?: ErrorOptions) {
    super(`${message}: ${code}`, options)
    this.name = 'UdpError'
    this.code = code
    this.transient =
      code === UdpErrorCode.addressInUse ||
      code === UdpErrorCode.addressAbsent ||
      code === UdpErrorCode.tooManySockets
  }
}

export interface UdpCapabilities {
  /** One system call moves many datagrams. */
  readonly batched: boolean
  /** ICMP errors of unconnected sockets arrive in `refusals`. */
  readonly errorQueue: boolean
  /** `drops` counts what the kernel dropped, not only this process. */
  readonly kernelDrops: boolean
  readonly reusePort: boolean
}

export interface SocketOptions {
  /** An IP literal without brackets. */
  readonly address: string
  /** 0: one of the kernel's choice, see `localPort`. */
  readonly port: number
  /** Share the address and port with other sockets that say so too (SO_REUSEPORT). */
  readonly reusePort?: boolean
  readonly receiveBufferBytes?: number
  readonly sendBufferBytes?: number
}

export interface UdpPort {
  readonly capabilities: UdpCapabilities
  /** The new socket's id. Fails with UdpError. */
  open(options: SocketOptions): number | Promise<number>
  /** The port number that `socket` is bound to. */
  localPort(socket: number): number
  /** Its unread datagrams are lost. Unknown ids are ignored. */
  close(socket: number): void
  /** Until something can be received or was refused, or the time is up; false then. One wait at a time. */
  wait(timeoutMs: number): boolean | Promise<boolean>
  /** Fills the free rest of the batch, fairly over all sockets; the number of datagrams added. */
  receive(batch: DatagramBatch): number
  /** Sends all datagrams of the batch, each from its `socket` to its `peer`; the number sent without error. */
  send(batch: DatagramBatch): number
  /** Adds ICMP errors since the last call to the free rest of `into`; their number. */
  refusals(into: RefusalBatch): number
  /** Datagrams dropped so far because `socket`'s queue was full; wraps at 2³². */
  drops(socket: number): number
  /** Closes everything; a pending wait ends with false. */
  shutdown(): void
}

/** A port whose calls all return at once or block the thread: for packet workers. */
export interface BlockingUdpPort extends UdpPort {
  open(options: SocketOptions): number
  wait(timeoutMs: number): boolean
}
