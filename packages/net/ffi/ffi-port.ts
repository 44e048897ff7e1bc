/**
 * The FFI skin of the UDP port: recvmmsg, sendmmsg and epoll on Linux.
 *
 * Two ways to wait: packet workers block their thread; everybody else watches the epoll set on
 * Node's event loop. All else is the same code. Buffers that the kernel gets addresses of belong to
 * objects held by the port, and open ports are held here: V8 frees what no live object mentions.
 */

import type { DatagramBatch } from '../datagram-batch.ts'
import { RefusalBatch } from '../refusal-batch.ts'
import {
  type BlockingUdpPort,
  type SocketOptions,
  type UdpCapabilities,
  UdpError,
  UdpErrorCode,
  type UdpPort,
} from '../udp-port.ts'
import { ErrorQueue } from './error-queue.ts'
import { type Libc, loadLibc, watchReadable } from './libc.ts'
import { OpenDescriptors } from './open-descriptors.ts'
import { Readiness } from './readiness.ts'
import { Receiver } from './receiver.ts'
import { Sender } from './sender.ts'
import { kernelDrops, openSocket } from './socket.ts'
import { SocketTable } from './socket-table.ts'

/** Refusals kept until somebody asks for them. */
const REFUSALS_MAX = 256
/** How long a blocking port waits for a full send buffer, once per `send`. */
const WRITABLE_WAIT_MS = 2

const openPorts = new Set<FfiPort>()

export interface FfiPortOptions {
  readonly blocking: boolean
  /** Of a thread that may be cut off: what the port has open is written here. */
  readonly descriptors?: OpenDescriptors
}

export function openFfiPort(options: FfiPortOptions & { readonly blocking: true }): BlockingUdpPort
export function openFfiPort(options: FfiPortOptions): UdpPort
export function openFfiPort({ blocking, descriptors }: FfiPortOptions): UdpPort {
  const libc = loadLibc()
  const noted = descriptors ?? new OpenDescriptors()
  return blocking ? new BlockingFfiPort(libc, noted) : new EventLoopFfiPort(libc, noted)
}

abstract class FfiPort {
  readonly capabilities: UdpCapabilities = {
    batched: true,
    errorQueue: true,
    kernelDrops: true,
    reusePort: true,
  }
  protected readonly readiness: Readiness
  protected isShut = false
  readonly #libc: Libc
  readonly #descriptors: OpenDescriptors
  readonly #sockets = new SocketTable()
  readonly #receiver: Receiver
  readonly #sender: Sender
  readonly #errorQueue: ErrorQueue
  readonly #refusals = new RefusalBatch(REFUSALS_MAX)
  /** Slots that the last poll found readable; valid for one receive. */
  readonly #ready: number[] = []
  #readyIsFresh = false
  /** Slots that filled their share of the batch. */
  readonly #hungry: number[] = []
  #turn = 0

  constructor(libc: Libc, descriptors: OpenDescriptors, writableWaitMs: number) {
    this.#libc = libc
    this.#descriptors = descriptors
    this.readiness = new Readiness(libc)
    descriptors.add(this.readiness.fd)
    this.#receiver = new Receiver(libc)
    this.#sender = new Sender(libc, this.#sockets, writableWaitMs)
    this.#errorQueue = new ErrorQueue(libc)
    openPorts.add(this)
  }

