/**
 * The messages that we originate: replies of our own to a request, and the OPTIONS of the prober. Not here: when to
 * reply and where to (dataplane), what answers to a probe mean (`scan` reads them, the prober judges), STUN (stun.ts).
 *
 * A reply is what RFC 3261 §8.2.6 asks for and no more: every Via line as it came, but the source in the top value
 * (RFC 3581 §4, RFC 3261 §18.2.1); From, To with a tag of ours if it had none, Call-ID, CSeq; headers of the caller;
 * Content-Length. Header values are copied byte for byte.
 *
 * Invariant, since sources can be forged (design 5.6): a reply is no longer than its request wherever it can be. Where
 * it would be longer, it loses reason phrase, extra headers and long header names; and it is never more than
 * RESPONSE_GROWTH_MAX bytes longer, or not written at all.
 *
 * ```
 * request   OPTIONS sip:… SIP/2.0 | Via* | From | To | Call-ID | CSeq | all else
 * terse     SIP/2.0 200           | Via* | f:   | t: | i:      | CSeq: | l:0
 * growth    ≤ 0                     ≤ 55          19                    5           = 79, IPv4 55
 * ```
 *
 * A terse status line has 14 bytes, no more than the least request line ("A a:b SIP/2.0"). `;received=` of an IPv6
 * address adds 49 bytes, the value of `rport` 6, `;tag=` and our tag 19, `l:0` with its line end 5. A request whose
 * lines end in a bare LF counts 5 less itself, hence 84. What would need more was cut off or has no request line worth
 * the name, and gets no reply.
 */
import { parseAddress, sameAddress } from './address.ts'
import { asText, LF, type Text } from './ascii.ts'
import { LOCAL_TAG_LENGTH, writeLocalTag } from './branch.ts'
import type { Message } from './message.ts'
import { Writer } from './writer.ts'

/** Bytes that a reply may have more than its request. */
export const RESPONSE_GROWTH_MAX = 84

/** What a reply of ours says. */
export type LocalResponse = {
  /** 200 … 699. 420 gets its Unsupported header here, from Proxy-Require. */
  readonly status: number
  readonly reason: Text
  /** Whole header lines with their line ends, or nothing. */
  readonly headers: Text
  /** Where the request came from: five words from `source[sourceAt]`. */
  readonly source: Int32Array
  readonly sourceAt: number
}

/**
 * Writes a reply to the request `message`, whose scan said `request` or `badRequest`, to [outAt, outEnd) of `out`.
 * Returns its length, or -1 if it does not fit or the request lacks what a reply must repeat.
 */
export function writeResponse(
  message: Message,
  out: Uint8Array,
  outAt: number,
  outEnd: number,
  response: LocalResponse,
): number {
  if (message.viaLineCount === 0 || message.via.valueStart < 0) return -1
  if (message.fromStart < 0 || message.toStart < 0) return -1
  if (message.callIdStart < 0 || message.cseqStart < 0) return -1
  const asLongEnd = outAt + message.end - message.start
  writer.open(out, outAt, Math.min(outEnd, asLongEnd))
  putResponse(message, response, FULL)
  if (writer.overflow) {
    writer.open(out, outAt, Math.min(outEnd, asLongEnd + RESPONSE_GROWTH_MAX))
    putResponse(message, response, TERSE)
  }
  return writer.overflow ? -1 : writer.at - outAt
}

/** What an OPTIONS of the prober says. URIs without angle brackets. */
export type OptionsRequest = {
  readonly requestUri: string
  /** `host:port` of the Via: where answers may come to, whatever the proxy makes of `rport`. */
  readonly sentBy: string
  /** With the magic cookie; comes back in the answer's top Via. */
  readonly branch: string
  readonly from: string
  readonly fromTag: string
  readonly callId: string
  readonly cseq: number
  /** 70 unless given (RFC 3261 §8.1.1.6). */
  readonly maxForwards?: number
  readonly contact?: string
}

/**
 * Writes an OPTIONS (RFC 3261 §11.1) to `out` from `outAt`. Returns its length, or -1 if it does not fit or a text
 * holds what would break out of its place: white space, control characters, quotes, angle brackets, any non-ASCII.
 */
export function writeOptions(request: OptionsRequest, out: Uint8Array, outAt: number): number {
  writer.open(out, outAt, out.length)
  put('OPTIONS ', request.requestUri, ' SIP/2.0\r\nVia: SIP/2.0/UDP ')
  put('', request.sentBy, ';rport;branch=')
  put('', request.branch, '\r\nMax-Forwards: ')
  writer.number(request.maxForwards ?? MAX_FORWARDS_DEFAULT)
  put('\r\nFrom: <', request.from, '>')
  put(';tag=', request.fromTag, '\r\n')
  put('To: <', request.requestUri, '>\r\n')
  put('Call-ID: ', request.callId, '\r\nCSeq: ')
  writer.number(request.cseq)
  writer.text(OPTIONS_CSEQ_END)
  if (request.contact !== undefined) put('Contact: <', request.contact, '>\r\n')
  writer.text(OPTIONS_END)
  return writer.overflow ? -1 : writer.at - outAt
}

