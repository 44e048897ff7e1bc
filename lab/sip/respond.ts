/** Responses to a request, with what must be copied from it (RFC 3261 §8.2.6). */
import {
  type SipRequest,
  type SipResponse,
  header,
  headerValues,
  setHeader,
  tagOf,
} from './message.ts'

export interface ResponseParts {
  /** Added to To where the request had none. */
  readonly toTag?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

export function responseTo(
  request: SipRequest,
  status: number,
  reason: string,
  parts: ResponseParts = {},
): SipResponse {
  const response: SipResponse = {
    kind: 'response',
    status,
    reason,
    headers: [],
    body: parts.body ?? '',
  }
  setHeader(response, 'via', ...headerValues(request, 'via'))
  setHeader(response, 'from', header(request, 'from') ?? '')
  setHeader(response, 'to', taggedTo(request, parts.toTag))
  setHeader(response, 'call-id', header(request, 'call-id') ?? '')
  setHeader(response, 'cseq', header(request, 'cseq') ?? '')
  // Dialog-forming answers carry the route set back (RFC 3261 §12.1.1).
  if (status > 100 && status < 300 && DIALOG_METHODS.has(request.method)) {
    setHeader(response, 'record-route', ...headerValues(request, 'record-route'))
  }
  for (const [name, value] of parts.headers ?? []) response.headers.push({ name, value })
  return response
}

function taggedTo(request: SipRequest, tag: string | undefined): string {
  const to = header(request, 'to') ?? ''
  return tag === undefined || tagOf(request, 'to') !== null ? to : `${to};tag=${tag}`
}

const DIALOG_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY'])
