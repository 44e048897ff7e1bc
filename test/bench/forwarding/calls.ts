/**
 * Traffic as phones and proxies make it: per user a REGISTER, an INVITE with SDP, the 200 that a record-routing proxy
 * sends back, and the caller's BYE along the route set. What the balancer under test put into the INVITE comes back in
 * 200 and BYE, so each balancer gets its own calls. Not here: sending them (traffic.c).
 * Invariant: the same calls in every run; sizes within a few bytes whoever they are for.
 */
import type { PacketPath } from './packet-path.ts'
import { INSIDE, MEMBERS, PHONES, SHARED } from './setting.ts'

export interface Datagram {
  readonly kind: 'REGISTER' | 'INVITE' | '200' | 'BYE'
  readonly from: string
  readonly to: string
  readonly text: string
}

/** What a balancer does to an INVITE, and where it wants the answers. */
export interface Relay {
  relay(from: string, to: string, text: string): { readonly target: string; readonly out: string }
  readonly answersTo: string
}

export const USERS = 1024

export function sipcastRelay(path: PacketPath): Relay {
  return { relay: (from, to, text) => path.relay(from, to, text), answersTo: INSIDE }
}

/** As Kamailio's forward() writes it; the branch of a stateless forward is any. */
export const kamailioRelay: Relay = {
  answersTo: SHARED,
  relay(from, _to, text) {
    const branch = `z9hG4bK${text.length.toString(16)}5a.7f3d9c21e0b84a6d53f1.0`
    const port = from.slice(from.indexOf(':') + 1)
    const via = `Via: SIP/2.0/UDP ${SHARED};branch=${branch}\r\n`
    const marked = text
      .replace(';rport', `;rport=${port};received=${from.slice(0, from.indexOf(':'))}`)
      .replace(/^Via:/m, `${via}Via:`)
    const at = marked.indexOf('Via:')
    const recordRoute = `Record-Route: <sip:${SHARED};lr>\r\n`
    const member = MEMBERS[text.length % MEMBERS.length]!
    return { target: member, out: marked.slice(0, at) + recordRoute + marked.slice(at) }
  },
}

/** Four datagrams for each of USERS. */
export function calls(relay: Relay): Datagram[] {
  return Array.from({ length: USERS }, (_, user) => callOf(user, relay)).flat()
}

function callOf(user: number, relay: Relay): Datagram[] {
  const from = PHONES[user % PHONES.length]!
  const invite = inviteOf(user)
  const { target, out } = relay.relay(from, SHARED, invite)
  return [
    { kind: 'REGISTER', from, to: SHARED, text: registerOf(user) },
    { kind: 'INVITE', from, to: SHARED, text: invite },
    { kind: '200', from: target, to: relay.answersTo, text: okOf(user, out, target) },
    { kind: 'BYE', from, to: SHARED, text: byeOf(user, out, target) },
  ]
}

const privateAddress = (user: number): string =>
  `192.168.${user % 200}.${2 + (user % 250)}:${5060 + (user % 7)}`
const nameOf = (user: number): string => `4930${(7_000_000 + user * 37).toString()}`
const calleeOf = (user: number): string => nameOf((user * 7 + 1) % USERS)
const callIdOf = (user: number): string => `${hex(user, 8)}-${hex(user + 1, 8)}@192.168.1.5`
const branchOf = (user: number, cseq: number): string =>
  `z9hG4bK-524287-1---${hex(user * 16 + cseq, 16)}`

function registerOf(user: number): string {
  const name = nameOf(user)
  return message('', [
    'REGISTER sip:sip.example.com SIP/2.0',
    `Via: SIP/2.0/UDP ${privateAddress(user)};branch=${branchOf(user, 1)};rport`,
    'Max-Forwards: 70',
    `Contact: <sip:${name}@${privateAddress(user)};transport=udp>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-${hex(user, 12)}>";reg-id=1`,
    `To: "Desk ${user}" <sip:${name}@sip.example.com>`,
    `From: "Desk ${user}" <sip:${name}@sip.example.com>;tag=${hex(user + 2, 8)}`,
    `Call-ID: ${callIdOf(user)}`,
    'CSeq: 2 REGISTER',
    'Expires: 300',
    'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO',
    'Supported: replaces, outbound, gruu',
    'User-Agent: Acme Desk Phone 5/2.1.4',
  ])
}

