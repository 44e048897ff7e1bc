/**
 * The memory skin of the UDP port: sockets on a memory host.
 *
 * Can all that the FFI skin can, and does it at once: what is sent without delay has arrived, or been
 * refused, when `send` returns. Waits by the network's clock.
 */

import { ENDPOINT_WORDS, isIPv4 } from '@sipcast/sip'
import type { DatagramBatch } from './datagram-batch.ts'
import { Errno } from './errno.ts'
import { InboxRound } from './inbox.ts'
import type { MemoryHost } from './memory-host.ts'
import { MemorySocket } from './memory-socket.ts'
import { RefusalBatch } from './refusal-batch.ts'
import {
  type BlockingUdpPort,
  type SocketOptions,
  type UdpCapabilities,
  UdpError,
  UdpErrorCode,
  type UdpPort,
} from './udp-port.ts'
import { Wakeup } from './wakeup.ts'

const REFUSALS_MAX = 256

abstract class MemoryPortBase {
  readonly capabilities: UdpCapabilities = {
    batched: true,
    errorQueue: true,
    kernelDrops: true,
    reusePort: true,
  }
  protected readonly host: MemoryHost
  protected isShut = false
  readonly #sockets = new Map<number, MemorySocket>()
  readonly #refusals = new RefusalBatch(REFUSALS_MAX)
  readonly #inboxes = new InboxRound()
  #nextId = 1

  constructor(host: MemoryHost) {
    this.host = host
  }

  open(options: SocketOptions): number {
    if (this.isShut) throw new UdpError(UdpErrorCode.closed, 'the port is shut down')
    const reusePort = options.reusePort ?? false
    const local = this.host.claim(options.address, options.port, reusePort)
    const id = this.#nextId++
    const socket = new MemorySocket({
      host: this.host,
      id,
      local,
      reusePort,
      receiveBufferBytes: options.receiveBufferBytes,
      refusals: this.#refusals,
      onNews: () => this.onNews(),
    })
    this.#sockets.set(id, socket)
    this.#inboxes.add(socket.inbox)
    return id
  }

  localPort(socket: number): number {
    const open = this.#sockets.get(socket)
    if (open === undefined) throw new UdpError(UdpErrorCode.closed, `no socket ${socket}`)
    return open.local[ENDPOINT_WORDS - 1]!
  }

  close(socket: number): void {
    const open = this.#sockets.get(socket)
    if (open === undefined) return
    open.close()
    this.#sockets.delete(socket)
    this.#inboxes.remove(open.inbox)
  }

  receive(batch: DatagramBatch): number {
    return this.#inboxes.take(batch)
  }

  send(batch: DatagramBatch): number {
    let sent = 0
    for (let index = 0; index < batch.count; index++) {
      batch.error[index] = this.#sendOne(batch, index)
      if (batch.error[index] === 0) sent++
    }
    return sent
  }

  refusals(into: RefusalBatch): number {
    return this.#refusals.moveTo(into)
  }

  drops(socket: number): number {
    return (this.#sockets.get(socket)?.inbox.drops ?? 0) >>> 0
  }

  shutdown(): void {
    this.isShut = true
    for (const id of this.#sockets.keys()) this.close(id)
    this.onNews()
  }

  protected hasNews(): boolean {
    if (this.isShut) return false
    return this.#refusals.count > 0 || this.#inboxes.hasAny()
  }

  protected abstract onNews(): void

  #sendOne(batch: DatagramBatch, index: number): number {
    const socket = this.#sockets.get(batch.socket[index]!)
    if (socket === undefined) return Errno.badSocket
    if (!batch.isInArena(index)) return Errno.invalid
    const peerAt = index * ENDPOINT_WORDS
    const target = batch.peer.slice(peerAt, peerAt + ENDPOINT_WORDS)
    if (isIPv4(target, 0) !== isIPv4(socket.local, 0)) return Errno.familyUnsupported
    if (target[ENDPOINT_WORDS - 1] === 0) return Errno.invalid
    const source = this.host.sourceFor(socket.local)
    if (source === undefined) return Errno.networkUnreachable
    this.host.network.carry(socket, { source, target, payload: batch.payload(index).slice() })
    return 0
  }
}

export class MemoryPort extends MemoryPortBase implements UdpPort {
  readonly #wakeup = new Wakeup(this.host.network.clock)

  wait(timeoutMs: number): Promise<boolean> {
    if (this.isShut) return Promise.resolve(false)
    return this.#wakeup.wait(timeoutMs, () => this.hasNews())
  }

  protected override onNews(): void {
    this.#wakeup.wake()
  }
}

export class BlockingMemoryPort extends MemoryPortBase implements BlockingUdpPort {
  wait(_timeoutMs: number): boolean {
    return this.hasNews()
  }

  protected override onNews(): void {}
}
