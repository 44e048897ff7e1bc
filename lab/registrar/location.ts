/**
 * Who can be reached where: bindings with their Path, in memory only (RFC 3261 §10.3, RFC 3327 §5.3).
 * A registrar that dies forgets; so does Kamailio by our recipe.
 */
import { type SipRequest, type SipResponse, cseqOf, header, headerValues } from '../sip/message.ts'
import { responseTo } from '../sip/respond.ts'
import { formatNameAddr, parseNameAddr, parseUri } from '../sip/uri.ts'

export interface Binding {
  readonly contact: string
  /** To be put in front of requests as Route, in this order. */
  readonly path: readonly string[]
  readonly expiresAtMs: number
  readonly callId: string
  readonly cseq: number
}

const EXPIRES_DEFAULT_SECONDS = 3600
const EXPIRES_MAX_SECONDS = 3600
const CONTACTS_MAX = 10

export class Location {
  readonly #bindings = new Map<string, Binding[]>()
  readonly #expiresMinSeconds: number
  readonly #nowMs: () => number

  constructor(expiresMinSeconds: number, nowMs: () => number) {
    this.#expiresMinSeconds = expiresMinSeconds
    this.#nowMs = nowMs
  }

  lookup(user: string): readonly Binding[] {
    const now = this.#nowMs()
    const live = (this.#bindings.get(key(user)) ?? []).filter(
      (binding) => binding.expiresAtMs > now,
    )
    if (live.length === 0) this.#bindings.delete(key(user))
    else this.#bindings.set(key(user), live)
    return live
  }

  all(): Binding[] {
    return [...this.#bindings.keys()].flatMap((user) => this.lookup(user))
  }

  /** Does what a REGISTER asks and answers it. */
  register(request: SipRequest): SipResponse {
    const user = parseUri(parseNameAddr(header(request, 'to') ?? '')?.uri ?? '')?.user
    if (!user) return responseTo(request, 400, 'No User')
    if (headerValues(request, 'path').some((value) => !leadsSomewhere(value))) {
      return responseTo(request, 400, 'Bad Path')
    }
    const wanted = headerValues(request, 'contact')
    if (wanted.length > CONTACTS_MAX) return responseTo(request, 503, 'Too Many Contacts')
    if (wanted[0] === '*') this.#bindings.delete(key(user))
    for (const value of wanted[0] === '*' ? [] : wanted) {
      const refusal = this.#bind(user, request, value)
      if (refusal !== null) return refusal
    }
    return this.#granted(user, request)
  }

  #bind(user: string, request: SipRequest, value: string): SipResponse | null {
    const contact = parseNameAddr(value)
    if (contact === null || parseUri(contact.uri) === null)
      return responseTo(request, 400, 'Bad Contact')
    const asked = contact.params.get('expires') ?? header(request, 'expires')
    const expires = asked === null ? EXPIRES_DEFAULT_SECONDS : Number(asked)
    if (expires > 0 && expires < this.#expiresMinSeconds) {
      const headers = [['min-expires', String(this.#expiresMinSeconds)]] as const
      return responseTo(request, 423, 'Interval Too Brief', { headers })
    }
    const callId = header(request, 'call-id') ?? ''
    const cseq = cseqOf(request).number
    const known = this.lookup(user)
    const old = known.find((binding) => binding.contact === contact.uri)
    // An older request that was overtaken must not undo a newer one (RFC 3261 §10.3 step 7).
    if (old !== undefined && old.callId === callId && cseq < old.cseq) {
      return responseTo(request, 500, 'Old CSeq')
    }
    const others = known.filter((binding) => binding !== old)
    const expiresAtMs = this.#nowMs() + Math.min(expires, EXPIRES_MAX_SECONDS) * 1000
    const path = headerValues(request, 'path')
    const added = expires === 0 ? [] : [{ contact: contact.uri, path, expiresAtMs, callId, cseq }]
    this.#bindings.set(key(user), [...others, ...added].slice(-CONTACTS_MAX))
    return null
  }

  #granted(user: string, request: SipRequest): SipResponse {
    const now = this.#nowMs()
    const contacts = this.lookup(user).map(({ contact, expiresAtMs }) => {
      const expires = String(Math.ceil((expiresAtMs - now) / 1000))
      const value = formatNameAddr({
        display: '',
        uri: contact,
        params: new Map([['expires', expires]]),
      })
      return ['contact', value] as const
    })
    const path = headerValues(request, 'path').map((value) => ['path', value] as const)
    return responseTo(request, 200, 'OK', { headers: [...contacts, ...path] })
  }
}

function leadsSomewhere(path: string): boolean {
  return parseUri(parseNameAddr(path)?.uri ?? '') !== null
}

/** As balancers compare users: ASCII letters in any case. */
function key(user: string): string {
  return user.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
