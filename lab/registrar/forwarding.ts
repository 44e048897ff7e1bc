/**
 * One request on its way through the reference proxy: a branch per target, provisional and positive answers
 * passed on at once, the best of the negative ones at the end, CANCEL to those that still ring (RFC 3261
 * §16.6–§16.10).
 */
import { type ClientTransaction, cancelFor } from '../sip/client-transaction.ts'
import {
  type SipRequest,
  type SipResponse,
  copyMessage,
  header,
  headerValues,
  prependHeader,
  setHeader,
} from '../sip/message.ts'
import { responseTo } from '../sip/respond.ts'
import type { ServerTransaction } from '../sip/server-transaction.ts'
import { type Endpoint, parseNameAddr } from '../sip/uri.ts'
import type { Sockets } from './sockets.ts'

export interface Target {
  readonly uri: string
  readonly routes: readonly string[]
  readonly next: Endpoint
  /** For a phone or the gateway: credentials stay here. */
  readonly leaves: boolean
}

export interface ForwardingOptions {
  readonly transaction: ServerTransaction
  readonly sockets: Sockets
  readonly name: string
  readonly record: boolean
  /** Where a 302 leads, if we are to follow it. */
  readonly divert?: (contact: string) => Target | null
}

interface Branch {
  readonly next: Endpoint
  readonly client: ClientTransaction
  final: SipResponse | null
  cancel: 'no' | 'wanted' | 'sent'
}

/** Timer C (RFC 3261 §16.6 step 11): a phone that rings on without an end. */
const RINGING_MAX_MS = 180_000

export class Forwarding {
  readonly #options: ForwardingOptions
  readonly #branches: Branch[] = []
  #ringing: NodeJS.Timeout | undefined
  #isOver = false

  constructor(options: ForwardingOptions) {
    this.#options = options
    options.transaction.onCancel = () => this.#cancelAll()
  }

  start(targets: readonly Target[]): void {
    const { transaction } = this.#options
    if (transaction.request.method === 'INVITE') {
      transaction.respond(responseTo(transaction.request, 100, 'Trying'))
      this.#ringing = setTimeout(() => this.#cancelAll(), RINGING_MAX_MS)
    }
    for (const target of targets) this.#send(target)
  }

  #send(target: Target): void {
    const { sockets } = this.#options
    const request = this.#requestFor(target)
    const branch: Branch = {
      next: target.next,
      final: null,
      cancel: 'no',
      client: sockets.toward(target.next).request(request, target.next, {
        onResponse: (response) => this.#receive(branch, response),
        onTimeout: () => this.#receive(branch, responseTo(request, 408, 'Request Timeout')),
      }),
    }
    this.#branches.push(branch)
  }

  #requestFor(target: Target): SipRequest {
    const { transaction, sockets, name, record } = this.#options
    const request = copyMessage(transaction.request)
    request.uri = target.uri
    const hops = Number(header(request, 'max-forwards') ?? 71) - 1
    setHeader(request, 'max-forwards', String(hops))
    setHeader(request, 'route', ...target.routes)
    if (target.leaves) {
      setHeader(request, 'proxy-authorization')
      setHeader(request, 'authorization')
    }
    if (record) {
      const own = sockets.recordRoutes(transaction.source, target.next)
      for (const value of own.reverse()) prependHeader(request, 'record-route', value)
    }
    setHeader(request, 'x-proxy', ...headerValues(request, 'x-proxy'), name)
    return request
  }

  #receive(branch: Branch, received: SipResponse): void {
    const response = this.#relayed(received)
    if (response.status < 200) {
      // A CANCEL has to wait for a sign of life (RFC 3261 §9.1).
      if (branch.cancel === 'wanted') this.#cancel(branch)
      if (response.status > 100) this.#options.transaction.respond(response)
      return
    }
    branch.final ??= response
    if (response.status < 300) {
      this.#finish(response)
      return
    }
    if (response.status >= 600) this.#cancelAll()
    if (this.#follow(response)) return
    if (this.#branches.every(({ final }) => final !== null)) this.#finish(best(this.#branches))
  }

  /** A phone that diverts the call: the new branch decides instead. */
  #follow(response: SipResponse): boolean {
    if ((response.status !== 301 && response.status !== 302) || this.#isOver) return false
    const contact = parseNameAddr(headerValues(response, 'contact')[0] ?? '')?.uri ?? ''
    const target = this.#options.divert?.(contact) ?? null
    if (target !== null) this.#send(target)
    return target !== null
  }

  #finish(response: SipResponse): void {
    this.#isOver = true
    clearTimeout(this.#ringing)
    this.#options.transaction.respond(response)
    this.#cancelAll()
  }

  #cancelAll(): void {
    this.#isOver = true
    for (const branch of this.#branches) {
      if (branch.final !== null || branch.cancel !== 'no') continue
      branch.cancel = 'wanted'
      if (branch.client.state === 'proceeding') this.#cancel(branch)
    }
  }

  #cancel(branch: Branch): void {
    if (branch.client.request.method !== 'INVITE') return
    branch.cancel = 'sent'
    const layer = this.#options.sockets.toward(branch.next)
    layer.requestWithVia(cancelFor(branch.client.request), branch.next, {
      onResponse: () => {},
      onTimeout: () => {},
    })
  }

  /** Our Via off; a trace of us on (lab only). */
  #relayed(received: SipResponse): SipResponse {
    const response = copyMessage(received)
    setHeader(response, 'via', ...headerValues(received, 'via').slice(1))
    setHeader(response, 'x-proxy', ...headerValues(received, 'x-proxy'), this.#options.name)
    return response
  }
}

/**
 * 6xx, else the lowest class; within it, the one that asks for something the caller can give (RFC 3261 §16.7
 * step 6).
 */
function best(branches: readonly Branch[]): SipResponse {
  const rank = (status: number) =>
    status >= 600 ? 0 : status === 401 || status === 407 ? 401 : status === 408 ? 499 : status
  const finals = branches.map(({ final }) => final as SipResponse)
  return finals.reduce((first, second) =>
    rank(second.status) < rank(first.status) ? second : first,
  )
}
