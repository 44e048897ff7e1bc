/**
 * Which header a line holds, among those that a balancer reads; compact forms included (RFC 3261 §7.3.3), any case.
 * All others are `other` and skipped. The length decides which names are compared at all.
 */
import { ascii, lower, sameIgnoringCase } from './ascii.ts'

export const Header = {
  other: 0,
  via: 1,
  from: 2,
  to: 3,
  callId: 4,
  cseq: 5,
  maxForwards: 6,
  route: 7,
  contact: 8,
  supported: 9,
  contentLength: 10,
  userAgent: 11,
  proxyRequire: 12,
} as const
export type Header = (typeof Header)[keyof typeof Header]

const TO = ascii('to')
const VIA = ascii('via')
const FROM = ascii('from')
const CSEQ = ascii('cseq')
const ROUTE = ascii('route')
const CALL_ID = ascii('call-id')
const CONTACT = ascii('contact')
const SUPPORTED = ascii('supported')
const USER_AGENT = ascii('user-agent')
const MAX_FORWARDS = ascii('max-forwards')
const PROXY_REQUIRE = ascii('proxy-require')
const CONTENT_LENGTH = ascii('content-length')

/** The header named in [start, end). */
export function headerOf(bytes: Uint8Array, start: number, end: number): Header {
  switch (end - start) {
    case 1:
      return compact(lower(bytes[start]!))
    case 2:
      return sameIgnoringCase(bytes, start, end, TO) ? Header.to : Header.other
    case 3:
      return sameIgnoringCase(bytes, start, end, VIA) ? Header.via : Header.other
    case 4:
      if (sameIgnoringCase(bytes, start, end, FROM)) return Header.from
      return sameIgnoringCase(bytes, start, end, CSEQ) ? Header.cseq : Header.other
    case 5:
      return sameIgnoringCase(bytes, start, end, ROUTE) ? Header.route : Header.other
    case 7:
      if (sameIgnoringCase(bytes, start, end, CALL_ID)) return Header.callId
      return sameIgnoringCase(bytes, start, end, CONTACT) ? Header.contact : Header.other
    case 9:
      return sameIgnoringCase(bytes, start, end, SUPPORTED) ? Header.supported : Header.other
    case 10:
      return sameIgnoringCase(bytes, start, end, USER_AGENT) ? Header.userAgent : Header.other
    case 12:
      return sameIgnoringCase(bytes, start, end, MAX_FORWARDS) ? Header.maxForwards : Header.other
    case 13:
      return sameIgnoringCase(bytes, start, end, PROXY_REQUIRE) ? Header.proxyRequire : Header.other
    case 14:
      return sameIgnoringCase(bytes, start, end, CONTENT_LENGTH)
        ? Header.contentLength
        : Header.other
    default:
      return Header.other
  }
}

function compact(letter: number): Header {
  switch (letter) {
    case 0x76: // v
      return Header.via
    case 0x66: // f
      return Header.from
    case 0x74: // t
      return Header.to
    case 0x69: // i
      return Header.callId
    case 0x6d: // m
      return Header.contact
    case 0x6b: // k
      return Header.supported
    case 0x6c: // l
      return Header.contentLength
    default:
      return Header.other
  }
}
