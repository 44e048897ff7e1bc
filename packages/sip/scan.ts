/**
 * Datagram to offsets, in one walk over its lines: what a SIP balancer needs to know, and nothing else. Not a
 * validator: headers that are not read here pass as they are.
 *
 * Decisions where readers of SIP differ (proxies behind us read the same bytes, so doubt means malformed):
 * - Lines end in CRLF or a bare LF; a CR without LF, or any other control character than TAB, is malformed.
 * - Line ends in front of the start line are skipped (RFC 3261 §7.5).
 * - Via, From, To, Call-ID and CSeq must be there; those but Via, and Max-Forwards and Content-Length, only once.
 * - Content-Length beyond the datagram is malformed; bytes beyond Content-Length are cut off; without Content-Length
 *   the rest of the datagram is the body (RFC 3261 §18.3).
 * - The empty line must be there, even without a body.
 *
 * Invariants: no allocation, no exception, every offset inside [start, end), time linear in the datagram's length.
 */
import {
  CLASS,
  COLON,
  CR,
  decimal,
  LF,
  SPACE,
  skipName,
  skipSpace,
  skipText,
  TAB,
  TOKEN,
  trimSpace,
} from './ascii.ts'
import { cseqMatches, parseCseq } from './cseq.ts'
import { parseFrom, parseTo } from './from-to.ts'
import { Header, headerOf } from './header-name.ts'
import { classifyOther } from './keep-alive.ts'
import { Defect, type Message, Method, Scan, VIA_LINES_MAX } from './message.ts'
import { readContact, readSupported } from './option-tags.ts'
import { parseRoutes } from './route.ts'
import { parseStartLine } from './start-line.ts'
import { countValues, parseVia } from './via.ts'

const MAX_FORWARDS_MAX = 255
/** Larger numbers in Max-Forwards are none that anybody counts down from. */
const MAX_FORWARDS_READ_MAX = 2 ** 31 - 1
/** More than any UDP datagram. */
const CONTENT_LENGTH_READ_MAX = 2 ** 31 - 1

/** Fills `message` from the datagram [start, end) of `bytes`; says what it is. */
export function scan(message: Message, bytes: Uint8Array, start: number, end: number): Scan {
  message.reset(bytes, start, end)
  let at = start
  while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++
  if (at === end || (CLASS[bytes[at]!]! & TOKEN) === 0) return classifyOther(bytes, start, end)
  message.start = at
  const headers = parseStartLine(message)
  if (headers < 0) return classifyOther(bytes, start, end)
  message.headersStart = headers
  readHeaders(message, headers)
  setEnd(message)
  return conclude(message)
}

function readHeaders(message: Message, start: number): void {
  const { bytes, end } = message
  let at = start
  while (at < end) {
    const byte = bytes[at]!
    if (byte === LF || (byte === CR && at + 1 < end && bytes[at + 1] === LF)) {
      message.bodyStart = byte === LF ? at + 1 : at + 2
      return
    }
    at = readLine(message, at)
  }
  flaw(message, Defect.headersOpen)
}

/** Reads the header line at `line`, folds included (RFC 3261 §7.3.1); the offset after it. */
function readLine(message: Message, line: number): number {
  const { bytes, view, end } = message
  let at = skipName(view, line, end)
  const nameEnd = at
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++
  const lineEnd = endOfLine(message, at)
  if (nameEnd === line || at >= end || bytes[at] !== COLON) {
    flaw(message, Defect.headerLine)
    return lineEnd
  }
  const header = headerOf(message, line, nameEnd)
  if (header !== Header.other) {
    const start = skipSpace(bytes, at + 1, lineEnd)
    readHeader(message, header, line, start, lineEnd)
  }
  return lineEnd
}

/** Offset after the line end that no fold follows, or the end of the datagram. */
function endOfLine(message: Message, start: number): number {
  const { bytes, view, end } = message
  for (let i = start; i < end; i++) {
    i = skipText(view, i, end)
    if (i === end) return end
    const byte = bytes[i]!
    const next = i + 1 < end ? bytes[i + 1]! : LF
    if (byte === LF) {
      if (next !== SPACE && next !== TAB) return i + 1
    } else if (byte !== TAB && (byte !== CR || next !== LF)) flaw(message, Defect.controlCharacter)
  }
  return end
}

