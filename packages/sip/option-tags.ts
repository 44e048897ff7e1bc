/**
 * Two questions to headers that are otherwise none of a balancer's business: which of the option tags that matter
 * stand in Supported (RFC 3261 §20.37), and whether a Contact registers with reg-id (RFC 5626 §4.2.1). Both are
 * answered leniently: what is malformed there is the registrar's to judge.
 */
import { ascii, CLASS, COMMA, SEMICOLON, sameIgnoringCase, skipSpace, TOKEN } from './ascii.ts'
import type { Message } from './message.ts'
import { readParam, skipAddress } from './name-addr.ts'

const PATH = ascii('path')
const OUTBOUND = ascii('outbound')
const REG_ID = ascii('reg-id')

/** Notes `path` and `outbound` if they are in the list [start, end). */
export function readSupported(message: Message, start: number, end: number): void {
  const bytes = message.bytes
  let at = start
  while (at < end) {
    const tag = skipSpace(bytes, at, end)
    let tagEnd = tag
    while (tagEnd < end && (CLASS[bytes[tagEnd]!]! & TOKEN) !== 0) tagEnd++
    if (sameIgnoringCase(bytes, tag, tagEnd, PATH)) message.supportedPath = true
    else if (sameIgnoringCase(bytes, tag, tagEnd, OUTBOUND)) message.supportsOutbound = true
    at = skipSpace(bytes, tagEnd, end)
    if (at < end && bytes[at] !== COMMA) return
    at++
  }
}

/** Notes a reg-id parameter on any of the Contact values in [start, end). */
export function readContact(message: Message, start: number, end: number): void {
  const { bytes, cursor } = message
  let at = start
  while (at < end) {
    at = skipAddress(bytes, at, end)
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
