/**
 * Two questions to headers that are otherwise none of a balancer's business: which of the option tags that matter
 * stand in Supported (RFC 3261 §20.37), and whether a Contact registers with reg-id (RFC 5626 §4.2.1). Both are
 * answered leniently: what is malformed there is the registrar's to judge.
 */
import { ascii, COMMA, SEMICOLON, sameIgnoringCase, skipSpace, trimSpace } from './ascii.ts'
import type { Message } from './message.ts'
import { readAddress, readParam } from './name-addr.ts'

const PATH = ascii('path')
const OUTBOUND = ascii('outbound')
const REG_ID = ascii('reg-id')

/** Notes `path` and `outbound` if they are in the list [start, end). */
export function readSupported(message: Message, start: number, end: number): void {
  const bytes = message.bytes
  let at = start
  while (at < end) {
    let comma = at
    while (comma < end && bytes[comma] !== COMMA) comma++
    const from = skipSpace(bytes, at, comma)
    const to = trimSpace(bytes, from, comma)
    if (sameIgnoringCase(bytes, from, to, PATH)) message.supportedPath = true
    else if (sameIgnoringCase(bytes, from, to, OUTBOUND)) message.supportsOutbound = true
    at = comma + 1
  }
}

/** Notes a reg-id parameter on any of the Contact values in [start, end). */
export function readContact(message: Message, start: number, end: number): void {
  const { bytes, cursor } = message
  let at = start
  while (at < end) {
    at = readAddress(cursor, bytes, at, end)
    while (at >= 0 && at < end && bytes[at] === SEMICOLON) {
      at = readParam(cursor, bytes, at, end)
      if (at < 0) return
      if (sameIgnoringCase(bytes, cursor.nameStart, cursor.nameEnd, REG_ID)) {
        message.contactHasRegId = true
      }
    }
    if (at < 0) return
    at = skipSpace(bytes, at + 1, end)
  }
}
