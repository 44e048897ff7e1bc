/**
 * Which sockets have something to read or an error to tell: an epoll set over a port's sockets.
 *
 * epoll rather than poll(2): the kernel keeps the set while sockets come and go, names the ready ones,
 * and the set is itself a descriptor that Node's event loop can watch. Level-triggered, so nothing is
 * lost by reading only part of what is there.
 */

import { addressOf, type Libc } from './libc.ts'
import {
  EPOLL_CLOSE_ON_EXEC,
  EPOLL_DATA_OFFSET,
  EPOLL_EVENT_SIZE,
  EpollEvent,
  EpollOperation,
} from './linux.ts'

/** Ready sockets per poll; if there are more, the kernel begins the next one behind these. */
const EVENTS_MAX = 128

export class Readiness {
  readonly fd: number
  readonly #libc: Libc
  readonly #events = new DataView(new ArrayBuffer(EVENTS_MAX * EPOLL_EVENT_SIZE))
  readonly #eventsAddress = addressOf(this.#events)
  readonly #change = new DataView(new ArrayBuffer(EPOLL_EVENT_SIZE))
  readonly #changeAddress = addressOf(this.#change)

  constructor(libc: Libc) {
    this.#libc = libc
    this.fd = libc.epoll_create1(EPOLL_CLOSE_ON_EXEC)
    if (this.fd < 0) throw new Error(`epoll_create1 failed with errno ${libc.errno()}`)
  }

  add(fd: number, slot: number): boolean {
    this.#change.setUint32(0, EpollEvent.readable, true)
    this.#change.setUint32(EPOLL_DATA_OFFSET, slot, true)
    return this.#libc.epoll_ctl(this.fd, EpollOperation.add, fd, this.#changeAddress) === 0
  }

  remove(fd: number): void {
    this.#libc.epoll_ctl(this.fd, EpollOperation.delete, fd, this.#changeAddress)
  }

  /** Waits until a socket is ready; their number, 0 if the time is up or a signal came. */
  poll(timeoutMs: number): number {
    return Math.max(0, this.#libc.epoll_wait(this.fd, this.#eventsAddress, EVENTS_MAX, timeoutMs))
  }

  /** The slot of the `index`-th ready socket of the last poll. */
  slotAt(index: number): number {
    return this.#events.getUint32(index * EPOLL_EVENT_SIZE + EPOLL_DATA_OFFSET, true)
  }

  hasErrorAt(index: number): boolean {
    return (this.#events.getUint32(index * EPOLL_EVENT_SIZE, true) & EpollEvent.error) !== 0
  }

  close(): void {
    this.#libc.close(this.fd)
  }
}
