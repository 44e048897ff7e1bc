/**
 * Tokens: what a balancer writes into Path and Record-Route, as the user part of its own URI, so that any balancer can
 * route a later message without memory (design 5.2, 5.3; RFC 5626 §5.2). Layout and MAC: sealed-record.ts.
 *
 * ```
 * sip:IAHGM2QHeRjLAHEKE8Terb7vpDkzkssRxaM@203.0.113.10:5060;lr      35 characters where both endpoints are IPv4,
 *                                                                   51 where one is IPv6, 67 where both are
 * ```
 *
 * A Record-Route token is bound to its Call-ID: it is of no use in another call. A Path token is bound to nothing, so
 * the ladder takes it from inside only. Not here: who may use which token (dataplane), keys (key-ring.ts).
 *
 * Invariants: nothing allocates or throws; a refused token leaves its Token unchanged.
 */
import { ENDPOINT_WORDS } from './address.ts'
import type { KeyRing } from './key-ring.ts'
import type { Message } from './message.ts'
import { type Base64urlSink, MEMBER_BYTES, SealedRecord, SealKind } from './sealed-record.ts'

export const TokenKind = { path: SealKind.path, recordRoute: SealKind.recordRoute } as const
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind]

/** Characters of the longest token. */
export const TOKEN_LENGTH_MAX = 67

/** What a token says. Made once and refilled. */
export class Token {
  kind: TokenKind = TokenKind.path
  keyId = 0
  /** The phone's endpoint: where what carries this token goes. */
  readonly flow = new Int32Array(ENDPOINT_WORDS)
  /** Our endpoint that the phone talks to: where it goes out from. */
  readonly local = new Int32Array(ENDPOINT_WORDS)
  /** `memberTag` of the member at the other end, unsigned 32 bits; 0 = none. */
  member = 0
}

/** Appends `token` for `message`, under the key it names; false, and nothing appended, if `keys` lacks that key. */
export function writeToken(
  token: Token,
  keys: KeyRing,
  message: Message,
  sink: Base64urlSink,
): boolean {
  record.put(token.kind, token.keyId, token.flow, token.local)
  record.putMember(token.member)
  if (!record.begin(keys)) return false
  bindTexts(token.kind, message)
  record.seal(sink)
  return true
}

/** Reads the token in [start, end) of `message`; false if it isn't ours, isn't whole, or is of another call. */
export function readToken(
  token: Token,
  keys: KeyRing,
  message: Message,
  start: number,
  end: number,
): boolean {
  if (!record.decode(message.bytes, start, end, MEMBER_BYTES)) return false
  const kind = record.kind
  if (kind !== TokenKind.path && kind !== TokenKind.recordRoute) return false
  if (!record.begin(keys)) return false
  bindTexts(kind, message)
  if (!record.isAuthentic()) return false
  token.kind = kind
  token.keyId = record.keyId
  record.take(token.flow, token.local)
  token.member = record.takeMember()
  return true
}

const record = new SealedRecord()

function bindTexts(kind: TokenKind, message: Message): void {
  if (kind === TokenKind.recordRoute) {
    record.bind(message.view, message.callIdStart, message.callIdEnd)
  }
}
