/**
 * From and To: the tag of both, the URI of To (RFC 3261 §20.20, §20.39). Display names are stepped over.
 * Invariant: a tag stands at most once and is not empty, else the value is malformed.
 */
import { ascii, SEMICOLON, sameIgnoringCase } from './ascii.ts'
import type { Cursor, Message } from './message.ts'
import { readAddress, readParam, skipAddress } from './name-addr.ts'

const TAG = ascii('tag')

/** Reads the From value in [start, end); false if it is malformed. */
export function parseFrom(message: Message, start: number, end: number): boolean {
  const { cursor, bytes } = message
  message.fromStart = start
  message.fromEnd = end
  const after = skipAddress(bytes, start, end)
  if (!readTag(cursor, bytes, after, end)) return false
  message.fromTagStart = cursor.tagStart
  message.fromTagEnd = cursor.tagEnd
  return true
}

/** Reads the To value in [start, end); false if it is malformed. */
export function parseTo(message: Message, start: number, end: number): boolean {
  const { cursor, bytes } = message
  message.toStart = start
  message.toEnd = end
  const after = readAddress(message.toUri, bytes, start, end)
  if (!readTag(cursor, bytes, after, end)) return false
  message.toTagStart = cursor.tagStart
  message.toTagEnd = cursor.tagEnd
  return true
}

/** Reads the parameters from `at` to `end`, leaving the tag in the cursor; false if anything else follows. */
function readTag(cursor: Cursor, bytes: Uint8Array, at: number, end: number): boolean {
  cursor.tagStart = -1
  cursor.tagEnd = -1
  while (at >= 0 && at < end && bytes[at] === SEMICOLON) {
    at = readParam(cursor, bytes, at, end)
    if (at < 0 || !sameIgnoringCase(bytes, cursor.nameStart, cursor.nameEnd, TAG)) continue
    if (cursor.tagStart >= 0 || cursor.valueStart < 0) return false
    cursor.tagStart = cursor.valueStart
    cursor.tagEnd = cursor.valueEnd
  }
  return at === end
}
