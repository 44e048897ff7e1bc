/** A call that came in, until we have answered it: ring, answer, refuse, divert; the caller may give up meanwhile. */
import type { SipRequest } from '../sip/message.ts'
import { type ResponseParts, responseTo } from '../sip/respond.ts'
import type { ServerTransaction } from '../sip/server-transaction.ts'
import { dialogOfCallee } from './dialog.ts'
import { Session, type SessionOptions } from './session.ts'
import { newTag } from './user-agent.ts'

export class IncomingCall {
  readonly invite: SipRequest
  /** Resolves when the caller gave up, after our 487. */
  readonly cancelled: Promise<void>
  /** Whether the ACK to our refusal came. */
  readonly refusalAcknowledged: Promise<boolean>
  readonly #transaction: ServerTransaction
  readonly #options: Omit<SessionOptions, 'dialog'>
  readonly #tag = newTag()

  constructor(transaction: ServerTransaction, options: Omit<SessionOptions, 'dialog'>) {
    this.#transaction = transaction
    this.#options = options
    this.invite = transaction.request
    this.cancelled = new Promise((resolve) => {
      transaction.onCancel = () => {
        this.refuse(487, 'Request Terminated')
        resolve()
      }
    })
    this.refusalAcknowledged = new Promise((resolve) => (transaction.onAcknowledged = resolve))
  }

  ring(): void {
    const headers: ResponseParts['headers'] = [['contact', this.#options.contact]]
    this.#transaction.respond(
      responseTo(this.invite, 180, 'Ringing', { toTag: this.#tag, headers }),
    )
  }

  answer(): Session {
    const session = new Session({
      ...this.#options,
      dialog: dialogOfCallee(this.invite, this.#tag),
    })
    session.accept(this.#transaction)
    return session
  }

  refuse(status: number, reason: string, headers: ResponseParts['headers'] = []): void {
    this.#transaction.respond(
      responseTo(this.invite, status, reason, { toTag: this.#tag, headers }),
    )
  }

  /** 302: call somebody else instead. */
  redirect(target: string): void {
    this.refuse(302, 'Moved Temporarily', [['contact', `<${target}>`]])
  }
}
