/** The Retry-After header of a response (RFC 3261 §20.33), which `scan` has no use for. */

import { ascii, type Message, sameIgnoringCase } from '@sipcast/sip'

const RETRY_AFTER = ascii('retry-after')
const LF = 10
const COLON = 58
const SPACE = 32
const TAB = 9
const ZERO = 48
const SECONDS_DIGITS_MAX = 9

/** Its seconds; comment and parameters are ignored. Null if there is none or no number. */
export function retryAfterSeconds(message: Message): number | null {
  const { bytes, headersStart, bodyStart } = message
  let line = headersStart
  while (line < bodyStart) {
    const next = bytes.indexOf(LF, line) + 1
    const end = next === 0 || next > bodyStart ? bodyStart : next
    const colon = bytes.indexOf(COLON, line)
    if (colon >= 0 && colon < end && isRetryAfter(bytes, line, colon)) {
      return readSeconds(bytes, colon + 1, end)
    }
    line = end
  }
  return null
}

function isRetryAfter(bytes: Uint8Array, start: number, colon: number): boolean {
  let end = colon
  while (end > start && isSpace(bytes[end - 1]!)) end--
  return sameIgnoringCase(bytes, start, end, RETRY_AFTER)
}

function readSeconds(bytes: Uint8Array, start: number, end: number): number | null {
  let at = start
  while (at < end && isSpace(bytes[at]!)) at++
  let seconds = 0
  const first = at
  for (; at < end && at - first < SECONDS_DIGITS_MAX; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 9) break
    seconds = seconds * 10 + digit
  }
  return at === first ? null : seconds
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB
}
