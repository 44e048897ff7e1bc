/**
 * A scripted phone: registers, calls, is called, sends and takes everything an ordinary phone does; its `log`
 * has every message. Knows nothing of balancers: it talks to the shared address, which may be a list of
 * addresses that all stand for it, and then each message goes to a different one at random.
 */
import { type SipRequest, type SipResponse, header, headerValues } from '../sip/message.ts'
import { responseTo } from '../sip/respond.ts'
import type { ServerTransaction } from '../sip/server-transaction.ts'
import type { Timers } from '../sip/timers.ts'
import type { TransportOptions } from '../sip/transport.ts'
import { type Endpoint, formatEndpoint, parseNameAddr, sameEndpoint } from '../sip/uri.ts'
import { IncomingCall } from './incoming-call.ts'
import { Inbox } from './inbox.ts'
import { type MessageLog, servedBy } from './message-log.ts'
import { OutgoingCall } from './outgoing-call.ts'
import { SDP } from './sdp.ts'
import type { Session } from './session.ts'
import { Notifier, Subscription } from './subscription.ts'
import { UserAgent, newCallId, newTag } from './user-agent.ts'

export interface PhoneOptions {
  readonly user: string
  readonly password: string
  readonly domain: string
  /** The phone's own address, and port (0: any). */
  readonly address: string
  readonly port?: number
  /** Network namespace the phone is in. */
  readonly namespace?: string
  /** The addresses that stand for the shared one. */
  readonly targets: readonly Endpoint[]
  /** Sends initial requests with `Route: <sip:TARGET;lr>`, as phones with a configured outbound proxy do. */
  readonly preloadRoute?: boolean
  readonly timers?: Timers
  /** False loses a message. */
  readonly passes?: NonNullable<TransportOptions['passes']>
  readonly random?: () => number
}

export interface Registration {
  readonly status: number
  readonly response: SipResponse
  /** The registrar's name, where it gives one. */
  readonly servedBy: string | null
  /** The bindings it now has for us. */
  readonly contacts: readonly string[]
}

export type Headers = readonly (readonly [name: string, value: string])[]

const USER_AGENT = 'sipcast-lab-phone'
const EXPIRES_SECONDS = 60

export class Phone {
  readonly uri: string
  readonly contact: string
  readonly log: MessageLog
  readonly messages = new Inbox<SipRequest>()
  readonly notifiers = new Inbox<Notifier>()
  /** Calls that came in, with what `onCall` made of them not yet decided. */
  readonly calls = new Inbox<IncomingCall>()
  /** The calls that were answered by the default `onCall`. */
  readonly sessions = new Inbox<Session>()
  /** Decides about an incoming call; rings and answers by default. */
  onCall: (call: IncomingCall) => void = (call) => {
    call.ring()
    this.sessions.push(call.answer())
  }
  readonly #options: PhoneOptions
  readonly #agent: UserAgent
  readonly #registrationId = newCallId()
  #registrationCseq = 0

  static async open(options: PhoneOptions): Promise<Phone> {
    const random = options.random ?? Math.random
    const pick = () => options.targets[Math.floor(random() * options.targets.length)] as Endpoint
    const stands = (to: Endpoint) => options.targets.some((target) => sameEndpoint(target, to))
    const agent = await UserAgent.open({
      ...options,
      username: options.user,
      spread: (to) => (stands(to) ? pick() : to),
    })
    return new Phone(options, agent)
  }

  constructor(options: PhoneOptions, agent: UserAgent) {
    this.#options = options
    this.#agent = agent
    this.log = agent.log
    this.uri = `sip:${options.user}@${options.domain}`
    this.contact = `<sip:${options.user}@${formatEndpoint(agent.local)}>`
    agent.onRequest = (transaction) => this.#receive(transaction)
  }

  get user(): string {
    return this.#options.user
  }

  get local(): Endpoint {
    return this.#agent.local
  }

  /** Datagrams that came and were not SIP. */
  get garbage(): readonly string[] {
    return this.#agent.transport.garbage
  }

