/**
 * A call after its answer, seen from one end: requests in both directions, re-INVITE, transfer, hanging up.
 * Not here: how it came about (outgoing-call.ts, incoming-call.ts).
 */
import { type SipRequest, type SipResponse, cseqOf, header, tagOf } from '../sip/message.ts'
import { responseTo } from '../sip/respond.ts'
import type { ServerTransaction } from '../sip/server-transaction.ts'
import { Answer } from './answer.ts'
import { type Dialog, type RequestParts, contactOf, nextHop, requestInDialog } from './dialog.ts'
import { Inbox } from './inbox.ts'
import { SDP } from './sdp.ts'
import type { UserAgent } from './user-agent.ts'

export type EndReason = 'hungUp' | 'remoteHungUp' | 'neverAcknowledged'

export interface SessionOptions {
  readonly agent: UserAgent
  readonly dialog: Dialog
  readonly contact: string
  /** What a REFER within the call makes us do: the final status of the new call. */
  readonly onRefer: (target: string) => Promise<number>
}

export class Session {
  readonly dialog: Dialog
  readonly ended: Promise<EndReason>
  /** Requests of the other end within the call (not ACK). */
  readonly requests = new Inbox<SipRequest>()
  /** ACKs of the other end, to its INVITE and re-INVITEs. */
  readonly acks = new Inbox<SipRequest>()
  readonly #options: SessionOptions
  #answer: Answer | null = null
  #end: (reason: EndReason) => void = () => {}
  /** The ACKs we owe, by CSeq number, to be repeated with each repeated 2xx (RFC 3261 §13.2.2.4). */
  readonly #sentAcks = new Map<number, SipRequest>()

  constructor(options: SessionOptions) {
    this.#options = options
    this.dialog = options.dialog
    this.ended = new Promise((resolve) => (this.#end = resolve))
    options.agent.own(this.dialog.callId, this.dialog.localTag, {
      onRequest: (transaction) => this.#receive(transaction),
      onAck: (ack) => this.#acknowledged(ack),
    })
  }

  /** Any request within the call; resolves with its final response. */
  async request(method: string, parts: RequestParts = {}): Promise<SipResponse> {
    const headers = [['contact', this.#options.contact] as const, ...(parts.headers ?? [])]
    const request = requestInDialog(this.dialog, method, { ...parts, headers })
    return await this.#options.agent.exchange(request, nextHop(request), {
      nextCseq: () => ++this.dialog.localCseq,
      onFurther2xx: (response) => this.acknowledge(response),
    })
  }

  async reinvite(): Promise<SipResponse> {
    const response = await this.request('INVITE', {
      headers: [['content-type', 'application/sdp']],
      body: SDP,
    })
    if (response.status < 300) {
      this.dialog.remoteTarget = contactOf(response) ?? this.dialog.remoteTarget
      this.acknowledge(response)
    }
    return response
  }

  /** Asks the other end to call somebody; how that goes arrives as NOTIFYs in `requests`. */
  async refer(target: string): Promise<SipResponse> {
    return await this.request('REFER', { headers: [['refer-to', `<${target}>`]] })
  }

  async hangUp(): Promise<SipResponse> {
    const response = await this.request('BYE')
    this.#finish('hungUp')
    return response
  }

  /** Sends the ACK to a 2xx; the same one again if the 2xx is repeated. */
  acknowledge(response: SipResponse): void {
    const { number, method } = cseqOf(response)
    if (method !== 'INVITE') return
    const ack = this.#sentAcks.get(number) ?? requestInDialog(this.dialog, 'ACK', {}, number)
    this.#sentAcks.set(number, ack)
    this.#options.agent.sendAck(ack, nextHop(ack))
  }

  /** Answers an INVITE of this dialog with 200 and repeats that until the ACK is there. */
  accept(transaction: ServerTransaction): void {
    const { agent, contact } = this.#options
    const response = responseTo(transaction.request, 200, 'OK', {
      toTag: this.dialog.localTag,
      headers: [
        ['contact', contact],
        ['content-type', 'application/sdp'],
      ],
      body: SDP,
    })
    this.#answer?.stop()
    this.#answer = new Answer(transaction, response, agent.timers, () => {
      void this.request('BYE')
      this.#finish('neverAcknowledged')
    })
  }

  #receive(transaction: ServerTransaction): void {
    const { request } = transaction
    if (tagOf(request, 'from') !== this.dialog.remoteTag) {
      transaction.respond(responseTo(request, 481, 'Call/Transaction Does Not Exist'))
      return
    }
    const { number } = cseqOf(request)
    if (number <= this.dialog.remoteCseq) {
      transaction.respond(responseTo(request, 500, 'Old CSeq'))
      return
    }
    this.dialog.remoteCseq = number
    this.requests.push(request)
    this.#serve(transaction)
  }

  #serve(transaction: ServerTransaction): void {
    const { request } = transaction
    const ok = () => transaction.respond(responseTo(request, 200, 'OK'))
    switch (request.method) {
      case 'INVITE':
        this.dialog.remoteTarget = contactOf(request) ?? this.dialog.remoteTarget
        this.accept(transaction)
        return
      case 'BYE':
        ok()
        this.#finish('remoteHungUp')
        return
      case 'REFER':
        transaction.respond(
          responseTo(request, 202, 'Accepted', { headers: [['contact', this.#options.contact]] }),
        )
        void this.#follow(/<([^>]+)>/.exec(header(request, 'refer-to') ?? '')?.[1] ?? '')
        return
      default:
        ok()
    }
  }

  /** Does what a REFER asks for and reports on it (RFC 3515 §2.4.5). */
  async #follow(target: string): Promise<void> {
    await this.#report('active;expires=60', 'SIP/2.0 100 Trying')
    const status = await this.#options.onRefer(target)
    await this.#report('terminated;reason=noresource', `SIP/2.0 ${status} Done`)
  }

  async #report(state: string, fragment: string): Promise<void> {
    await this.request('NOTIFY', {
      headers: [
        ['event', 'refer'],
        ['subscription-state', state],
        ['content-type', 'message/sipfrag'],
      ],
      body: `${fragment}\r\n`,
    })
  }

  #acknowledged(ack: SipRequest): void {
    this.#answer?.stop()
    this.acks.push(ack)
  }

  #finish(reason: EndReason): void {
    this.#answer?.stop()
    this.#end(reason)
  }
}
