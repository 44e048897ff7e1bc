/**
 * The server half of a transaction (RFC 3261 §17.2 with the Accepted state of RFC 6026): absorbs
 * retransmissions, repeats answers, waits for the ACK to a negative answer to INVITE. Repeating a 2xx is the
 * user agent's job, not this one's.
 *
 *   trying/proceeding ──3xx-6xx──► completed ──ACK──► confirmed ──I──► terminated
 *          └──────────2xx────────► accepted ──L──► terminated
 */
import type { SipRequest, SipResponse } from './message.ts'
import { responseTo } from './respond.ts'
import { Backoff, type Timers, transactionTimeoutMs } from './timers.ts'
import type { Endpoint } from './uri.ts'

export interface ServerSetup {
  /** As received, with `received` and `rport` filled into its top Via. */
  readonly request: SipRequest
  readonly source: Endpoint
  readonly timers: Timers
  readonly send: (response: SipResponse) => void
  readonly onTerminated: () => void
}

type State = 'trying' | 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'

/** An INVITE that nobody has answered by then gets a 100, lest it is sent again (RFC 3261 §17.2.1). */
const TRYING_DELAY_MS = 200

export class ServerTransaction {
  readonly request: SipRequest
  readonly source: Endpoint
  state: State = 'trying'
  /** The INVITE was cancelled; its user is to answer 487. The CANCEL itself is answered already. */
  onCancel: () => void = () => {}
  /** The ACK to a negative answer came, or never did. */
  onAcknowledged: (came: boolean) => void = () => {}
  readonly #setup: ServerSetup
  readonly #retransmit = new Backoff()
  #timeout: NodeJS.Timeout | undefined
  #last: SipResponse | null = null

  constructor(setup: ServerSetup) {
    this.request = setup.request
    this.source = setup.source
    this.#setup = setup
    if (setup.request.method !== 'INVITE') return
    this.#timeout = setTimeout(() => {
      if (this.state === 'trying') this.respond(responseTo(this.request, 100, 'Trying'))
    }, TRYING_DELAY_MS)
  }

  get answered(): boolean {
    return this.state !== 'trying' && this.state !== 'proceeding'
  }

  /** False if it has had its final answer; a further 2xx to an INVITE passes (several phones answered). */
  respond(response: SipResponse): boolean {
    const isInvite = this.request.method === 'INVITE'
    const isRepeat2xx = this.state === 'accepted' && response.status >= 200 && response.status < 300
    if (this.answered && !isRepeat2xx) return false
    this.#last = response
    this.#setup.send(response)
    if (isRepeat2xx) return true
    clearTimeout(this.#timeout)
    if (response.status < 200) this.state = 'proceeding'
    else if (!isInvite) this.#completed()
    else if (response.status < 300) this.#accepted()
    else this.#refused(response)
    return true
  }

  /** A retransmission, or the ACK to a negative answer. */
  receive(request: SipRequest): void {
    if (request.method === 'ACK') this.#acknowledged()
    else if (this.#last !== null && this.state !== 'accepted' && this.state !== 'confirmed') {
      this.#setup.send(this.#last)
    }
  }

  terminate(): void {
    if (this.state === 'terminated') return
    this.state = 'terminated'
    this.#retransmit.stop()
    clearTimeout(this.#timeout)
    this.#setup.onTerminated()
  }

  #completed(): void {
    this.state = 'completed'
    this.#after(transactionTimeoutMs(this.#setup.timers))
  }

  #accepted(): void {
    this.state = 'accepted'
    this.#after(transactionTimeoutMs(this.#setup.timers))
  }

  #refused(response: SipResponse): void {
    const { timers, send } = this.#setup
    this.state = 'completed'
    this.#retransmit.start(timers.t1Ms, timers.t2Ms, () => send(response))
    this.#timeout = setTimeout(() => {
      this.terminate()
      this.onAcknowledged(false)
    }, transactionTimeoutMs(timers))
  }

  #acknowledged(): void {
    if (this.state !== 'completed') return
    this.state = 'confirmed'
    this.#retransmit.stop()
    this.#after(this.#setup.timers.t4Ms)
    this.onAcknowledged(true)
  }

  #after(delayMs: number): void {
    clearTimeout(this.#timeout)
    this.#timeout = setTimeout(() => this.terminate(), delayMs)
  }
}