  /** REGISTER, with its challenge; 0 seconds takes the binding back. */
  async register(expiresSeconds = EXPIRES_SECONDS, headers: Headers = []): Promise<Registration> {
    const request = this.#request('REGISTER', this.uri, [
      ['contact', this.contact],
      ['expires', String(expiresSeconds)],
      ...headers,
    ])
    request.uri = `sip:${this.#options.domain}`
    const nextCseq = () => ++this.#registrationCseq
    replace(request, 'call-id', this.#registrationId)
    replace(request, 'cseq', `${nextCseq()} REGISTER`)
    const response = await this.#agent.exchange(request, this.#target, { nextCseq })
    const contacts = headerValues(response, 'contact').map(
      (value) => parseNameAddr(value)?.uri ?? value,
    )
    return { status: response.status, response, servedBy: servedBy(response)[0] ?? null, contacts }
  }

  /** Calls a user (`bob`), a number or a URI. */
  call(whom: string, headers: Headers = []): OutgoingCall {
    const invite = this.#request('INVITE', whom, [
      ['contact', this.contact],
      ['content-type', 'application/sdp'],
      ...headers,
    ])
    invite.body = SDP
    return new OutgoingCall({ ...this.#sessionOptions(), invite, target: this.#target })
  }

  async message(whom: string, text: string): Promise<SipResponse> {
    return await this.request('MESSAGE', whom, [['content-type', 'text/plain']], text)
  }

  subscribe(whom: string, event = 'presence', expiresSeconds = 600): Subscription {
    const headers: Headers = [
      ['event', event],
      ['expires', String(expiresSeconds)],
      ['contact', this.contact],
    ]
    return new Subscription(this.#agent, this.#request('SUBSCRIBE', whom, headers), this.#target)
  }

  /** A REFER outside any call; the other end's reports arrive as notifications. */
  refer(whom: string, target: string): Subscription {
    const headers: Headers = [
      ['refer-to', `<${this.#uriOf(target)}>`],
      ['contact', this.contact],
    ]
    return new Subscription(this.#agent, this.#request('REFER', whom, headers), this.#target)
  }

  /** Any request outside dialogs; resolves with its final response. */
  async request(
    method: string,
    whom: string,
    headers: Headers = [],
    body = '',
  ): Promise<SipResponse> {
    const request = this.#request(method, whom, headers)
    request.body = body
    return await this.#agent.exchange(request, this.#target)
  }

  close(): void {
    this.#agent.close()
  }

  get #target(): Endpoint {
    const [target] = this.#options.targets
    if (target === undefined) throw new Error(`${this.user} has no address to send to`)
    return target
  }

  #uriOf(whom: string): string {
    return /^(sips?|tel):/.test(whom) ? whom : `sip:${whom}@${this.#options.domain}`
  }

  #request(method: string, whom: string, headers: Headers): SipRequest {
    const uri = this.#uriOf(whom)
    const fields: Headers = [
      ['max-forwards', '70'],
      ...(this.#options.preloadRoute === true
        ? [['route', `<sip:${formatEndpoint(this.#target)};lr>`] as const]
        : []),
      ['from', `<${this.uri}>;tag=${newTag()}`],
      ['to', `<${uri}>`],
      ['call-id', newCallId()],
      ['cseq', `1 ${method}`],
      ['user-agent', USER_AGENT],
      ['allow', ALLOWED],
      ...headers,
    ]
    return {
      kind: 'request',
      method,
      uri,
      headers: fields.map(([name, value]) => ({ name, value })),
      body: '',
    }
  }

  #sessionOptions() {
    return {
      agent: this.#agent,
      contact: this.contact,
      onRefer: async (target: string) => (await this.call(target).final).status,
    }
  }

  #receive(transaction: ServerTransaction): void {
    const { request } = transaction
    switch (request.method) {
      case 'INVITE': {
        const call = new IncomingCall(transaction, this.#sessionOptions())
        this.calls.push(call)
        this.onCall(call)
        return
      }
      case 'SUBSCRIBE':
      case 'REFER':
        this.#notify(new Notifier(this.#agent, transaction, this.contact), request)
        return
      case 'MESSAGE':
        this.messages.push(request)
        transaction.respond(responseTo(request, 200, 'OK', { toTag: newTag() }))
        return
      case 'OPTIONS':
      case 'NOTIFY':
      case 'INFO':
        transaction.respond(
          responseTo(request, 200, 'OK', { toTag: newTag(), headers: [['allow', ALLOWED]] }),
        )
        return
      default:
        transaction.respond(
          responseTo(request, 405, 'Method Not Allowed', { headers: [['allow', ALLOWED]] }),
        )
    }
  }

  #notify(notifier: Notifier, request: SipRequest): void {
    this.notifiers.push(notifier)
    const target = /<([^>]+)>/.exec(header(request, 'refer-to') ?? '')?.[1]
    if (request.method !== 'REFER' || target === undefined) return
    void this.call(target).final.then((response) =>
      notifier.notify(
        `SIP/2.0 ${response.status} ${response.reason}\r\n`,
        'terminated;reason=noresource',
      ),
    )
  }
}

const ALLOWED = 'INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, SUBSCRIBE, NOTIFY, REFER, INFO'

function replace(request: SipRequest, name: string, value: string): void {
  request.headers = request.headers.map((field) => (field.name === name ? { name, value } : field))
}