  open(options: SocketOptions): number {
    if (this.isShut) throw new UdpError(UdpErrorCode.closed, 'the port is shut down')
    const socket = openSocket(this.#libc, options)
    this.#descriptors.add(socket.fd)
    const slot = this.#sockets.add(socket)
    if (slot >= 0 && this.readiness.add(socket.fd, slot)) return this.#sockets.idAt(slot)
    if (slot >= 0) this.#sockets.remove(slot)
    this.#descriptors.remove(socket.fd)
    this.#libc.close(socket.fd)
    throw new UdpError(UdpErrorCode.tooManySockets, 'no room for another socket')
  }

  localPort(socket: number): number {
    const slot = this.#sockets.slotOf(socket)
    if (slot < 0) throw new UdpError(UdpErrorCode.closed, `no socket ${socket}`)
    return this.#sockets.localPortAt(slot)
  }

  close(socket: number): void {
    const slot = this.#sockets.slotOf(socket)
    if (slot < 0) return
    const fd = this.#sockets.fdAt(slot)
    this.readiness.remove(fd)
    this.#descriptors.remove(fd)
    this.#libc.close(fd)
    this.#sockets.remove(slot)
    this.#readyIsFresh = false
  }

  receive(batch: DatagramBatch): number {
    const before = batch.count
    const slots = this.#readyIsFresh ? this.#ready : this.#sockets.slots
    this.#readyIsFresh = false
    this.#hungry.length = 0
    this.#receiveShares(batch, slots)
    for (const slot of this.#hungry) {
      const room = batch.capacity - batch.count
      if (room === 0) break
      this.#receiveFrom(slot, batch, room)
    }
    return batch.count - before
  }

  send(batch: DatagramBatch): number {
    return this.#sender.send(batch)
  }

  refusals(into: RefusalBatch): number {
    return this.#refusals.moveTo(into)
  }

  drops(socket: number): number {
    const slot = this.#sockets.slotOf(socket)
    return slot < 0 ? 0 : Math.max(0, kernelDrops(this.#libc, this.#sockets.fdAt(slot)))
  }

  shutdown(): void {
    if (this.isShut) return
    const { slots } = this.#sockets
    while (slots.length > 0) this.close(this.#sockets.idAt(slots[0]!))
    this.#descriptors.remove(this.readiness.fd)
    this.readiness.close()
    this.isShut = true
    openPorts.delete(this)
  }

  /** Finds the ready sockets and takes their errors off: an error left in its queue would end every wait. */
  protected poll(timeoutMs: number): boolean {
    if (this.isShut) return false
    // A negative time would mean for ever.
    const count = this.readiness.poll(Math.max(0, Math.ceil(timeoutMs)))
    this.#ready.length = 0
    for (let index = 0; index < count; index++) {
      const slot = this.readiness.slotAt(index)
      this.#ready.push(slot)
      if (this.readiness.hasErrorAt(index)) this.#drainErrors(slot)
    }
    this.#readyIsFresh = count > 0
    return count > 0
  }

  /** One share each, beginning behind the socket served last; what one leaves over goes to those after it. */
  #receiveShares(batch: DatagramBatch, slots: readonly number[]): void {
    const count = slots.length
    for (let step = 0; step < count; step++) {
      const room = batch.capacity - batch.count
      if (room === 0) return
      this.#turn = (this.#turn + 1) % count
      const slot = slots[this.#turn]!
      const share = Math.ceil(room / (count - step))
      if (this.#receiveFrom(slot, batch, share) === share) this.#hungry.push(slot)
    }
  }

  #receiveFrom(slot: number, batch: DatagramBatch, max: number): number {
    const fd = this.#sockets.fdAt(slot)
    return this.#receiver.receive(fd, this.#sockets.idAt(slot), batch, max)
  }

  #drainErrors(slot: number): void {
    const fd = this.#sockets.fdAt(slot)
    this.#errorQueue.drain(fd, this.#sockets.idAt(slot), this.#refusals)
  }
}

class BlockingFfiPort extends FfiPort implements BlockingUdpPort {
  constructor(libc: Libc, descriptors: OpenDescriptors) {
    super(libc, descriptors, WRITABLE_WAIT_MS)
  }

  wait(timeoutMs: number): boolean {
    return this.poll(timeoutMs)
  }
}

class EventLoopFfiPort extends FfiPort implements UdpPort {
  readonly #watch = watchReadable(this.readiness.fd, () => this.#endWait())
  #timer: NodeJS.Timeout | undefined
  #settle: ((isReady: boolean) => void) | undefined

  constructor(libc: Libc, descriptors: OpenDescriptors) {
    super(libc, descriptors, 0)
  }

  wait(timeoutMs: number): Promise<boolean> {
    if (this.isShut) return Promise.resolve(false)
    if (this.#settle !== undefined) return Promise.reject(new Error('one wait at a time'))
    return new Promise((settle) => {
      this.#settle = settle
      this.#timer = setTimeout(() => this.#endWait(), Math.ceil(timeoutMs))
      this.#watch.start()
    })
  }

  override shutdown(): void {
    if (this.isShut) return
    this.#watch.close()
    super.shutdown()
    this.#endWait()
  }

  #endWait(): void {
    const settle = this.#settle
    if (settle === undefined) return
    this.#settle = undefined
    clearTimeout(this.#timer)
    if (!this.isShut) this.#watch.stop()
    settle(this.poll(0))
  }
}