const MAX_FORWARDS_DEFAULT = 70
const OPTIONS_CSEQ_END = asText(' OPTIONS\r\n')
const OPTIONS_END = asText(
  'Accept: application/sdp\r\nUser-Agent: sipcast\r\nContent-Length: 0\r\n\r\n',
)

/** Header names of a reply, and those of one that must be short. */
const FULL = {
  from: asText('From: '),
  to: asText('To: '),
  callId: asText('Call-ID: '),
  cseq: asText('CSeq: '),
  end: asText('Content-Length: 0\r\n\r\n'),
}
const TERSE: typeof FULL = {
  from: asText('f:'),
  to: asText('t:'),
  callId: asText('i:'),
  cseq: asText('CSeq:'),
  end: asText('l:0\r\n\r\n'),
}

const VERSION = asText('SIP/2.0 ')
const RECEIVED = asText(';received=')
const RPORT = asText(';rport=')
const TAG = asText(';tag=')
const UNSUPPORTED = asText('Unsupported: ')
const LINE_END = asText('\r\n')
const SPACE = 32
const BAD_EXTENSION = 420

const writer = new Writer(new Uint8Array(0))
const address = new Int32Array(4)
const tag = new Uint8Array(LOCAL_TAG_LENGTH)
const tagView = new DataView(tag.buffer)

function putResponse(message: Message, response: LocalResponse, names: typeof FULL): void {
  const isTerse = names === TERSE
  writer.text(VERSION)
  writer.number(response.status)
  writer.byte(SPACE)
  if (!isTerse) writer.text(response.reason)
  writer.text(LINE_END)
  putTopVia(message, response.source, response.sourceAt)
  for (let line = 1; line < message.viaLineCount; line++) {
    putLine(message, message.viaLines[2 * line]!, message.viaLines[2 * line + 1]!)
  }
  putHeader(names.from, message, message.fromStart, message.fromEnd)
  putTo(message, names.to)
  putHeader(names.callId, message, message.callIdStart, message.callIdEnd)
  putHeader(names.cseq, message, message.cseqStart, message.cseqEnd)
  if (!isTerse) writer.text(response.headers)
  if (response.status === BAD_EXTENSION && message.proxyRequireStart >= 0) {
    putHeader(UNSUPPORTED, message, message.proxyRequireStart, message.proxyRequireEnd)
  }
  writer.text(names.end)
}

/** The line of the topmost value; `received` and `rport` are taken out and put anew behind its other parameters. */
function putTopVia(message: Message, source: Int32Array, sourceAt: number): void {
  const { bytes, via } = message
  const hasRport = via.rportStart >= 0
  const isAsSaid =
    parseAddress(bytes, via.hostStart, via.hostEnd, address, 0) &&
    sameAddress(address, 0, source, sourceAt)
  let from = via.lineStart
  if (via.receivedStart < via.rportStart) {
    from = putWithout(message, from, via.receivedStart, via.receivedEnd)
    from = putWithout(message, from, via.rportStart, via.rportEnd)
  } else {
    from = putWithout(message, from, via.rportStart, via.rportEnd)
    from = putWithout(message, from, via.receivedStart, via.receivedEnd)
  }
  writer.slice(message.view, from, via.valueEnd)
  if (hasRport || !isAsSaid) {
    writer.text(RECEIVED)
    writer.address(source, sourceAt) // No brackets: RFC 3261 §25.1.
  }
  if (hasRport) {
    writer.text(RPORT)
    writer.number(source[sourceAt + 4]!)
  }
  putLine(message, via.valueEnd, via.lineEnd)
}

/** Copies up to the parameter [start, end), or nothing where it is absent; returns where to go on. */
function putWithout(message: Message, from: number, start: number, end: number): number {
  if (start < 0) return from
  writer.slice(message.view, from, start)
  return end
}

/** The rest of a line, ended if the datagram was cut off in it. */
function putLine(message: Message, start: number, end: number): void {
  writer.slice(message.view, start, end)
  if (message.bytes[end - 1] !== LF) writer.text(LINE_END)
}

function putTo(message: Message, name: Text): void {
  writer.text(name)
  writer.slice(message.view, message.toStart, message.toEnd)
  if (message.toTagStart < 0) {
    writer.text(TAG)
    writer.slice(tagView, 0, writeLocalTag(tag, 0, message))
  }
  writer.text(LINE_END)
}

function putHeader(name: Text, message: Message, start: number, end: number): void {
  writer.text(name)
  writer.slice(message.view, start, end)
  writer.text(LINE_END)
}

/** Constant text around a foreign one, which must be all visible ASCII without delimiters. */
function put(before: string, foreign: string, after: string): void {
  if (!/^[!#-;=?-~]+$/.test(foreign)) writer.overflow = true
  writer.text(asText(before + foreign + after))
}
