/** CSeq (RFC 3261 §20.16): a number below 2³¹ and a method. */
import { CLASS, decimal, SPACE, skipSpace, TOKEN } from './ascii.ts'
import type { Message } from './message.ts'
import { methodOf } from './method.ts'
import { digitsEnd } from './uri.ts'

const CSEQ_MAX = 2 ** 31 - 1

/** Reads the CSeq value in [start, end); false if it is malformed. */
export function parseCseq(message: Message, start: number, end: number): boolean {
  const bytes = message.bytes
  message.cseqStart = start
  message.cseqEnd = end
  const numberEnd = digitsEnd(bytes, start, end)
  const number = decimal(bytes, start, numberEnd, CSEQ_MAX)
  if (number < 0 || numberEnd >= end || bytes[numberEnd]! > SPACE) return false
  const method = skipSpace(bytes, numberEnd, end)
  for (let i = method; i < end; i++) if ((CLASS[bytes[i]!]! & TOKEN) === 0) return false
  if (method === end) return false
  message.cseq = number
  message.cseqNumberStart = start
  message.cseqNumberEnd = numberEnd
  message.cseqMethod = methodOf(bytes, method, end)
  message.cseqMethodStart = method
  message.cseqMethodEnd = end
  return true
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
