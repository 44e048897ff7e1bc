/**
 * The transaction layer: matches what comes in to transactions (RFC 3261 §17.1.3, §17.2.3), makes new ones,
 * and passes up what belongs to none. CANCELs are answered here and told to their INVITE. Not here: RFC 2543
 * matching without magic cookie; behind a balancer, whose Via is always on top, none arrives.
 */
import { randomBytes } from 'node:crypto'
import { ClientTransaction, type ClientHandlers } from './client-transaction.ts'
import {
  type SipMessage,
  type SipRequest,
  type SipResponse,
  cseqOf,
  headerValues,
  prependHeader,
  setHeader,
} from './message.ts'
import { responseTo } from './respond.ts'
import { ServerTransaction } from './server-transaction.ts'
import { RFC_TIMERS, type Timers } from './timers.ts'
import type { Transport } from './transport.ts'
import { type Endpoint, type Via, formatVia, parseVia } from './uri.ts'

export interface LayerOptions {
  readonly transport: Transport
  readonly timers?: Timers
  /** What our Via says; the socket's own address by default. */
  readonly sentBy?: Endpoint
  /** Where responses go: to the source by default (RFC 3581, and Kamailio's way). */
  readonly replyTo?: (via: Via, source: Endpoint) => Endpoint
  readonly onRequest: (transaction: ServerTransaction) => void
  /** An ACK to a 2xx: it belongs to no transaction. */
  readonly onAck: (ack: SipRequest) => void
  /** A response that no transaction waits for. */
  readonly onStrayResponse: (response: SipResponse) => void
}

export class TransactionLayer {
  readonly timers: Timers
  readonly #options: LayerOptions
  readonly #clients = new Map<string, ClientTransaction>()
  readonly #servers = new Map<string, ServerTransaction>()

  constructor(options: LayerOptions) {
    this.#options = options
    this.timers = options.timers ?? RFC_TIMERS
    options.transport.onMessage = (message, source) => this.#receive(message, source)
  }

  /** Pushes our Via and sends the request as a new transaction. */
  request(request: SipRequest, target: Endpoint, handlers: ClientHandlers): ClientTransaction {
    const branch = this.#pushVia(request)
    return this.#start(request, branch, target, handlers)
  }

  /** Sends a CANCEL, which keeps the Via of its INVITE (RFC 3261 §9.1). */
  requestWithVia(
    request: SipRequest,
    target: Endpoint,
    handlers: ClientHandlers,
  ): ClientTransaction {
    return this.#start(request, branchOf(request), target, handlers)
  }

  /** Sends a request outside any transaction: the ACK to a 2xx. */
  sendStateless(request: SipRequest, target: Endpoint): void {
    this.#pushVia(request)
    this.#options.transport.send(request, target)
  }

  /** Forgets all transactions; nothing is sent any more. */
  close(): void {
    for (const transaction of [...this.#clients.values(), ...this.#servers.values()])
      transaction.terminate()
    this.#options.transport.close()
  }

  #pushVia(request: SipRequest): string {
    const branch = `z9hG4bK${randomBytes(9).toString('base64url')}`
    const local = this.#options.sentBy ?? this.#options.transport.local
    const params = new Map<string, string | null>([
      ['branch', branch],
      ['rport', null],
    ])
    prependHeader(
      request,
      'via',
      formatVia({ transport: 'UDP', host: local.address, port: local.port, params }),
    )
    return branch
  }

  #start(
    request: SipRequest,
    branch: string,
    target: Endpoint,
    handlers: ClientHandlers,
  ): ClientTransaction {
    const key = `${branch} ${request.method}`
    const transaction = new ClientTransaction(
      {
        request,
        timers: this.timers,
        send: (message) => this.#options.transport.send(message, target),
        onTerminated: () => this.#clients.delete(key),
      },
      handlers,
    )
    this.#clients.set(key, transaction)
    transaction.start()
    return transaction
  }

  #receive(message: SipMessage, source: Endpoint): void {
    if (message.kind === 'response') this.#receiveResponse(message)
    else this.#receiveRequest(message, source)
  }

  #receiveResponse(response: SipResponse): void {
    const transaction = this.#clients.get(`${branchOf(response)} ${cseqOf(response).method}`)
    if (transaction === undefined) this.#options.onStrayResponse(response)
    else transaction.receive(response)
  }

  #receiveRequest(request: SipRequest, source: Endpoint): void {
    const via = markSource(request, source)
    if (via === null) return
    const peer = `${via.params.get('branch')} ${via.host}:${via.port}`
    const key = `${peer} ${request.method}`
    const invite = this.#servers.get(`${peer} INVITE`)
    if (request.method === 'ACK') {
      if (invite === undefined || invite.state === 'accepted') this.#options.onAck(request)
      else invite.receive(request)
      return
    }
    const known = this.#servers.get(key)
    if (known !== undefined) return known.receive(request)
    const transaction = this.#serve(request, via, source, key)
    if (request.method === 'CANCEL') cancel(transaction, invite)
    else this.#options.onRequest(transaction)
  }

  #serve(request: SipRequest, via: Via, source: Endpoint, key: string): ServerTransaction {
    const target = (this.#options.replyTo ?? toSource)(via, source)
    const transaction = new ServerTransaction({
      request,
      source,
      timers: this.timers,
      send: (response) => this.#options.transport.send(response, target),
      onTerminated: () => this.#servers.delete(key),
    })
    this.#servers.set(key, transaction)
    return transaction
  }
}

export function toSource(_via: Via, source: Endpoint): Endpoint {
  return source
}

function cancel(transaction: ServerTransaction, invite: ServerTransaction | undefined): void {
  if (invite === undefined) {
    transaction.respond(responseTo(transaction.request, 481, 'Call/Transaction Does Not Exist'))
    return
  }
  transaction.respond(responseTo(transaction.request, 200, 'OK'))
  if (!invite.answered) invite.onCancel()
}

/** Writes the source into the top Via (RFC 3261 §18.2.1, RFC 3581 §4); null where that is unreadable. */
function markSource(request: SipRequest, source: Endpoint): Via | null {
  const [top, ...rest] = headerValues(request, 'via')
  const via = parseVia(top ?? '')
  if (via === null) return null
  const wantsPort = via.params.has('rport')
  if (wantsPort || via.host !== source.address) via.params.set('received', source.address)
  if (wantsPort) via.params.set('rport', String(source.port))
  setHeader(request, 'via', formatVia(via), ...rest)
  return via
}

function branchOf(message: SipMessage): string {
  return parseVia(headerValues(message, 'via')[0] ?? '')?.params.get('branch') ?? ''
}
