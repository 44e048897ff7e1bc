/**
 * Replies of our own: they are few, rate-limited, and never longer than what asked for them plus a fixed bound.
 * Not here: when to reply (`classify.ts`, `target.ts`). Invariant: an ACK is never answered (RFC 3261 §17); the To tag
 * lets us recognise and absorb the ACK that a reply brings.
 */

import { Method, type Text, asText, writeResponse, writeStunResponse } from '@sipcast/sip'
import type { Forwarder } from './forwarder.ts'
import { DATAGRAM_BYTES_MAX } from './limits.ts'
import { emit } from './transmit.ts'
import { Verdict } from './verdict.ts'

interface Reply {
  readonly status: number
  readonly reason: Text
  /** Whole header lines. */
  readonly headers: Text
}

/** Seconds after which a caller may try again when no proxy is live: about one probe round and a table. */
const RETRY_AFTER_SECONDS = 5

const replies: ReadonlyMap<Verdict, Reply> = new Map([
  [Verdict.answerSelfTest, reply(200, 'OK')],
  [Verdict.answerOptions, reply(200, 'OK', 'Accept: application/sdp\r\nSupported: path\r\n')],
  [Verdict.answerMalformed, reply(400, 'Bad Request')],
  [Verdict.answerBadToken, reply(403, 'Forbidden')],
  [Verdict.answerForeignRoute, reply(403, 'Forbidden')],
  [Verdict.answerForeignDomain, reply(404, 'Not Found')],
  [Verdict.answerBadExtension, reply(420, 'Bad Extension')],
  [Verdict.answerTooManyHops, reply(483, 'Too Many Hops')],
  [
    Verdict.answerNoProxy,
    reply(503, 'Service Unavailable', `Retry-After: ${RETRY_AFTER_SECONDS}\r\n`),
  ],
])

function reply(status: number, reason: string, headers = ''): Reply {
  return { status, reason: asText(reason), headers: asText(headers) }
}

/** Answers the request at hand as `verdict` says; the verdict that came of it. */
export function answer(state: Forwarder, verdict: Verdict): Verdict {
  const { message, sending, received, sourceAt } = state
  if (message.method === Method.ack) return Verdict.dropAck
  // A flood that has spent the budget must not make this node look dead to itself.
  const isFree = verdict === Verdict.answerSelfTest
  if (!isFree && !state.replies.take(state.nowMs)) return Verdict.dropReplyRate
  const at = sending.slotOffset(sending.count)
  const { status, reason, headers } = replies.get(verdict)!
  const length = writeResponse(message, sending.bytes, at, at + DATAGRAM_BYTES_MAX, {
    status,
    reason,
    headers,
    source: received.peer,
    sourceAt,
  })
  if (length < 0) return Verdict.dropTooBig
  emit(state, length, state.arrival, received.peer, sourceAt)
  return verdict
}

/** CRLF for CRLFCRLF (RFC 5626 §3.5.1). */
export function answerKeepAlive(state: Forwarder): Verdict {
  const { sending, received, sourceAt } = state
  const at = sending.slotOffset(sending.count)
  sending.bytes[at] = 0x0d
  sending.bytes[at + 1] = 0x0a
  emit(state, 2, state.arrival, received.peer, sourceAt)
  return Verdict.answerKeepAlive
}

/** The phone's own address as we see it (RFC 5389, RFC 5626 §3.5.2). */
export function answerStun(state: Forwarder): Verdict {
  const { sending, received, sourceAt, message } = state
  if (!state.replies.take(state.nowMs)) return Verdict.dropReplyRate
  const at = sending.slotOffset(sending.count)
  const length = writeStunResponse(message, sending.bytes, at, received.peer, sourceAt)
  if (length < 0) return Verdict.dropMalformed
  emit(state, length, state.arrival, received.peer, sourceAt)
  return Verdict.answerStun
}
