/**
 * Headers whose value is one word or is taken as it stands: Call-ID, Max-Forwards, Content-Length, User-Agent,
 * Proxy-Require. Invariant: of the first three a second one makes the message malformed (RFC 3261 §7.3.1 allows one).
 */
import { decimal } from './ascii.ts'
import { Defect, type Message } from './message.ts'
import { skipVisible } from './skip.ts'

/** RFC 3261 §20.22: 0 … 255; a larger number counts as this. */
const MAX_FORWARDS_MAX = 255
/** What a number may be and still be read as one. */
const NUMBER_MAX = 2 ** 31 - 1

/** Any bytes without white space: stricter would refuse what phones send, laxer would let two readers differ. */
export function readCallId(message: Message, start: number, end: number): void {
  if (message.callIdStart >= 0) return message.spoil(Defect.duplicateHeader)
  message.callIdStart = start
  message.callIdEnd = end
  if (start === end || skipVisible(message.view, start, end) < end) message.spoil(Defect.callId)
}

export function readMaxForwards(message: Message, start: number, end: number): void {
  if (message.maxForwardsStart >= 0) return message.spoil(Defect.duplicateHeader)
  message.maxForwardsStart = start
  message.maxForwardsEnd = end
  const value = decimal(message.bytes, start, end, NUMBER_MAX)
  if (value < 0) message.spoil(Defect.maxForwards)
  message.maxForwards = value < MAX_FORWARDS_MAX ? value : MAX_FORWARDS_MAX
}

export function readContentLength(message: Message, start: number, end: number): void {
  if (message.contentLength >= 0) return message.spoil(Defect.duplicateHeader)
  const value = decimal(message.bytes, start, end, NUMBER_MAX)
  if (value < 0) message.spoil(Defect.contentLength)
  message.contentLength = value
}

/** The first one counts. */
export function readUserAgent(message: Message, start: number, end: number): void {
  if (message.userAgentStart >= 0) return
  message.userAgentStart = start
  message.userAgentEnd = end
}

/** The first one that is not empty counts: a 420 need not name all option tags at once. */
export function readProxyRequire(message: Message, start: number, end: number): void {
  if (message.proxyRequireStart >= 0 || start === end) return
  message.proxyRequireStart = start
  message.proxyRequireEnd = end
}
