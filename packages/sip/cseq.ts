/** CSeq (RFC 3261 §20.16): a number below 2³¹ and a method. */
import * as ascii from './ascii.ts'
import { Defect, type Message } from './message.ts'
import { methodOf } from './method.ts'
import { skipSpace } from './skip.ts'

const { CLASS, NINE, SPACE, TOKEN, ZERO } = ascii

const CSEQ_MAX = 2 ** 31 - 1

/** Reads the CSeq value in [start, end). */
export function readCseq(message: Message, start: number, end: number): void {
  if (message.cseqStart >= 0) return message.spoil(Defect.duplicateHeader)
  message.cseqStart = start
  message.cseqEnd = end
  const method = readNumber(message, start, end)
  if (method < 0 || !isToken(message.bytes, method, end)) return message.spoil(Defect.cseq)
  message.cseqMethod = methodOf(message.view, method, end)
  message.cseqMethodStart = method
  message.cseqMethodEnd = end
}

/** Whether CSeq and start line name the same method (RFC 3261 §8.1.1.5). */
export function cseqMatches(message: Message): boolean {
  const { bytes, methodStart, cseqMethodStart } = message
  const length = message.methodEnd - methodStart
  if (message.cseqMethodEnd - cseqMethodStart !== length) return false
  for (let i = 0; i < length; i++) {
    if (bytes[methodStart + i] !== bytes[cseqMethodStart + i]) return false
  }
  return true
}

/** Digits, then white space; the offset after that, or -1. */
function readNumber(message: Message, start: number, end: number): number {
  const { bytes } = message
  let number = 0
  let at = start
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) {
    number = number * 10 + bytes[at]! - ZERO
    if (number > CSEQ_MAX) return -1
    at++
  }
  if (at === start || at === end || bytes[at]! > SPACE) return -1
  message.cseq = number
  message.cseqNumberStart = start
  message.cseqNumberEnd = at
  return skipSpace(bytes, at, end)
}

function isToken(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((CLASS[bytes[i]!]! & TOKEN) === 0) return false
  return start < end
}
