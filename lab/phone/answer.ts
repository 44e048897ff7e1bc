/** A 200 to an INVITE, repeated by the one who answered until its ACK comes (RFC 3261 §13.3.1.4). */
import type { SipResponse } from '../sip/message.ts'
import type { ServerTransaction } from '../sip/server-transaction.ts'
import { Backoff, type Timers, transactionTimeoutMs } from '../sip/timers.ts'

export class Answer {
  readonly #repeat = new Backoff()
  readonly #timeout: NodeJS.Timeout

  constructor(
    transaction: ServerTransaction,
    response: SipResponse,
    timers: Timers,
    onGivenUp: () => void,
  ) {
    transaction.respond(response)
    this.#repeat.start(timers.t1Ms, timers.t2Ms, () => transaction.respond(response))
    this.#timeout = setTimeout(() => {
      this.stop()
      onGivenUp()
    }, transactionTimeoutMs(timers))
  }

  stop(): void {
    this.#repeat.stop()
    clearTimeout(this.#timeout)
  }
}
