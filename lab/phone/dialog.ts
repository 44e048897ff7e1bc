/** Dialogs: what both ends remember of each other, and requests within them (RFC 3261 §12). Pure. */
import {
  type SipRequest,
  type SipResponse,
  cseqOf,
  header,
  headerValues,
  tagOf,
} from '../sip/message.ts'
import { type Endpoint, endpointOf, parseNameAddr, parseUri } from '../sip/uri.ts'

export interface Dialog {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  /** The values of From and To as we write them. */
  readonly local: string
  readonly remote: string
  /** Where the other end wants its requests; a target refresh changes it. */
  remoteTarget: string
  readonly routeSet: readonly string[]
  localCseq: number
  remoteCseq: number
}

export interface RequestParts {
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

/** The caller's view (RFC 3261 §12.1.2): the route set is what was recorded, reversed. */
export function dialogOfCaller(request: SipRequest, response: SipResponse): Dialog {
  return {
    callId: header(request, 'call-id') ?? '',
    localTag: tagOf(request, 'from') ?? '',
    remoteTag: tagOf(response, 'to') ?? '',
    local: header(request, 'from') ?? '',
    remote: header(response, 'to') ?? '',
    remoteTarget: contactOf(response) ?? request.uri,
    routeSet: headerValues(response, 'record-route').reverse(),
    localCseq: cseqOf(request).number,
    remoteCseq: 0,
  }
}

/** The callee's view (RFC 3261 §12.1.1): the route set is what was recorded, in order. */
export function dialogOfCallee(request: SipRequest, localTag: string): Dialog {
  return {
    callId: header(request, 'call-id') ?? '',
    localTag,
    remoteTag: tagOf(request, 'from') ?? '',
    local: `${header(request, 'to') ?? ''};tag=${localTag}`,
    remote: header(request, 'from') ?? '',
    remoteTarget: contactOf(request) ?? '',
    routeSet: headerValues(request, 'record-route'),
    localCseq: 0,
    remoteCseq: cseqOf(request).number,
  }
}

/** A new request in the dialog. An ACK takes the number of its INVITE instead of a new one. */
export function requestInDialog(
  dialog: Dialog,
  method: string,
  parts: RequestParts = {},
  cseq = ++dialog.localCseq,
): SipRequest {
  const headers = [
    ...dialog.routeSet.map((value) => ({ name: 'route', value })),
    { name: 'from', value: dialog.local },
    { name: 'to', value: dialog.remote },
    { name: 'call-id', value: dialog.callId },
    { name: 'cseq', value: `${cseq} ${method}` },
    { name: 'max-forwards', value: '70' },
    ...(parts.headers ?? []).map(([name, value]) => ({ name, value })),
  ]
  return { kind: 'request', method, uri: dialog.remoteTarget, headers, body: parts.body ?? '' }
}

/** The first Route, else the Request-URI (RFC 3261 §8.1.2; all routers are loose here). */
export function nextHop(request: SipRequest): Endpoint {
  const route = headerValues(request, 'route')[0]
  const uri = parseUri(route === undefined ? request.uri : (parseNameAddr(route)?.uri ?? ''))
  if (uri === null) throw new Error(`no next hop: ${route ?? request.uri}`)
  return endpointOf(uri)
}

export function contactOf(message: SipRequest | SipResponse): string | null {
  return parseNameAddr(headerValues(message, 'contact')[0] ?? '')?.uri ?? null
}
