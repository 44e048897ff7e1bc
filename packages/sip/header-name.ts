/**
 * Which header a line holds, among those that a balancer reads; compact forms included (RFC 3261 §7.3.3), any case.
 * All others are `other` and skipped. The length decides which names are compared at all.
 */
import { ascii, lower, lowerWord, sameIgnoringCase, wordOf } from './ascii.ts'
import type { Message } from './message.ts'

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

const VIA = ascii('via')
const FROM = wordOf('from')
const CSEQ = wordOf('cseq')
const ROUT = wordOf('rout')
const CALL = wordOf('call')
const L_ID = wordOf('l-id')
const CONT = wordOf('cont')
const TACT = wordOf('tact')
const SUPP = wordOf('supp')
const ORTE = wordOf('orte')
const USER = wordOf('user')
const _AGE = wordOf('-age')
const GENT = wordOf('gent')
const MAX_ = wordOf('max-')
const FORW = wordOf('forw')
const ARDS = wordOf('ards')
const PROX = wordOf('prox')
const Y_RE = wordOf('y-re')
const QUIR = wordOf('quir')
const ENT_ = wordOf('ent-')
const LENG = wordOf('leng')
const NGTH = wordOf('ngth')

/** The header named in [start, end), which is a token. */
export function headerOf(message: Message, start: number, end: number): Header {
  const { bytes, view } = message
  const length = end - start
  if (length < 4) return shortName(bytes, start, end)
  const word = lowerWord(view, start)
  switch (length) {
    case 4:
      if (word === FROM) return Header.from
      return word === CSEQ ? Header.cseq : Header.other
    case 5:
      return word === ROUT && lower(bytes[start + 4]!) === 0x65 ? Header.route : Header.other
    case 7:
      if (word === CALL && lowerWord(view, start + 3) === L_ID) return Header.callId
      return word === CONT && lowerWord(view, start + 3) === TACT ? Header.contact : Header.other
    case 9:
      return word === SUPP && spells(view, start + 4, ORTE) && lower(bytes[start + 8]!) === 0x64
        ? Header.supported
        : Header.other
    case 10:
      return word === USER && spells(view, start + 4, _AGE) && spells(view, start + 6, GENT)
        ? Header.userAgent
        : Header.other
    case 12:
      return word === MAX_ && spells(view, start + 4, FORW) && spells(view, start + 8, ARDS)
        ? Header.maxForwards
        : Header.other
    case 13:
      return word === PROX &&
        spells(view, start + 4, Y_RE) &&
        spells(view, start + 8, QUIR) &&
        lower(bytes[start + 12]!) === 0x65
        ? Header.proxyRequire
        : Header.other
    case 14:
      return word === CONT &&
        spells(view, start + 4, ENT_) &&
        spells(view, start + 8, LENG) &&
        spells(view, start + 10, NGTH)
        ? Header.contentLength
        : Header.other
    default:
      return Header.other
  }
}

function spells(view: DataView, at: number, word: number): boolean {
  return lowerWord(view, at) === word
}

function shortName(bytes: Uint8Array, start: number, end: number): Header {
  if (end - start === 1) return compact(lower(bytes[start]!))
  if (end - start === 3) {
    return sameIgnoringCase(bytes, start, end, VIA) ? Header.via : Header.other
  }
  const isTo = lower(bytes[start]!) === 0x74 && lower(bytes[start + 1]!) === 0x6f
  return isTo ? Header.to : Header.other
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
