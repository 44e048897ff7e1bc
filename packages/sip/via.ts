/**
 * The topmost Via value in depth (RFC 3261 §20.42, RFC 3581); all others only counted.
 *
 *     SIP / 2.0 / UDP  [2001:db8::1] : 5060 ; branch = z9hG4bK1 ;rport;received=192.0.2.1
 *
 * Invariant: branch, rport, received and our own parameter stand at most once, else the value is malformed: proxies
 * behind us read the same bytes and may take the other one.
 */
import {
  ascii,
  CLASS,
  COLON,
  COMMA,
  QUOTE,
  SEMICOLON,
  SLASH,
  SPACE,
  sameIgnoringCase,
  skipQuoted,
  skipSpace,
  TOKEN,
} from './ascii.ts'
import type { Cursor, ViaView } from './message.ts'
import { readParam } from './name-addr.ts'
import { digitsEnd, hostEnd, portOf } from './uri.ts'
import { VIA_FLOW_PARAM } from './via-flow.ts'

const BRANCH = ascii('branch')
const RPORT = ascii('rport')
const RECEIVED = ascii('received')
const FLOW = ascii(VIA_FLOW_PARAM)

/** Reads the Via value that begins at `start`; returns the offset of the ',' after it, or `end`; -1 if malformed. */
export function parseVia(
  via: ViaView,
  cursor: Cursor,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let at = readSentBy(via, bytes, readProtocol(via, bytes, start, end), end)
  if (at < 0) return -1
  via.valueStart = start
  via.valueEnd = at
  at = skipSpace(bytes, at, end)
  while (at < end && bytes[at] === SEMICOLON) {
    at = readParam(cursor, bytes, at, end)
    if (at < 0 || !takeParam(via, cursor, bytes)) return -1
    via.valueEnd = cursor.paramEnd
  }
  via.hasMore = at < end
  return at === end || bytes[at] === COMMA ? at : -1
}

/** Number of values in [start, end), commas inside quotes not counted. */
export function countValues(bytes: Uint8Array, start: number, end: number): number {
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

/** sent-protocol; the offset after the transport, or -1. Name and version may be any: a 505 needs its Via too. */
function readProtocol(via: ViaView, bytes: Uint8Array, start: number, end: number): number {
  const name = slashAfterToken(bytes, start, end)
  if (name < 0) return -1
  const version = slashAfterToken(bytes, name, end)
  if (version < 0) return -1
  const after = tokenEnd(bytes, version, end)
  if (after === version) return -1
  via.transportStart = version
  via.transportEnd = after
  return after
}

/** sent-by, which white space must set apart from the transport; the offset after it, or -1. */
function readSentBy(via: ViaView, bytes: Uint8Array, at: number, end: number): number {
  if (at < 0 || at >= end || bytes[at]! > SPACE) return -1
  const host = skipSpace(bytes, at, end)
  const after = hostEnd(bytes, host, end)
  if (after === host) return -1
  via.hostStart = host
  via.hostEnd = after
  const colon = skipSpace(bytes, after, end)
  if (colon >= end || bytes[colon] !== COLON) return after
  const port = skipSpace(bytes, colon + 1, end)
  const portEnd = digitsEnd(bytes, port, end)
  via.port = portOf(bytes, port, portEnd)
  return via.port < 0 ? -1 : portEnd
}

/** Notes the parameter in the cursor if it is one of ours to know; false if it stands there twice or has no value. */
function takeParam(via: ViaView, cursor: Cursor, bytes: Uint8Array): boolean {
  const start = cursor.nameStart
  const end = cursor.nameEnd
  switch (end - start) {
    case BRANCH.length:
      if (!sameIgnoringCase(bytes, start, end, BRANCH)) return true
      if (via.branchStart >= 0 || cursor.valueStart < 0) return false
      via.branchStart = cursor.valueStart
      via.branchEnd = cursor.valueEnd
      return true
    case RPORT.length:
      if (!sameIgnoringCase(bytes, start, end, RPORT)) return true
      if (via.rportStart >= 0) return false
      via.rportStart = cursor.paramStart
      via.rportEnd = cursor.paramEnd
      via.rportHasValue = cursor.valueStart >= 0
      return true
    case RECEIVED.length:
      if (!sameIgnoringCase(bytes, start, end, RECEIVED)) return true
      if (via.receivedStart >= 0) return false
      via.receivedStart = cursor.paramStart
      via.receivedEnd = cursor.paramEnd
      return true
    case FLOW.length:
      if (!sameIgnoringCase(bytes, start, end, FLOW)) return true
      if (via.flowStart >= 0 || cursor.valueStart < 0) return false
      via.flowStart = cursor.valueStart
      via.flowEnd = cursor.valueEnd
      return true
    default:
      return true
  }
}

/** Offset of what follows a token, its '/' and the white space around that; -1 without them. */
function slashAfterToken(bytes: Uint8Array, start: number, end: number): number {
  const after = tokenEnd(bytes, start, end)
  const slash = skipSpace(bytes, after, end)
  if (after === start || slash >= end || bytes[slash] !== SLASH) return -1
  return skipSpace(bytes, slash + 1, end)
}

function tokenEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  while (i < end && (CLASS[bytes[i]!]! & TOKEN) !== 0) i++
  return i
}
