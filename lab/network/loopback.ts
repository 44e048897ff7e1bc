/**
 * Loopback addresses of our own: a block 127.x.y.0/24 that no other run of the lab uses at the same time.
 * They are there without being held by anyone and need no rights. Not for IPv6, which has only ::1; there,
 * ports must differ (`freePort`).
 */
import type { Socket } from 'node:dgram'
import { openSocket } from './namespace-socket.ts'

/** A run claims its block by a socket on its last address, at this port. */
const CLAIM_PORT = 4_646
const CLAIM_TRIES_MAX = 50

export class LoopbackBlock {
  readonly #prefix: string
  readonly #claim: Socket
  #last = 0

  static async claim(): Promise<LoopbackBlock> {
    for (let tries = 1; ; tries++) {
      const prefix = `127.${randomOctet()}.${randomOctet()}`
      try {
        return new LoopbackBlock(prefix, await openSocket(`${prefix}.254`, CLAIM_PORT))
      } catch (error) {
        if (tries === CLAIM_TRIES_MAX) throw error
      }
    }
  }

  constructor(prefix: string, claim: Socket) {
    this.#prefix = prefix
    this.#claim = claim.unref()
  }

  /** An address not given out before. */
  next(): string {
    if (this.#last === 253) throw new Error('this block of loopback addresses is used up')
    return `${this.#prefix}.${++this.#last}`
  }

  release(): void {
    this.#claim.close()
  }
}

/** A UDP port free on this address at this moment. */
export async function freePort(address: string): Promise<number> {
  const socket = await openSocket(address, 0)
  const { port } = socket.address()
  socket.close()
  return port
}

function randomOctet(): number {
  return 1 + Math.floor(Math.random() * 250)
}
