/**
 * Which addresses are served well enough for routers to be told of them. An address may have several sockets, of
 * SipProxies that use different ports. Not here: whether a socket has proven itself (`self-test.ts`). Invariants:
 * what joins an address that is ready takes it away from nobody, as its port may be one that no node can bind; a socket
 * that was proven and is no longer takes its address away, since routers know no ports; an address that comes waits
 * for the socket of its oldest SipProxy however long it takes, and for the others a while.
 */

import { SOCKETS_PATIENCE_MS } from './limits.ts'
import { socketId } from './self-test.ts'

export interface SocketStand {
  readonly address: string
  readonly port: number
  /** It is bound and has proven itself. */
  readonly isProven: boolean
}

export class AddressReadiness {
  /** Sockets that have been proven since they are there. */
  #proven: ReadonlySet<string> = new Set()
  #ready: ReadonlySet<string> = new Set()
  /** Since when an address waits for the rest of its sockets. */
  #waitsSinceMs: ReadonlyMap<string, number> = new Map()

  /** @param sockets all that there should be; at the same address, those of older SipProxies first */
  look(sockets: readonly SocketStand[], nowMs: number): ReadonlySet<string> {
    const ready = new Set<string>()
    const waitsSinceMs = new Map<string, number>()
    for (const [address, ofIt] of Map.groupBy(sockets, (socket) => socket.address)) {
      const isServed = ofIt.some(({ isProven }) => isProven)
      if (!isServed || ofIt.some((socket) => this.#isLost(socket))) continue
      const isWhole = ofIt.every(({ isProven }) => isProven)
      const sinceMs = this.#waitsSinceMs.get(address) ?? nowMs
      const hasWaited = ofIt[0]!.isProven && nowMs - sinceMs >= SOCKETS_PATIENCE_MS
      if (isWhole || hasWaited || this.#ready.has(address)) ready.add(address)
      else waitsSinceMs.set(address, sinceMs)
    }
    const proven = sockets.filter((one) => one.isProven || this.#proven.has(socketId(one)))
    this.#proven = new Set(proven.map(socketId))
    this.#ready = ready
    this.#waitsSinceMs = waitsSinceMs
    return ready
  }

  #isLost(socket: SocketStand): boolean {
    return !socket.isProven && this.#proven.has(socketId(socket))
  }
}
