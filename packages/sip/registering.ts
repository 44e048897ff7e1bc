/**
 * What only a REGISTER is asked: whether Supported lists `path` and `outbound` (RFC 3327 §5.1, RFC 5626 §4.2.1), and
 * whether a Contact has a reg-id. Answered leniently: what is malformed there is the registrar's to judge.
 */
import * as ascii from './ascii.ts'
import { type Message, Method } from './message.ts'
import { readParam, skipAddress } from './name-addr.ts'
import { skipSpace } from './skip.ts'

const { COMMA, SEMICOLON, SPACE, sameIgnoringCase } = ascii

const PATH = ascii.ascii('path')
const OUTBOUND = ascii.ascii('outbound')
const REG_ID = ascii.ascii('reg-id')

/** Notes `path` and `outbound` if they are in the list [start, end). */
export function readSupported(message: Message, start: number, end: number): void {
  if (message.method !== Method.register) return
  const bytes = message.bytes
  let at = start
  while (at < end) {
    const tag = skipSpace(bytes, at, end)
    at = tag
    while (at < end && bytes[at] !== COMMA && bytes[at]! > SPACE) at++
    if (sameIgnoringCase(bytes, tag, at, PATH)) message.supportedPath = true
    else if (sameIgnoringCase(bytes, tag, at, OUTBOUND)) message.supportsOutbound = true
    while (at < end && bytes[at] !== COMMA) at++
    at++
  }
}

/** Notes a reg-id parameter on any of the Contact values in [start, end). */
export function readContact(message: Message, start: number, end: number): void {
  if (message.method !== Method.register) return
  const { bytes, cursor } = message
  let at = start
  while (at < end) {
    at = skipAddress(bytes, at, end)
    while (at >= 0 && at < end && bytes[at] === SEMICOLON) {
      at = readParam(cursor, bytes, at, end)
      if (at >= 0 && sameIgnoringCase(bytes, cursor.nameStart, cursor.nameEnd, REG_ID)) {
        message.contactHasRegId = true
      }
    }
    if (at < 0) return
    at = skipSpace(bytes, at + 1, end)
  }
}
