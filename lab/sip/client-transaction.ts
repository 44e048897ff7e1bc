/**
 * The client half of a transaction (RFC 3261 §17.1 with the Accepted state of RFC 6026): sends the request until
 * something comes back, hands responses up, acknowledges negative answers to INVITE.
 *
 *   calling ──1xx──► proceeding ──3xx-6xx──► completed ──D/K──► terminated
 *      └──────────────────┴──────2xx───────► accepted (INVITE) ──M──► terminated
 */
import { type SipRequest, type SipResponse, header, headerValues, setHeader } from './message.ts'
import { Backoff, type Timers, transactionTimeoutMs } from './timers.ts'

export interface ClientHandlers {
  /** Every provisional response, the first final one, and every 2xx to an INVITE. */
  readonly onResponse: (response: SipResponse) => void
  /** No final response in time (timers B and F). */
  readonly onTimeout: () => void
}

export interface ClientSetup {
  readonly request: SipRequest
  readonly timers: Timers
  readonly send: (request: SipRequest) => void
  readonly onTerminated: () => void
}

type State = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated'

export class ClientTransaction {
  readonly request: SipRequest
  state: State = 'calling'
  readonly #setup: ClientSetup
  readonly #handlers: ClientHandlers
  readonly #retransmit = new Backoff()
  readonly #isInvite: boolean
  #timeout: NodeJS.Timeout | undefined
  #ack: SipRequest | null = null

  constructor(setup: ClientSetup, handlers: ClientHandlers) {
    this.request = setup.request
    this.#setup = setup
    this.#handlers = handlers
    this.#isInvite = setup.request.method === 'INVITE'
  }

  start(): void {
    const { timers, send } = this.#setup
    send(this.request)
    // INVITEs double without a ceiling until they are given up (timer A); others stop at T2 (timer E).
    const ceilingMs = this.#isInvite ? Number.POSITIVE_INFINITY : timers.t2Ms
    this.#retransmit.start(timers.t1Ms, ceilingMs, () => send(this.request))
    this.#after(transactionTimeoutMs(timers), () => this.#giveUp())
  }

  receive(response: SipResponse): void {
    if (this.state === 'terminated') return
    if (response.status < 200) this.#provisional(response)
    else if (!this.#isInvite) this.#final(response)
    else if (response.status < 300) this.#accepted(response)
    else this.#refused(response)
  }

  /** Ends it without a word to anybody. */
  terminate(): void {
    if (this.state === 'terminated') return
    this.state = 'terminated'
    this.#retransmit.stop()
    clearTimeout(this.#timeout)
    this.#setup.onTerminated()
  }

  #provisional(response: SipResponse): void {
    if (this.state !== 'calling' && this.state !== 'proceeding') return
    if (this.state === 'calling') {
      const { timers, send } = this.#setup
      if (this.#isInvite) {
        this.#retransmit.stop()
        clearTimeout(this.#timeout)
      } else this.#retransmit.start(timers.t2Ms, timers.t2Ms, () => send(this.request))
    }
    this.state = 'proceeding'
    this.#handlers.onResponse(response)
  }

  #final(response: SipResponse): void {
    if (this.state === 'completed') return
    this.state = 'completed'
    this.#retransmit.stop()
    this.#after(this.#setup.timers.t4Ms, () => this.terminate())
    this.#handlers.onResponse(response)
  }

  #accepted(response: SipResponse): void {
    if (this.state === 'completed') return
    if (this.state !== 'accepted') {
      this.state = 'accepted'
      this.#retransmit.stop()
      this.#after(transactionTimeoutMs(this.#setup.timers), () => this.terminate())
    }
    this.#handlers.onResponse(response)
  }

  #refused(response: SipResponse): void {
    if (this.state === 'accepted') return
    const isFirst = this.#ack === null
    this.#ack ??= ackFor(this.request, response)
    this.#setup.send(this.#ack)
    if (!isFirst) return
    this.state = 'completed'
    this.#retransmit.stop()
    this.#after(transactionTimeoutMs(this.#setup.timers), () => this.terminate())
    this.#handlers.onResponse(response)
  }

  #giveUp(): void {
    this.terminate()
    this.#handlers.onTimeout()
  }

  #after(delayMs: number, action: () => void): void {
    clearTimeout(this.#timeout)
    this.#timeout = setTimeout(action, delayMs)
  }
}

/** The ACK to a negative answer belongs to the transaction and follows its INVITE's path (RFC 3261 §17.1.1.3). */
function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  return hopRequest(invite, 'ACK', header(response, 'to') ?? '')
}

/** CANCEL: hop by hop, everything as in the INVITE, top Via only (RFC 3261 §9.1). */
export function cancelFor(invite: SipRequest): SipRequest {
  return hopRequest(invite, 'CANCEL', header(invite, 'to') ?? '')
}

function hopRequest(invite: SipRequest, method: string, to: string): SipRequest {
  const request: SipRequest = { kind: 'request', method, uri: invite.uri, headers: [], body: '' }
  setHeader(request, 'via', headerValues(invite, 'via')[0] ?? '')
  setHeader(request, 'max-forwards', '70')
  setHeader(request, 'route', ...headerValues(invite, 'route'))
  setHeader(request, 'from', header(invite, 'from') ?? '')
  setHeader(request, 'to', to)
  setHeader(request, 'call-id', header(invite, 'call-id') ?? '')
  setHeader(request, 'cseq', (header(invite, 'cseq') ?? '').replace(/\S+$/, method))
  return request
}
