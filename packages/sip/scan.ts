/**
 * Datagram to offsets, in one walk over its lines: what a SIP balancer needs to know, and nothing else. Not a
 * validator: headers that are not read here pass as they are.
 *
 * Decisions where readers of SIP differ (proxies behind us read the same bytes, so doubt means malformed):
 * - Lines end in CRLF or a bare LF; a CR without LF, or any other control character than TAB and what a backslash
 *   quotes, is malformed.
 * - Line ends in front of the start line are skipped (RFC 3261 §7.5).
 * - Via, From, To, Call-ID and CSeq must be there; those but Via, and Max-Forwards and Content-Length, only once.
 * - Content-Length beyond the datagram is malformed; bytes beyond Content-Length are cut off; without Content-Length
 *   the rest of the datagram is the body (RFC 3261 §18.3).
 * - The empty line must be there, even without a body.
 *
 * Invariants: no allocation, no exception, every offset inside [start, end), time linear in the datagram's length.
 *
 * How the hot files are written, and why (test/bench/scan.bench.ts): constants of ascii.ts are taken into constants of
 * the file, because V8 folds a module's own into the code but loads and checks an imported one at every use; white
 * space is looked for before it is skipped, because a loop that hardly ever runs then stays out of the code.
 */
import * as ascii from './ascii.ts'
import { cseqMatches } from './cseq.ts'
import { readHeaders } from './header-lines.ts'
import { classifyOther } from './keep-alive.ts'
import { Defect, type Message, Scan } from './message.ts'
import { readStartLine } from './start-line.ts'

const { CLASS, CR, LF, TOKEN } = ascii

/** Fills `message` from the datagram [start, end) of `bytes`; says what it is. */
export function scan(message: Message, bytes: Uint8Array, start: number, end: number): Scan {
  message.reset(bytes, start, end)
  let at = start
  while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++
  if (at === end || (CLASS[bytes[at]!]! & TOKEN) === 0) return classifyOther(bytes, start, end)
  message.start = at
  const headers = readStartLine(message)
  if (headers < 0) return classifyOther(bytes, start, end)
  message.headersStart = headers
  message.bodyStart = readHeaders(message, headers)
  setEnd(message)
  return conclude(message)
}

/** Cuts the message where its Content-Length says. */
function setEnd(message: Message): void {
  if (message.contentLength < 0 || message.bodyStart < 0) return
  const end = message.bodyStart + message.contentLength
  if (end > message.end) message.spoil(Defect.contentLength)
  else message.end = end
}

function conclude(message: Message): Scan {
  const hasAll =
    message.viaCount > 0 &&
    message.fromStart >= 0 &&
    message.toStart >= 0 &&
    message.callIdStart >= 0 &&
    message.cseqStart >= 0
  if (!hasAll) message.spoil(Defect.missingHeader)
  else if (message.isRequest && !cseqMatches(message)) message.spoil(Defect.cseqMethod)
  if (message.defect === SOUND) return message.isRequest ? REQUEST : RESPONSE
  const canAnswer = hasAll && message.isRequest && message.via.valueStart >= 0
  return canAnswer && message.defect !== Defect.tooManyVias ? Scan.badRequest : Scan.malformed
}

const SOUND = Defect.none
const REQUEST = Scan.request
const RESPONSE = Scan.response
