/**
 * The header section line by line (RFC 3261 §7.3.1): finds each line's end, folds included, and hands the values of
 * those headers that matter to the file that reads them. Not here: any header's own grammar.
 * Invariant: a value never reaches beyond its line, so no reader can run into the next one.
 */
import * as ascii from './ascii.ts'
import { readCseq } from './cseq.ts'
import { readFrom, readTo } from './from-to.ts'
import { Header, headerOf } from './header-name.ts'
import { Defect, type Message } from './message.ts'
import {
  readCallId,
  readContentLength,
  readMaxForwards,
  readProxyRequire,
  readUserAgent,
} from './plain-values.ts'
import { readContact, readSupported } from './registering.ts'
import { readRoutes } from './route.ts'
import { readVias } from './via.ts'
import { skipName, skipText } from './skip.ts'

const { BACKSLASH, COLON, CR, LF, SPACE, TAB } = ascii

/** Reads the lines from `start` on; the offset after the empty line, or -1 if there is none. */
export function readHeaders(message: Message, start: number): number {
  const { bytes, end } = message
  let at = start
  while (at < end) {
    const byte = bytes[at]!
    if (byte === LF) return at + 1
    if (byte === CR && at + 1 < end && bytes[at + 1] === LF) return at + 2
    at = readLine(message, at)
  }
  message.spoil(Defect.headersOpen)
  return -1
}

/** Reads the header line at `line`; the offset after it. */
function readLine(message: Message, line: number): number {
  const { bytes, view, end } = message
  const nameEnd = skipName(view, line, end)
  let colon = nameEnd
  while (colon < end && (bytes[colon] === SPACE || bytes[colon] === TAB)) colon++
  const lineEnd = endOfLine(message, colon)
  if (nameEnd === line || colon >= end || bytes[colon] !== COLON) {
    message.spoil(Defect.headerLine)
    return lineEnd
  }
  const header = headerOf(view, line, nameEnd)
  if (header === OTHER) return lineEnd
  let valueStart = colon + 1
  while (valueStart < lineEnd && bytes[valueStart]! <= SPACE) valueStart++
  let valueEnd = lineEnd
  while (valueEnd > valueStart && bytes[valueEnd - 1]! <= SPACE) valueEnd--
  if (header === VIA || header === ROUTE) {
    message.cursor.lineStart = line
    message.cursor.lineEnd = lineEnd
  }
  readValue(message, header, valueStart, valueEnd)
  return lineEnd
}

/** Offset after the line end that no fold follows, or the end of the datagram. */
function endOfLine(message: Message, start: number): number {
  const { bytes, view, end } = message
  let at = start
  while (at < end) {
    at = skipText(view, at, end)
    if (at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) at += 2
    else if (at < end && bytes[at] === LF) at++
    else {
      at = skipControl(message, at)
      continue
    }
    if (at < end && bytes[at] !== SPACE && bytes[at] !== TAB) return at
  }
  return end
}

/** Steps over a control character: a TAB, one behind a backslash (quoted-pair, §25.1), or one that must not be. */
function skipControl(message: Message, at: number): number {
  const { bytes, end } = message
  if (at >= end) return end
  const isQuoted = bytes[at - 1] === BACKSLASH && bytes[at] !== CR
  if (bytes[at] !== TAB && !isQuoted) message.spoil(Defect.controlCharacter)
  return at + 1
}

function readValue(message: Message, header: Header, start: number, end: number): void {
  switch (header) {
    case VIA:
      return readVias(message, start, end)
    case ROUTE:
      return readRoutes(message, start, end)
    case FROM:
      return readFrom(message, start, end)
    case TO:
      return readTo(message, start, end)
    case CALL_ID:
      return readCallId(message, start, end)
    case CSEQ:
      return readCseq(message, start, end)
    case MAX_FORWARDS:
      return readMaxForwards(message, start, end)
    case CONTENT_LENGTH:
      return readContentLength(message, start, end)
    case CONTACT:
      return readContact(message, start, end)
    case SUPPORTED:
      return readSupported(message, start, end)
    case USER_AGENT:
      return readUserAgent(message, start, end)
    case PROXY_REQUIRE:
      return readProxyRequire(message, start, end)
    case OTHER:
  }
}

const OTHER = Header.other
const VIA = Header.via
const FROM = Header.from
const TO = Header.to
const CALL_ID = Header.callId
const CSEQ = Header.cseq
const MAX_FORWARDS = Header.maxForwards
const ROUTE = Header.route
const CONTACT = Header.contact
const SUPPORTED = Header.supported
const CONTENT_LENGTH = Header.contentLength
const USER_AGENT = Header.userAgent
const PROXY_REQUIRE = Header.proxyRequire
