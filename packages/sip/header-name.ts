/**
 * Which header a line holds, among those that a balancer reads; compact forms included (RFC 3261 §7.3.3), any case.
 * All others are `other` and skipped.
 */
import { NameTable } from './name-table.ts'

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

const HEADERS = new NameTable(
  [
    ['via', Header.via],
    ['v', Header.via],
    ['from', Header.from],
    ['f', Header.from],
    ['to', Header.to],
    ['t', Header.to],
    ['call-id', Header.callId],
    ['i', Header.callId],
    ['cseq', Header.cseq],
    ['max-forwards', Header.maxForwards],
    ['route', Header.route],
    ['contact', Header.contact],
    ['m', Header.contact],
    ['supported', Header.supported],
    ['k', Header.supported],
    ['content-length', Header.contentLength],
    ['l', Header.contentLength],
    ['user-agent', Header.userAgent],
    ['proxy-require', Header.proxyRequire],
  ],
  'any case',
)

/** The header named in [start, end), which holds no space and no control character. */
export function headerOf(view: DataView, start: number, end: number): Header {
  return HEADERS.find(view, start, end) as Header
}
