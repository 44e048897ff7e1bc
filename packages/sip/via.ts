/**
 * The topmost Via value in depth (RFC 3261 §20.42, RFC 3581); all others only counted.
 *
 *     SIP / 2.0 / UDP  [2001:db8::1] : 5060 ; branch = z9hG4bK1 ;rport;received=192.0.2.1
 *
 * Invariant: branch, rport, received and our own parameter stand at most once, else the value is malformed: proxies
 * behind us read the same bytes and may take the other one.
 */
import * as ascii from './ascii.ts'
import { type Cursor, Defect, type Message, VIA_LINES_MAX, type ViaView } from './message.ts'
import { readParam } from './name-addr.ts'
import { NameTable } from './name-table.ts'
import { digitsEnd, hostEnd, portOf } from './uri.ts'
import { VIA_FLOW_PARAM } from './via-flow.ts'
import { skipQuoted, skipSpace } from './skip.ts'

const { CLASS, COLON, COMMA, lowerWord, QUOTE, SEMICOLON, SLASH, SPACE, TOKEN } = ascii

/** Reads the values in [start, end) of the message's current line. */
export function readVias(message: Message, start: number, end: number): void {
  const { cursor, via } = message
  const line = message.viaLineCount
  if (line === VIA_LINES_MAX) return message.spoil(Defect.tooManyVias)
  message.viaLines[2 * line] = cursor.lineStart
  message.viaLines[2 * line + 1] = cursor.lineEnd
  message.viaLineCount = line + 1
  let after = start
  if (line === 0) {
    via.lineStart = cursor.lineStart
    via.lineEnd = cursor.lineEnd
    after = readTopVia(message, start, end)
    if (after < 0) return message.spoil(Defect.via)
    via.valueStart = start
  }
  message.viaCount += countValues(message.bytes, after, end)
}

/** Reads the value that begins at `start`; the offset of the ',' after it, or `end`; -1 if it is malformed. */
function readTopVia(message: Message, start: number, end: number): number {
  const { bytes, view, via, cursor } = message
  let at = readSentBy(via, bytes, readTransport(message, start, end), end)
  if (at < 0) return -1
  via.valueEnd = at
  if (at < end && bytes[at]! <= SPACE) at = skipSpace(bytes, at, end)
  while (at < end && bytes[at] === SEMICOLON) {
    at = readParam(cursor, bytes, at, end)
    if (at < 0 || !takeParam(via, cursor, view)) return -1
    via.valueEnd = cursor.paramEnd
  }
  if (at === end) return end
  via.hasMore = bytes[at] === COMMA && isToken(bytes, skipSpace(bytes, at + 1, end), end)
  return via.hasMore ? at : -1
}

/** sent-protocol; the offset after it, or -1. Name and version may be any: a 505 needs its Via too. */
function readTransport(message: Message, start: number, end: number): number {
  const { bytes, view, via } = message
  let at = start + 8
  const isUsual =
    at < end && lowerWord(view, start) === SIP_SLASH && lowerWord(view, start + 4) === VERSION_SLASH
  if (!isUsual || !isToken(bytes, at, end)) {
    at = afterSlash(bytes, afterSlash(bytes, start, end), end)
    if (at < 0) return -1
  }
  via.transportStart = at
  while (isToken(bytes, at, end)) at++
  via.transportEnd = at
  return at > via.transportStart ? at : -1
}

/** White space, host [ ":" port ]; the offset after it, or -1. */
function readSentBy(via: ViaView, bytes: Uint8Array, start: number, end: number): number {
  if (start < 0 || start >= end || bytes[start]! > SPACE) return -1
  let at = start + 1
  if (at < end && bytes[at]! <= SPACE) at = skipSpace(bytes, at, end)
  via.hostStart = at
  at = hostEnd(bytes, at, end)
  via.hostEnd = at
  if (at === via.hostStart) return -1
  if (at < end && bytes[at]! <= SPACE) at = skipSpace(bytes, at, end)
  if (at >= end || bytes[at] !== COLON) return via.hostEnd
  at++
  if (at < end && bytes[at]! <= SPACE) at = skipSpace(bytes, at, end)
  const portEnd = digitsEnd(bytes, at, end)
  via.port = portOf(bytes, at, portEnd)
  return via.port < 0 ? -1 : portEnd
}

/** Notes the parameter in the cursor if it is one of ours to know; false if it stands there twice or has no value. */
function takeParam(via: ViaView, cursor: Cursor, view: DataView): boolean {
  switch (PARAMS.find(view, cursor.nameStart, cursor.nameEnd)) {
    case BRANCH:
      if (via.branchStart >= 0 || cursor.valueStart < 0) return false
      via.branchStart = cursor.valueStart
      via.branchEnd = cursor.valueEnd
      return true
    case RPORT:
      if (via.rportStart >= 0) return false
      via.rportStart = cursor.paramStart
      via.rportEnd = cursor.paramEnd
      via.rportHasValue = cursor.valueStart >= 0
      return true
    case RECEIVED:
      if (via.receivedStart >= 0) return false
      via.receivedStart = cursor.paramStart
      via.receivedEnd = cursor.paramEnd
      return true
    case FLOW:
      if (via.flowStart >= 0 || cursor.valueStart < 0) return false
      via.flowStart = cursor.valueStart
      via.flowEnd = cursor.valueEnd
      return true
    default:
      return true
  }
}

/** Values in [start, end), which begins at a value or at the ',' after one; commas inside quotes don't count. */
function countValues(bytes: Uint8Array, start: number, end: number): number {
  let count = 1
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte === COMMA) count++
    else if (byte === QUOTE) {
      i = skipQuoted(bytes, i, end) - 1
      if (i < 0) return count
    }
  }
  return count
}

/** Offset of what follows a token, its '/' and the white space around that; -1 without them. */
function afterSlash(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (isToken(bytes, at, end)) at++
  const slash = skipSpace(bytes, at, end)
  if (at === start || slash >= end || bytes[slash] !== SLASH) return -1
  return skipSpace(bytes, slash + 1, end)
}

function isToken(bytes: Uint8Array, at: number, end: number): boolean {
  return at >= 0 && at < end && (CLASS[bytes[at]!]! & TOKEN) !== 0
}

const SIP_SLASH = ascii.wordOf('sip/')
const VERSION_SLASH = ascii.wordOf('2.0/')
const BRANCH = 1
const RPORT = 2
const RECEIVED = 3
const FLOW = 4
const PARAMS = new NameTable(
  [
    ['branch', BRANCH],
    ['rport', RPORT],
    ['received', RECEIVED],
    [VIA_FLOW_PARAM, FLOW],
  ],
  'any case',
)