function readHeader(
  message: Message,
  header: Header,
  line: number,
  start: number,
  lineEnd: number,
): void {
  const bytes = message.bytes
  const end = trimSpace(bytes, start, lineEnd)
  switch (header) {
    case Header.via:
      return readVia(message, line, start, end, lineEnd)
    case Header.from:
      if (message.fromStart >= 0) return flaw(message, Defect.duplicateHeader)
      return parseFrom(message, start, end) ? undefined : flaw(message, Defect.from)
    case Header.to:
      if (message.toStart >= 0) return flaw(message, Defect.duplicateHeader)
      return parseTo(message, start, end) ? undefined : flaw(message, Defect.to)
    case Header.callId:
      return readCallId(message, start, end)
    case Header.cseq:
      if (message.cseqStart >= 0) return flaw(message, Defect.duplicateHeader)
      return parseCseq(message, start, end) ? undefined : flaw(message, Defect.cseq)
    case Header.maxForwards:
      return readMaxForwards(message, start, end)
    case Header.route:
      return flaw(message, parseRoutes(message, line, start, end, lineEnd))
    case Header.contact:
      return message.method === Method.register ? readContact(message, start, end) : undefined
    case Header.supported:
      return readSupported(message, start, end)
    case Header.contentLength:
      return readContentLength(message, start, end)
    case Header.userAgent:
      if (message.userAgentStart >= 0) return
      message.userAgentStart = start
      message.userAgentEnd = end
      return
    case Header.proxyRequire:
      if (message.proxyRequireStart >= 0 || start === end) return
      message.proxyRequireStart = start
      message.proxyRequireEnd = end
      return
    case Header.other:
  }
}

function readVia(
  message: Message,
  line: number,
  start: number,
  end: number,
  lineEnd: number,
): void {
  const { bytes, via } = message
  if (message.viaLineCount === VIA_LINES_MAX) return flaw(message, Defect.tooManyVias)
  message.viaLines[2 * message.viaLineCount] = line
  message.viaLines[2 * message.viaLineCount + 1] = lineEnd
  message.viaLineCount++
  let after = start
  if (message.viaLineCount === 1) {
    via.lineStart = line
    via.lineEnd = lineEnd
    after = parseVia(via, message.cursor, bytes, start, end)
    if (after < 0) {
      via.valueStart = via.valueEnd = -1
      return flaw(message, Defect.via)
    }
  }
  message.viaCount += countValues(bytes, after, end)
}

/** Any bytes without white space: stricter would refuse what phones send, laxer would let two readers differ. */
function readCallId(message: Message, start: number, end: number): void {
  if (message.callIdStart >= 0) return flaw(message, Defect.duplicateHeader)
  message.callIdStart = start
  message.callIdEnd = end
  for (let i = start; i < end; i++) {
    if (message.bytes[i]! <= SPACE) return flaw(message, Defect.callId)
  }
  if (start === end) flaw(message, Defect.callId)
}

function readMaxForwards(message: Message, start: number, end: number): void {
  if (message.maxForwardsStart >= 0) return flaw(message, Defect.duplicateHeader)
  message.maxForwardsStart = start
  message.maxForwardsEnd = end
  const value = decimal(message.bytes, start, end, MAX_FORWARDS_READ_MAX)
  if (value < 0) return flaw(message, Defect.maxForwards)
  message.maxForwards = value < MAX_FORWARDS_MAX ? value : MAX_FORWARDS_MAX
}

function readContentLength(message: Message, start: number, end: number): void {
  if (message.contentLength >= 0) return flaw(message, Defect.duplicateHeader)
  const value = decimal(message.bytes, start, end, CONTENT_LENGTH_READ_MAX)
  if (value < 0) return flaw(message, Defect.contentLength)
  message.contentLength = value
}

/** Cuts the message where its Content-Length says. */
function setEnd(message: Message): void {
  if (message.contentLength < 0 || message.bodyStart < 0) return
  if (message.contentLength > message.end - message.bodyStart) {
    return flaw(message, Defect.contentLength)
  }
  message.end = message.bodyStart + message.contentLength
}

function conclude(message: Message): Scan {
  const hasAll =
    message.viaCount > 0 &&
    message.fromStart >= 0 &&
    message.toStart >= 0 &&
    message.callIdStart >= 0 &&
    message.cseqStart >= 0
  if (!hasAll) flaw(message, Defect.missingHeader)
  else if (message.isRequest && !cseqMatches(message)) flaw(message, Defect.cseqMethod)
  if (message.defect === Defect.none) return message.isRequest ? Scan.request : Scan.response
  const canAnswer =
    hasAll &&
    message.isRequest &&
    message.via.valueStart >= 0 &&
    message.defect !== Defect.tooManyVias
  return canAnswer ? Scan.badRequest : Scan.malformed
}

/** Notes what is wrong; the first finding stands. */
function flaw(message: Message, defect: Defect): void {
  if (message.defect === Defect.none) message.defect = defect
}
