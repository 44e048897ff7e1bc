/**
 * The packet path: what happens to one datagram is the body of `forward`, top to bottom. Not here: sockets,
 * clocks, logs, tables' arrival. Invariants: every return is a Verdict, each has a counter; a datagram leads
 * to at most one datagram; nothing is remembered for the next one.
 */

import { Scan, scan } from '@sipcast/sip'
import type { DatagramBatch } from '@sipcast/net'
import { answer, answerKeepAlive, answerStun } from './answer.ts'
import { attributeRequest, PASS, screen } from './classify.ts'
import { PACKET_RESPONSE } from './counters.ts'
import type { Forwarder } from './forwarder.ts'
import { isOverRate } from './protect.ts'
import { returnResponse } from './respond.ts'
import { rewriteRequest } from './rewrite.ts'
import { chooseTarget } from './target.ts'
import { Verdict } from './verdict.ts'

/** Handles datagram `index` of `received`; what is to be sent is added to `sending`. */
export function forward(
  state: Forwarder,
  received: DatagramBatch,
  index: number,
  sending: DatagramBatch,
): Verdict {
  if (!state.arrive(received, index, sending)) return Verdict.dropNoSocket
  if (isOverRate(state)) return Verdict.dropRate

  const start = received.offset[index]!
  switch (scan(state.message, received.bytes, start, start + received.length[index]!)) {
    case Scan.request:
      state.packetKind = state.message.method
      return forwardRequest(state)
    case Scan.response:
      state.packetKind = PACKET_RESPONSE
      return returnResponse(state)
    case Scan.keepAliveCrlf:
      return answerKeepAlive(state)
    case Scan.stun:
      return answerStun(state)
    case Scan.badRequest:
      return answer(state, Verdict.answerMalformed)
    case Scan.malformed:
      return Verdict.dropMalformed
    case Scan.keepAliveSilent:
    case Scan.tooShort:
      return Verdict.dropTooShort
  }
}

function forwardRequest(state: Forwarder): Verdict {
  if (!attributeRequest(state)) return Verdict.dropNoSipProxy
  const screened = screen(state)
  if (screened !== PASS) return conclude(state, screened)
  const verdict = chooseTarget(state)
  if (!isForward(verdict)) return conclude(state, verdict)
  if (state.targetSocket === null) return Verdict.dropNoSocket
  return rewriteRequest(state, verdict)
}

/** Verdicts that end with a request on its way. */
function isForward(verdict: Verdict): boolean {
  return verdict <= Verdict.toFlow
}

/** An answer is written; anything else is final as it is. */
function conclude(state: Forwarder, verdict: Verdict): Verdict {
  const isAnswer = verdict >= Verdict.answerSelfTest && verdict <= Verdict.answerNoProxy
  return isAnswer ? answer(state, verdict) : verdict
}
