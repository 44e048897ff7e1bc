/**
 * The arrays that recvmmsg and sendmmsg read and write: mmsghdr, iovec and sockaddr, one of each per
 * datagram, in one block of memory.
 *
 * Allocated and linked once; per call only payload addresses, lengths and peers are patched, 64-bit
 * fields as two words. Holds no payload: the caller keeps the arenas alive that vectors point into,
 * and this object alive for as long as its address is used.
 *
 *   │ mmsghdr × capacity │ iovec × capacity │ sockaddr × capacity │
 *       name ─────────────────────────────────▲
 *       iov ────────────────▲
 */

import { addressOf } from './libc.ts'
import { IOVEC_SIZE, MMSGHDR_SIZE, SOCKADDR_SIZE_IPV6, SOCKADDR_STRIDE } from './linux.ts'

const HEADER_WORDS = MMSGHDR_SIZE / 4
const VECTOR_WORDS = IOVEC_SIZE / 4
const SOCKADDR_WORDS = SOCKADDR_STRIDE / 4
const NAME = 0
const NAME_LENGTH = 2
const VECTOR = 4
const VECTOR_COUNT = 6
const RECEIVED_LENGTH = 14
const TWO_32 = 2 ** 32

export class MessageHeaders {
  readonly capacity: number
  /** sockaddrs; that of header `i` begins at word `sockaddrAt(i)`. */
  readonly sockaddrs: Int32Array
  readonly #address: number
  readonly #headers: Uint32Array
  readonly #vectors: Uint32Array

  constructor(capacity: number) {
    const vectorsAt = capacity * MMSGHDR_SIZE
    const sockaddrsAt = vectorsAt + capacity * IOVEC_SIZE
    const memory = new ArrayBuffer(sockaddrsAt + capacity * SOCKADDR_STRIDE)
    this.capacity = capacity
    this.#address = addressOf(memory)
    this.#headers = new Uint32Array(memory, 0, capacity * HEADER_WORDS)
    this.#vectors = new Uint32Array(memory, vectorsAt, capacity * VECTOR_WORDS)
    this.sockaddrs = new Int32Array(memory, sockaddrsAt)
    for (let index = 0; index < capacity; index++) {
      const header = index * HEADER_WORDS
      const sockaddr = this.#address + sockaddrsAt + index * SOCKADDR_STRIDE
      const vector = this.#address + vectorsAt + index * IOVEC_SIZE
      writePointer(this.#headers, header + NAME, sockaddr)
      writePointer(this.#headers, header + VECTOR, vector)
      this.#headers[header + VECTOR_COUNT] = 1
    }
  }

  /** The address of mmsghdr `index`. */
  addressAt(index: number): number {
    return this.#address + index * MMSGHDR_SIZE
  }

  sockaddrAt(index: number): number {
    return index * SOCKADDR_WORDS
  }

  /** Points header `index` at a payload. */
  setPayload(index: number, address: number, length: number): void {
    const vector = index * VECTOR_WORDS
    writePointer(this.#vectors, vector, address)
    this.#vectors[vector + 2] = length
  }

  setSockaddrLength(index: number, length: number): void {
    this.#headers[index * HEADER_WORDS + NAME_LENGTH] = length
  }

  /** Before a receive: the kernel overwrites the length with that of the sockaddr it wrote. */
  resetSockaddrLength(index: number): void {
    this.#headers[index * HEADER_WORDS + NAME_LENGTH] = SOCKADDR_SIZE_IPV6
  }

  /** After a receive: the datagram's length, beyond its vector's if it was cut. */
  receivedLength(index: number): number {
    return this.#headers[index * HEADER_WORDS + RECEIVED_LENGTH]!
  }
}

/** Exact for every user-space address: they are below 2⁵³, and `>>>` takes the low word of any integer. */
function writePointer(words: Uint32Array, at: number, address: number): void {
  words[at] = address >>> 0
  words[at + 1] = address / TWO_32
}
