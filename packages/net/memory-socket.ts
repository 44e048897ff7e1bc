/** A socket on a memory host: where it is bound, its inbox, and whom it tells of news. */

import type { Flight } from './flight.ts'
import { Inbox } from './inbox.ts'
import type { MemoryHost } from './memory-host.ts'
import type { RefusalBatch } from './refusal-batch.ts'

export interface MemorySocketOptions {
  readonly host: MemoryHost
  readonly id: number
  readonly local: Int32Array
  readonly reusePort: boolean
  readonly receiveBufferBytes?: number | undefined
  readonly refusals: RefusalBatch
  readonly onNews: () => void
}

export class MemorySocket {
  readonly host: MemoryHost
  readonly id: number
  readonly local: Int32Array
  readonly reusePort: boolean
  readonly inbox: Inbox
  readonly #refusals: RefusalBatch
  readonly #onNews: () => void
  #isOpen = true

  constructor(options: MemorySocketOptions) {
    this.host = options.host
    this.id = options.id
    this.local = options.local
    this.reusePort = options.reusePort
    this.inbox = new Inbox(options.id, options.receiveBufferBytes)
    this.#refusals = options.refusals
    this.#onNews = options.onNews
    this.host.bind(this)
  }

  deliver(flight: Flight): void {
    if (this.inbox.put(flight.payload, flight.source)) this.#onNews()
  }

  refuse(errno: number, target: Int32Array): void {
    if (this.#isOpen && this.#refusals.append(errno, this.id, target, 0)) this.#onNews()
  }

  close(): void {
    this.#isOpen = false
    this.host.unbind(this)
  }
}
