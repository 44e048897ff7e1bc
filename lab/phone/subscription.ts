/**
 * Subscriptions, both ends (RFC 6665): the subscriber's, made by SUBSCRIBE or by a REFER outside a call, and
 * the notifier's. A NOTIFY may overtake the answer to its SUBSCRIBE, over another balancer: the subscriber
 * listens before it sends.
 */
import { type SipRequest, type SipResponse, cseqOf, header, tagOf } from '../sip/message.ts'
import { responseTo } from '../sip/respond.ts'
import type { ServerTransaction } from '../sip/server-transaction.ts'
import type { Endpoint } from '../sip/uri.ts'
import { type Dialog, dialogOfCallee, dialogOfCaller, nextHop, requestInDialog } from './dialog.ts'
import { Inbox } from './inbox.ts'
import { type UserAgent, newTag } from './user-agent.ts'

export class Subscription {
  readonly accepted: Promise<SipResponse>
  readonly notifications = new Inbox<SipRequest>()
  readonly #agent: UserAgent
  readonly #request: SipRequest
  #dialog: Dialog | null = null

  constructor(agent: UserAgent, request: SipRequest, target: Endpoint) {
    this.#agent = agent
    this.#request = request
    agent.own(header(request, 'call-id') ?? '', tagOf(request, 'from') ?? '', {
      onRequest: (transaction) => {
        transaction.respond(responseTo(transaction.request, 200, 'OK'))
        this.notifications.push(transaction.request)
      },
    })
    let cseq = cseqOf(request).number
    this.accepted = agent.exchange(request, target, { nextCseq: () => ++cseq }).then((response) => {
      if (response.status < 300)
        this.#dialog = { ...dialogOfCaller(request, response), localCseq: cseq }
      return response
    })
  }

  /** A SUBSCRIBE within the dialog; 0 seconds ends it. */
  async refresh(expiresSeconds = 600): Promise<SipResponse> {
    await this.accepted
    const dialog = this.#dialog
    if (dialog === null) throw new Error('there is no subscription')
    const request = requestInDialog(dialog, 'SUBSCRIBE', {
      headers: [
        ['event', header(this.#request, 'event') ?? 'presence'],
        ['expires', String(expiresSeconds)],
        ['contact', header(this.#request, 'contact') ?? ''],
      ],
    })
    return await this.#agent.exchange(request, nextHop(request), {
      nextCseq: () => ++dialog.localCseq,
    })
  }

  async end(): Promise<SipResponse> {
    return await this.refresh(0)
  }
}

export class Notifier {
  /** The SUBSCRIBEs (or the REFER), the first and its refreshes. */
  readonly requests = new Inbox<SipRequest>()
  readonly #agent: UserAgent
  readonly #dialog: Dialog
  readonly #event: string
  readonly #contact: string

  /** Accepts the subscription; for a SUBSCRIBE, a first NOTIFY follows at once (RFC 6665 §4.2.1.2). */
  constructor(agent: UserAgent, transaction: ServerTransaction, contact: string) {
    const { request } = transaction
    const isRefer = request.method === 'REFER'
    this.#agent = agent
    this.#contact = contact
    this.#dialog = dialogOfCallee(request, newTag())
    this.#event = isRefer ? 'refer' : (header(request, 'event') ?? 'presence')
    agent.own(this.#dialog.callId, this.#dialog.localTag, {
      onRequest: (next) => this.#accept(next),
    })
    this.#accept(transaction)
  }

  async notify(body: string, state = 'active;expires=600'): Promise<SipResponse> {
    const request = requestInDialog(this.#dialog, 'NOTIFY', {
      headers: [
        ['event', this.#event],
        ['subscription-state', state],
        ['contact', this.#contact],
        ['content-type', this.#event === 'refer' ? 'message/sipfrag' : 'text/plain'],
      ],
      body,
    })
    return await this.#agent.exchange(request, nextHop(request), {
      nextCseq: () => ++this.#dialog.localCseq,
    })
  }

  #accept(transaction: ServerTransaction): void {
    const { request } = transaction
    const isRefer = request.method === 'REFER'
    const expires = header(request, 'expires') ?? '600'
    transaction.respond(
      responseTo(request, isRefer ? 202 : 200, isRefer ? 'Accepted' : 'OK', {
        toTag: this.#dialog.localTag,
        headers: [
          ['contact', this.#contact],
          ['expires', expires],
        ],
      }),
    )
    this.requests.push(request)
    if (isRefer) return
    void this.notify(
      'state',
      expires === '0' ? 'terminated;reason=timeout' : `active;expires=${expires}`,
    )
  }
}
