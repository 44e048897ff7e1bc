/**
 * A machine on a memory network: the addresses it holds and the sockets bound on it.
 *
 * Binds by Linux's rules: an address must be held (or be a wildcard), and an address and port is
 * exclusive unless all its sockets say `reusePort`. A socket outlives the loss of its address, as in
 * the kernel; it just hears nothing any more.
 */

import { ENDPOINT_WORDS, isIPv4 } from '@sipcast/sip'
import { addressKey, endpointKey } from './endpoint-key.ts'
import { type Flight, flowHash } from './flight.ts'
import { localEndpoint } from './local-endpoint.ts'
import type { MemoryNetwork } from './memory-network.ts'
import { BlockingMemoryPort, MemoryPort } from './memory-port.ts'
import type { MemorySocket } from './memory-socket.ts'
import { type BlockingUdpPort, UdpError, UdpErrorCode, type UdpPort } from './udp-port.ts'

const EPHEMERAL_PORT_FIRST = 32768
const EPHEMERAL_PORT_LAST = 60999

export class MemoryHost {
  readonly network: MemoryNetwork
  readonly #addresses = new Map<string, Int32Array>()
  /** By address and port. */
  readonly #sockets = new Map<string, readonly MemorySocket[]>()
  #nextPort = EPHEMERAL_PORT_FIRST

  constructor(network: MemoryNetwork) {
    this.network = network
  }

  /** Takes an address, an IP literal; holding it already is no error. */
  hold(address: string): void {
    const words = localEndpoint(address, 0)
    const key = addressKey(words)
    if (this.#addresses.has(key)) return
    this.#addresses.set(key, words)
    this.network.addHolder(key, this)
  }

  release(address: string): void {
    const key = addressKey(localEndpoint(address, 0))
    if (this.#addresses.delete(key)) this.network.removeHolder(key, this)
  }

  /** Another UDP port on this host; a blocking one never waits, as time is not its own to spend. */
  openPort(options: { readonly blocking: true }): BlockingUdpPort
  openPort(options?: { readonly blocking: boolean }): UdpPort
  openPort(options?: { readonly blocking: boolean }): UdpPort {
    return options?.blocking ? new BlockingMemoryPort(this) : new MemoryPort(this)
  }

  /** MemoryPort's: an endpoint to bind for this address and port. Throws UdpError. */
  claim(address: string, port: number, reusePort: boolean): Int32Array {
    const local = localEndpoint(address, port)
    if (!isWildcard(local) && !this.#addresses.has(addressKey(local))) {
      throw new UdpError(UdpErrorCode.addressAbsent, `bind ${address} port ${port}`)
    }
    if (port === 0) local[ENDPOINT_WORDS - 1] = this.#freePort(local)
    if (this.#rivals(local).some((rival) => !(rival.reusePort && reusePort))) {
      throw new UdpError(UdpErrorCode.addressInUse, `bind ${address} port ${port}`)
    }
    return local
  }

  /** MemorySocket's, with an endpoint that was claimed. */
  bind(socket: MemorySocket): void {
    const key = endpointKey(socket.local)
    this.#sockets.set(key, [...(this.#sockets.get(key) ?? []), socket])
  }

  unbind(socket: MemorySocket): void {
    const key = endpointKey(socket.local)
    const others = (this.#sockets.get(key) ?? []).filter((other) => other !== socket)
    if (others.length === 0) this.#sockets.delete(key)
    else this.#sockets.set(key, others)
  }

  /** The socket that hears the flight: bound to its very target, else to the wildcard. */
  socketFor(flight: Flight): MemorySocket | undefined {
    const sockets =
      this.#sockets.get(endpointKey(flight.target)) ??
      this.#sockets.get(endpointKey(wildcardOf(flight.target)))
    return sockets?.[flowHash(flight) % sockets.length]
  }

  /** The source that datagrams of a socket bound to `local` carry; undefined if there is none. */
  sourceFor(local: Int32Array): Int32Array | undefined {
    if (!isWildcard(local)) return local
    for (const address of this.#addresses.values()) {
      if (isIPv4(address, 0) !== isIPv4(local, 0)) continue
      const source = Int32Array.from(address)
      source[ENDPOINT_WORDS - 1] = local[ENDPOINT_WORDS - 1]!
      return source
    }
    return undefined
  }

  #rivals(local: Int32Array): MemorySocket[] {
    const rivals: MemorySocket[] = []
    for (const sockets of this.#sockets.values()) {
      const other = sockets[0]!.local
      const isSamePort = other[ENDPOINT_WORDS - 1] === local[ENDPOINT_WORDS - 1]
      if (!isSamePort || isIPv4(other, 0) !== isIPv4(local, 0)) continue
      if (isWildcard(other) || isWildcard(local) || addressKey(other) === addressKey(local)) {
        rivals.push(...sockets)
      }
    }
    return rivals
  }

  #freePort(local: Int32Array): number {
    const candidate = Int32Array.from(local)
    for (let tries = EPHEMERAL_PORT_FIRST; tries <= EPHEMERAL_PORT_LAST; tries++) {
      const port = this.#nextPort
      this.#nextPort = port === EPHEMERAL_PORT_LAST ? EPHEMERAL_PORT_FIRST : port + 1
      candidate[ENDPOINT_WORDS - 1] = port
      if (this.#rivals(candidate).length === 0) return port
    }
    throw new UdpError(UdpErrorCode.addressInUse, 'no free port')
  }
}

/** 0.0.0.0 or ::, the former being ::ffff:0:0. */
function isWildcard(endpoint: Int32Array): boolean {
  const isZero = endpoint[0] === 0 && endpoint[1] === 0 && endpoint[3] === 0
  return isZero && (endpoint[2] === 0 || endpoint[2] === 0xffff)
}

function wildcardOf(endpoint: Int32Array): Int32Array {
  const third = isIPv4(endpoint, 0) ? 0xffff : 0
  return Int32Array.of(0, 0, third, 0, endpoint[ENDPOINT_WORDS - 1]!)
}
