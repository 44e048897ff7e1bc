/**
 * The engine of a phone: sends requests and answers challenges, hands what comes in to the dialog it belongs to.
 * Not here: what a call or a registration is (the files beside it).
 */
import { randomBytes } from 'node:crypto'
import type { ClientTransaction } from '../sip/client-transaction.ts'
import { answerChallenge, parseChallenge } from '../sip/digest.ts'
import {
  type SipRequest,
  type SipResponse,
  copyMessage,
  cseqOf,
  header,
  setHeader,
  tagOf,
} from '../sip/message.ts'
import { responseTo } from '../sip/respond.ts'
import type { ServerTransaction } from '../sip/server-transaction.ts'
import type { Timers } from '../sip/timers.ts'
import { TransactionLayer } from '../sip/transactions.ts'
import { Transport, type TransportOptions } from '../sip/transport.ts'
import type { Endpoint } from '../sip/uri.ts'
import { MessageLog } from './message-log.ts'

export interface UserAgentOptions extends Omit<TransportOptions, 'observe'> {
  readonly username: string
  readonly password: string
  readonly timers?: Timers
}

export interface DialogOwner {
  readonly onRequest: (transaction: ServerTransaction) => void
  readonly onAck?: (ack: SipRequest) => void
}

export interface ExchangeHandlers {
  readonly onProvisional?: (response: SipResponse) => void
  /** A transaction began: the first, or the one that answers a challenge. */
  readonly onStarted?: (transaction: ClientTransaction) => void
  /** A 2xx to an INVITE after the first: a repetition, or another phone that answered. */
  readonly onFurther2xx?: (response: SipResponse) => void
  /** The CSeq number of the next try, for requests in dialogs. */
  readonly nextCseq?: () => number
}

const TRIES_MAX = 3

export class UserAgent {
  readonly log = new MessageLog()
  readonly local: Endpoint
  readonly transport: Transport
  onRequest: (transaction: ServerTransaction) => void = () => {}
  readonly #options: UserAgentOptions
  readonly #layer: TransactionLayer
  readonly #dialogs = new Map<string, DialogOwner>()

  static async open(options: UserAgentOptions): Promise<UserAgent> {
    const log = new MessageLog()
    const observe: TransportOptions['observe'] = (...seen) => log.add(...seen)
    return new UserAgent(options, await Transport.open({ ...options, observe }), log)
  }

  constructor(options: UserAgentOptions, transport: Transport, log: MessageLog) {
    this.#options = options
    this.log = log
    this.transport = transport
    this.local = transport.local
    this.#layer = new TransactionLayer({
      transport,
      ...(options.timers === undefined ? {} : { timers: options.timers }),
      onRequest: (transaction) => this.#receive(transaction),
      onAck: (ack) => this.#ownerOf(ack)?.onAck?.(ack),
      onStrayResponse: () => {},
    })
  }

  get timers(): Timers {
    return this.#layer.timers
  }

  /**
   * Sends the request, answers a challenge, and returns the final response; where none came, a 408 of our own
   * (recognisable: `isOwnTimeout`). Never rejects for what the other side does.
   */
  async exchange(
    request: SipRequest,
    target: Endpoint,
    handlers: ExchangeHandlers = {},
  ): Promise<SipResponse> {
    let attempt = request
    for (let tries = 1; ; tries++) {
      const response = await this.#attempt(copyMessage(attempt), target, handlers)
      const retry = tries < TRIES_MAX ? this.#withCredentials(attempt, response, handlers) : null
      if (retry === null) return response
      attempt = retry
    }
  }

  /** The ACK to a 2xx, or another CANCEL-like message that no transaction answers for. */
  sendAck(ack: SipRequest, target: Endpoint): void {
    this.#layer.sendStateless(copyMessage(ack), target)
  }

  async cancel(request: SipRequest, target: Endpoint): Promise<SipResponse> {
    return await new Promise((resolve) => {
      this.#layer.requestWithVia(request, target, {
        onResponse: (response) => response.status >= 200 && resolve(response),
        onTimeout: () => resolve(ownTimeout(request)),
      })
    })
  }

  /** Requests with this Call-ID and our tag in To go to the owner until it leaves. */
  own(callId: string, localTag: string, owner: DialogOwner): void {
    this.#dialogs.set(`${callId} ${localTag}`, owner)
  }

  disown(callId: string, localTag: string): void {
    this.#dialogs.delete(`${callId} ${localTag}`)
  }

  close(): void {
    this.#layer.close()
  }

  async #attempt(
    request: SipRequest,
    target: Endpoint,
    handlers: ExchangeHandlers,
  ): Promise<SipResponse> {
    return await new Promise((resolve) => {
      let final = false
      const transaction = this.#layer.request(request, target, {
        onResponse: (response) => {
          if (response.status < 200) handlers.onProvisional?.(response)
          else if (final) handlers.onFurther2xx?.(response)
          else resolve(response)
          final ||= response.status >= 200
        },
        onTimeout: () => resolve(ownTimeout(request)),
      })
      handlers.onStarted?.(transaction)
    })
  }

  /**
   * The request again with credentials, or null where the response asks for none or has refused ours (RFC
   * 3261 §22.2).
   */
  #withCredentials(
    request: SipRequest,
    response: SipResponse,
    handlers: ExchangeHandlers,
  ): SipRequest | null {
    if (response.status !== 401 && response.status !== 407) return null
    const [asks, answers] =
      response.status === 401
        ? ['www-authenticate', 'authorization']
        : ['proxy-authenticate', 'proxy-authorization']
    const challenge = parseChallenge(header(response, asks) ?? '')
    if (challenge === null || (header(request, answers) !== null && !challenge.stale)) return null
    const { username, password } = this.#options
    const retry = copyMessage(request)
    const { method, number } = { ...cseqOf(request) }
    const cnonce = randomBytes(6).toString('hex')
    setHeader(
      retry,
      answers,
      answerChallenge(challenge, { method, uri: request.uri, username, password, cnonce }),
    )
    setHeader(retry, 'cseq', `${handlers.nextCseq?.() ?? number + 1} ${method}`)
    return retry
  }

  #receive(transaction: ServerTransaction): void {
    const { request } = transaction
    const owner = this.#ownerOf(request)
    if (owner !== undefined) owner.onRequest(transaction)
    else if (tagOf(request, 'to') === null) this.onRequest(transaction)
    else transaction.respond(responseTo(request, 481, 'Call/Transaction Does Not Exist'))
  }

  #ownerOf(request: SipRequest): DialogOwner | undefined {
    return this.#dialogs.get(`${header(request, 'call-id')} ${tagOf(request, 'to')}`)
  }
}

export function newTag(): string {
  return randomBytes(6).toString('hex')
}

export function newCallId(): string {
  return randomBytes(12).toString('hex')
}

export function isOwnTimeout(response: SipResponse): boolean {
  return header(response, 'x-own-timeout') !== null
}

function ownTimeout(request: SipRequest): SipResponse {
  return responseTo(request, 408, 'Request Timeout', { headers: [['x-own-timeout', 'true']] })
}
