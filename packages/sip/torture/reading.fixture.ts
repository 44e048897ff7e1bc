/**
 * For tests: scans a datagram that stands somewhere inside a larger array, as in a batch, and reads the offsets back as
 * text. Latin-1 throughout, so that a byte is a character.
 */
import { Message, type RouteView, type Scan, Scheme, type UriView } from '../message.ts'
import { scan } from '../scan.ts'

/** Where the datagram begins in its array, and how many bytes follow it; all of them line ends and colons. */
const MARGIN = 37

export interface Reading {
  readonly result: Scan
  readonly message: Message
}

/** Scans `datagram` amid bytes that would be taken for headers by anybody who reads past its end. */
export function read(datagram: string, message = new Message()): Reading {
  const bytes = new Uint8Array(datagram.length + 2 * MARGIN)
  for (let i = 0; i < bytes.length; i++) bytes[i] = '\r\nt:<>";,'.charCodeAt(i % 10)
  bytes.set(bytesOf(datagram), MARGIN)
  return { result: scan(message, bytes, MARGIN, MARGIN + datagram.length), message }
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

/** [start, end) as text; null where absent. */
export function textOf(bytes: Uint8Array, start: number, end: number): string | null {
  return start < 0 ? null : String.fromCharCode(...bytes.subarray(start, end))
}

/** Name of a code in an as-const object. */
export function nameOf(set: Readonly<Record<string, number>>, code: number): string {
  return Object.keys(set).find((name) => set[name] === code) ?? String(code)
}

export type Fields = ReturnType<typeof fieldsOf>

/** Everything that the scan found out, as text and numbers. */
export function fieldsOf(message: Message) {
  const at = (start: number, end: number) => textOf(message.bytes, start, end)
  const { via } = message
  return {
    method: at(message.methodStart, message.methodEnd),
    statusCode: message.statusCode,
    uri: uriOf(message, message.uri),
    via: {
      value: at(via.valueStart, via.valueEnd),
      transport: at(via.transportStart, via.transportEnd),
      host: at(via.hostStart, via.hostEnd),
      port: via.port,
      branch: at(via.branchStart, via.branchEnd),
      rport: at(via.rportStart, via.rportEnd),
      rportHasValue: via.rportHasValue,
      received: at(via.receivedStart, via.receivedEnd),
      flow: at(via.flowStart, via.flowEnd),
      hasMore: via.hasMore,
    },
    viaCount: message.viaCount,
    callId: at(message.callIdStart, message.callIdEnd),
    from: at(message.fromStart, message.fromEnd),
    fromTag: at(message.fromTagStart, message.fromTagEnd),
    to: at(message.toStart, message.toEnd),
    toUri: uriOf(message, message.toUri),
    toTag: at(message.toTagStart, message.toTagEnd),
    cseq: message.cseq,
    cseqMethod: at(message.cseqMethodStart, message.cseqMethodEnd),
    maxForwards: message.maxForwards,
    routes: message.routes.slice(0, message.routeCount).map((route) => routeOf(message, route)),
    userAgent: at(message.userAgentStart, message.userAgentEnd),
    proxyRequire: at(message.proxyRequireStart, message.proxyRequireEnd),
    supportedPath: message.supportedPath,
    supportsOutbound: message.supportsOutbound,
    contactHasRegId: message.contactHasRegId,
    contentLength: message.contentLength,
    body: at(message.bodyStart, message.end),
  }
}

function uriOf(message: Message, uri: UriView) {
  const at = (start: number, end: number) => textOf(message.bytes, start, end)
  return {
    text: at(uri.start, uri.end),
    scheme: nameOf(Scheme, uri.scheme),
    user: at(uri.userStart, uri.userEnd),
    host: at(uri.hostStart, uri.hostEnd),
    port: uri.port,
    params: at(uri.paramsStart, uri.paramsEnd),
  }
}

function routeOf(message: Message, route: RouteView) {
  return {
    value: textOf(message.bytes, route.valueStart, route.valueEnd),
    uri: uriOf(message, route.uri).text,
    loose: route.loose,
  }
}
