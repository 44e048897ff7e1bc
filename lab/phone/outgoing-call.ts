/**
 * A call we placed, until its final answer: ringing, answered, refused, cancelled.
 * Invariant: every 2xx is acknowledged; a second phone that answers a forked call is hung up on (RFC 3261 §13.2.2.4).
 */
import { type ClientTransaction, cancelFor } from '../sip/client-transaction.ts'
import { type SipRequest, type SipResponse, tagOf } from '../sip/message.ts'
import type { Endpoint } from '../sip/uri.ts'
import { dialogOfCaller, nextHop, requestInDialog } from './dialog.ts'
import { Session, type SessionOptions } from './session.ts'

export class CallRefused extends Error {
  readonly code = 'CALL_REFUSED'
  readonly response: SipResponse
  constructor(response: SipResponse) {
    super(`the call got ${response.status} ${response.reason}`)
    this.response = response
  }
}

export interface OutgoingCallOptions extends Omit<SessionOptions, 'dialog'> {
  readonly invite: SipRequest
  readonly target: Endpoint
}

export class OutgoingCall {
  /** The first 180 or 183; rejects with `CallRefused` if the call ended without. */
  readonly ringing: Promise<SipResponse>
  /** The final response, whatever it was. */
  readonly final: Promise<SipResponse>
  /** The call itself, or `CallRefused`. */
  readonly answered: Promise<Session>
  /** All provisional responses. */
  readonly provisional: SipResponse[] = []
  readonly #options: OutgoingCallOptions
  #transaction: ClientTransaction | null = null
  #session: Session | null = null
  #ring: (response: SipResponse) => void = () => {}
  #progress: () => void = () => {}
  readonly #progressed = new Promise<void>((resolve) => (this.#progress = resolve))

  constructor(options: OutgoingCallOptions) {
    this.#options = options
    const rang = new Promise<SipResponse>((resolve) => (this.#ring = resolve))
    this.final = this.#invite()
    this.answered = this.final.then((response) => {
      if (this.#session === null) throw new CallRefused(response)
      return this.#session
    })
    const endedUnrung = this.final.then((response) => {
      throw new CallRefused(response)
    })
    this.ringing = Promise.race([rang, endedUnrung])
    // Nobody needs to wait for either; an unheard refusal is no crash.
    for (const promise of [this.answered, this.ringing]) promise.catch(() => {})
  }

  /** Gives up; resolves with the final response. If the answer was faster, the call is hung up. */
  async cancel(): Promise<SipResponse> {
    // Not before a provisional response (RFC 3261 §9.1).
    await Promise.race([this.#progressed, this.final])
    const transaction = this.#transaction
    if (transaction?.state === 'proceeding') {
      await this.#options.agent.cancel(cancelFor(transaction.request), this.#options.target)
    }
    const response = await this.final
    await this.#session?.hangUp()
    return response
  }

  async #invite(): Promise<SipResponse> {
    const { agent, invite, target } = this.#options
    const response = await agent.exchange(invite, target, {
      onStarted: (transaction) => (this.#transaction = transaction),
      onProvisional: (provisional) => this.#provisional(provisional),
      onFurther2xx: (further) => this.#further(further),
    })
    if (response.status < 300) {
      const sent = this.#transaction?.request ?? invite
      this.#session = new Session({ ...this.#options, dialog: dialogOfCaller(sent, response) })
      this.#session.acknowledge(response)
    }
    return response
  }

  #provisional(response: SipResponse): void {
    this.provisional.push(response)
    this.#progress()
    if (response.status > 100) this.#ring(response)
  }

  #further(response: SipResponse): void {
    if (tagOf(response, 'to') === this.#session?.dialog.remoteTag) {
      this.#session?.acknowledge(response)
      return
    }
    const { agent } = this.#options
    const dialog = dialogOfCaller(this.#transaction?.request ?? this.#options.invite, response)
    const ack = requestInDialog(dialog, 'ACK', {}, dialog.localCseq)
    agent.sendAck(ack, nextHop(ack))
    const bye = requestInDialog(dialog, 'BYE')
    void agent.exchange(bye, nextHop(bye))
  }
}