function inviteOf(user: number): string {
  const lines = [
    `INVITE sip:${calleeOf(user)}@sip.example.com SIP/2.0`,
    `Via: SIP/2.0/UDP ${privateAddress(user)};branch=${branchOf(user, 3)};rport`,
    'Max-Forwards: 70',
    `From: "Desk ${user}" <sip:${nameOf(user)}@sip.example.com>;tag=${hex(user + 3, 8)}`,
    `To: <sip:${calleeOf(user)}@sip.example.com>`,
    `Call-ID: ${callIdOf(user)}`,
    'CSeq: 3 INVITE',
    `Contact: <sip:${nameOf(user)}@${privateAddress(user)};transport=udp>`,
    'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY',
    'Content-Type: application/sdp',
    'User-Agent: Acme Desk Phone 5/2.1.4',
  ]
  return message(sdpOf(user), lines)
}

/** The proxy's own Record-Route on top, as Kamailio puts it. */
function okOf(user: number, invite: string, member: string): string {
  const lines = [
    'SIP/2.0 200 OK',
    ...linesOf(invite, 'Via'),
    `Record-Route: <sip:${hostOf(member)};lr>`,
    ...linesOf(invite, 'Record-Route'),
    `From: "Desk ${user}" <sip:${nameOf(user)}@sip.example.com>;tag=${hex(user + 3, 8)}`,
    `To: <sip:${calleeOf(user)}@sip.example.com>;tag=${hex(user + 4, 8)}`,
    `Call-ID: ${callIdOf(user)}`,
    'CSeq: 3 INVITE',
    `Contact: <sip:${calleeOf(user)}@198.51.100.9:5062;transport=udp>`,
    'Content-Type: application/sdp',
  ]
  return message(sdpOf(user), lines)
}

function byeOf(user: number, invite: string, member: string): string {
  const routes = linesOf(invite, 'Record-Route').map((line) =>
    line.replace('Record-Route', 'Route'),
  )
  return message('', [
    `BYE sip:${calleeOf(user)}@198.51.100.9:5062;transport=udp SIP/2.0`,
    `Via: SIP/2.0/UDP ${privateAddress(user)};branch=${branchOf(user, 4)};rport`,
    'Max-Forwards: 70',
    ...routes,
    `Route: <sip:${hostOf(member)};lr>`,
    `From: "Desk ${user}" <sip:${nameOf(user)}@sip.example.com>;tag=${hex(user + 3, 8)}`,
    `To: <sip:${calleeOf(user)}@sip.example.com>;tag=${hex(user + 4, 8)}`,
    `Call-ID: ${callIdOf(user)}`,
    'CSeq: 4 BYE',
    'User-Agent: Acme Desk Phone 5/2.1.4',
  ])
}

function sdpOf(user: number): string {
  const lines = [
    'v=0',
    `o=- ${1_700_000_000 + user} 1 IN IP4 192.168.1.5`,
    's=-',
    'c=IN IP4 192.168.1.5',
    't=0 0',
    `m=audio ${20_000 + user * 2} RTP/AVP 8 0 101`,
    'a=rtpmap:101 telephone-event/8000',
  ]
  return `${lines.join('\r\n')}\r\n`
}

function message(body: string, lines: readonly string[]): string {
  return `${[...lines, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`
}

function linesOf(text: string, name: string): string[] {
  return text.split('\r\n').filter((line) => line.startsWith(`${name}:`))
}

function hostOf(text: string): string {
  return text.slice(0, text.indexOf(':'))
}

/** Digits that look random but are the same in every run. */
function hex(seed: number, length: number): string {
  let digits = ''
  for (let word = seed + 1; digits.length < length; word++) {
    const mixed = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) ^ (word << 7)
    digits += (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) >>> 0).toString(16).padStart(8, '0')
  }
  return digits.slice(0, length)
}
