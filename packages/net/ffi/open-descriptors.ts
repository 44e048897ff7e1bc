/**
 * What a thread's FFI port has open, in memory that outlives the thread. Descriptors belong to the process: those of a
 * thread that crashed or was cut off stay open, and a socket that shares its port goes on taking its share of the
 * packets, for nobody. Whoever started the thread closes them.
 *
 * Invariant: a descriptor is out of here before it is closed, so that nobody closes the next one of the same number.
 */

import { type Libc, loadLibc } from './libc.ts'
import { SOCKETS_MAX } from './socket-table.ts'

/** The sockets of one port, and what it waits with. */
const DESCRIPTORS_MAX = SOCKETS_MAX + 1
const FREE = 0

export class OpenDescriptors {
  readonly memory: SharedArrayBuffer
  /** Each one more than the descriptor, as 0 is one, too. */
  readonly #entries: Int32Array

  /** @param memory of the one that the thread's starter holds */
  constructor(memory = new SharedArrayBuffer(DESCRIPTORS_MAX * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.#entries = new Int32Array(memory)
  }

  add(fd: number): void {
    const place = this.#entries.indexOf(FREE)
    if (place >= 0) this.#entries[place] = fd + 1
  }

  remove(fd: number): void {
    const place = this.#entries.indexOf(fd + 1)
    if (place >= 0) this.#entries[place] = FREE
  }

  /** To be called when the thread has ended. @returns how many it had left open */
  closeAll(): number {
    let closed = 0
    let libc: Libc | null = null
    this.#entries.forEach((entry, place) => {
      if (entry === FREE) return
      libc ??= loadLibc()
      this.#entries[place] = FREE
      libc.close(entry - 1)
      closed++
    })
    return closed
  }
}
