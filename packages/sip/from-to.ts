/**
 * From and To: the tag of both, and of a REGISTER the URI of To, which is its key (RFC 3261 §20.20, §20.39).
 * Display names are stepped over. Invariant: a tag stands at most once and is not empty, else the value is malformed.
 */
import * as ascii from './ascii.ts'
import { type Cursor, Defect, type Message, Method } from './message.ts'
import { readAddress, readParam, skipAddress } from './name-addr.ts'

const { SEMICOLON } = ascii

/** Reads the From value in [start, end). */
export function readFrom(message: Message, start: number, end: number): void {
  const { cursor, bytes } = message
  if (message.fromStart >= 0) return message.spoil(Defect.duplicateHeader)
  message.fromStart = start
  message.fromEnd = end
  if (!readTag(cursor, bytes, skipAddress(bytes, start, end), end)) message.spoil(Defect.from)
  message.fromTagStart = cursor.tagStart
  message.fromTagEnd = cursor.tagEnd
}

/** Reads the To value in [start, end). */
export function readTo(message: Message, start: number, end: number): void {
  const { cursor, bytes } = message
  if (message.toStart >= 0) return message.spoil(Defect.duplicateHeader)
  message.toStart = start
  message.toEnd = end
  const after =
    message.method === REGISTER
      ? readAddress(message.toUri, bytes, start, end)
      : skipAddress(bytes, start, end)
  if (!readTag(cursor, bytes, after, end)) message.spoil(Defect.to)
  message.toTagStart = cursor.tagStart
  message.toTagEnd = cursor.tagEnd
}

/** Reads the parameters from `start` to `end`, leaving the tag in the cursor; false if anything else follows. */
function readTag(cursor: Cursor, bytes: Uint8Array, start: number, end: number): boolean {
  cursor.tagStart = -1
  cursor.tagEnd = -1
  let at = start
  while (at >= 0 && at < end && bytes[at] === SEMICOLON) {
    at = readParam(cursor, bytes, at, end)
    if (at < 0 || !isTag(bytes, cursor.nameStart, cursor.nameEnd)) continue
    if (cursor.tagStart >= 0 || cursor.valueStart < 0) return false
    cursor.tagStart = cursor.valueStart
    cursor.tagEnd = cursor.valueEnd
  }
  return at === end
}

function isTag(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start === 3 &&
    (bytes[start]! | 32) === T &&
    (bytes[start + 1]! | 32) === A &&
    (bytes[start + 2]! | 32) === G
  )
}

const REGISTER = Method.register
const A = 0x61
const G = 0x67
const T = 0x74
