/**
 * Refusals: ICMP errors that came back for datagrams a port had sent, in parallel arrays.
 *
 * Evidence, not a count: hosts limit the rate of ICMP errors, so hundreds of refused datagrams may
 * yield a handful of refusals, and a refusal may concern a datagram sent seconds ago.
 */

import { ENDPOINT_WORDS } from '@sipcast/sip'

export class RefusalBatch {
  readonly capacity: number
  count = 0
  /** ECONNREFUSED, EHOSTUNREACH, ENETUNREACH… */
  readonly errno: Int32Array
  /** The socket the refused datagram was sent from. */
  readonly socket: Int32Array
  /** Endpoint words of the refused datagram's target. */
  readonly peer: Int32Array

  constructor(capacity: number) {
    this.capacity = capacity
    this.errno = new Int32Array(capacity)
    this.socket = new Int32Array(capacity)
    this.peer = new Int32Array(capacity * ENDPOINT_WORDS)
  }

  clear(): void {
    this.count = 0
  }

  /** False if full. */
  append(errno: number, socket: number, peer: Int32Array, peerAt: number): boolean {
    if (this.count === this.capacity) return false
    const index = this.count++
    this.errno[index] = errno
    this.socket[index] = socket
    for (let word = 0; word < ENDPOINT_WORDS; word++) {
      this.peer[index * ENDPOINT_WORDS + word] = peer[peerAt + word]!
    }
    return true
  }

  /** Moves as many of our refusals as fit to the end of `into`, oldest first; their number. */
  moveTo(into: RefusalBatch): number {
    const moved = Math.min(this.count, into.capacity - into.count)
    for (let index = 0; index < moved; index++) {
      into.append(this.errno[index]!, this.socket[index]!, this.peer, index * ENDPOINT_WORDS)
    }
    this.errno.copyWithin(0, moved, this.count)
    this.socket.copyWithin(0, moved, this.count)
    this.peer.copyWithin(0, moved * ENDPOINT_WORDS, this.count * ENDPOINT_WORDS)
    this.count -= moved
    return moved
  }
}
