/**
 * The open sockets of a port: id ↔ slot, descriptor and family in parallel arrays.
 *
 *   id = │ generation (21 bits) │ slot (10 bits) │
 *
 * A slot's generation grows with each use, so that a datagram for a closed socket never leaves by
 * the socket that took its slot.
 */

import type { OpenSocket } from './socket.ts'

const SLOT_BITS = 10
export const SOCKETS_MAX = 1 << SLOT_BITS
const SLOT_MASK = SOCKETS_MAX - 1
const GENERATION_MASK = (1 << (31 - SLOT_BITS)) - 1
const FREE = -1

export class SocketTable {
  /** Slots in use, dense, for iteration. */
  readonly slots: number[] = []
  readonly #id = new Int32Array(SOCKETS_MAX).fill(FREE)
  readonly #generation = new Int32Array(SOCKETS_MAX)
  readonly #fd = new Int32Array(SOCKETS_MAX)
  readonly #family = new Int32Array(SOCKETS_MAX)
  readonly #localPort = new Int32Array(SOCKETS_MAX)

  /** The new socket's slot, or -1 if the table is full. */
  add(socket: OpenSocket): number {
    const slot = this.#id.indexOf(FREE)
    if (slot < 0) return -1
    const generation = (this.#generation[slot]! + 1) & GENERATION_MASK
    this.#generation[slot] = generation
    this.#id[slot] = (generation << SLOT_BITS) | slot
    this.#fd[slot] = socket.fd
    this.#family[slot] = socket.family
    this.#localPort[slot] = socket.localPort
    this.slots.push(slot)
    return slot
  }

  remove(slot: number): void {
    this.#id[slot] = FREE
    this.slots.splice(this.slots.indexOf(slot), 1)
  }

  /** The slot of the socket with this id, or -1. */
  slotOf(id: number): number {
    const slot = id & SLOT_MASK
    return this.#id[slot] === id && id !== FREE ? slot : -1
  }

  idAt(slot: number): number {
    return this.#id[slot]!
  }

  fdAt(slot: number): number {
    return this.#fd[slot]!
  }

  familyAt(slot: number): number {
    return this.#family[slot]!
  }

  localPortAt(slot: number): number {
    return this.#localPort[slot]!
  }
}
