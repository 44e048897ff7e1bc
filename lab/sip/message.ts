/**
 * SIP messages as objects: parse, read and change headers, write (RFC 3261 §7). For user agents, which may
 * re-serialise what they like; the balancers' byte-exact reading is @sipcast/sip and is not used here on
 * purpose. Invariants: header names are canonical (lower case, long form) inside and written in their usual
 * spelling; the order of headers, and of equal headers among themselves, is kept.
 */

export interface Header {
  readonly name: string
  readonly value: string
}

export interface SipRequest {
  readonly kind: 'request'
  readonly method: string
  uri: string
  headers: Header[]
  body: string
}

export interface SipResponse {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
  headers: Header[]
  body: string
}

export type SipMessage = SipRequest | SipResponse

class SipSyntaxError extends Error {
  readonly code = 'SIP_SYNTAX'
}

/** Throws `SipSyntaxError` on what is not SIP or lacks what every message must have (RFC 3261 §8.1.1). */
export function parseMessage(text: string): SipMessage {
  const end = /\r?\n\r?\n/.exec(text)
  const head = (end === null ? text : text.slice(0, end.index)).replace(/\r?\n[ \t]+/g, ' ')
  const [startLine = '', ...lines] = head.split(/\r?\n/)
  const headers = lines.filter((line) => line !== '').map(parseHeader)
  const body = end === null ? '' : text.slice(end.index + end[0].length)
  const message = parseStartLine(startLine, headers, body)
  for (const name of ['via', 'from', 'to', 'call-id', 'cseq']) {
    if (header(message, name) === null) throw new SipSyntaxError(`no ${name} in: ${startLine}`)
  }
  return message
}

export function formatMessage(message: SipMessage): string {
  const startLine =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`
  const lines = message.headers
    .filter(({ name }) => name !== 'content-length')
    .map(({ name, value }) => `${spelling(name)}: ${value}`)
  lines.push(`Content-Length: ${Buffer.byteLength(message.body)}`)
  return `${[startLine, ...lines].join('\r\n')}\r\n\r\n${message.body}`
}

/** The first value of a header as it stands, or null. */
export function header(message: SipMessage, name: string): string | null {
  return message.headers.find((candidate) => candidate.name === name)?.value ?? null
}

/** All values of a header, several in one line split (RFC 3261 §7.3.1). */
export function headerValues(message: SipMessage, name: string): string[] {
  return message.headers
    .filter((candidate) => candidate.name === name)
    .flatMap(({ value }) => splitList(value))
}

/** Replaces the header, in the place of its first occurrence; an empty list removes it. */
export function setHeader(message: SipMessage, name: string, ...values: readonly string[]): void {
  const at = message.headers.findIndex((candidate) => candidate.name === name)
  const others = message.headers.filter((candidate) => candidate.name !== name)
  const added = values.map((value) => ({ name, value }))
  message.headers =
    at < 0 ? [...others, ...added] : [...others.slice(0, at), ...added, ...others.slice(at)]
}

/** Puts a value above all others of its name, and above all headers where it is the first. */
export function prependHeader(message: SipMessage, name: string, value: string): void {
  const at = message.headers.findIndex((candidate) => candidate.name === name)
  message.headers = message.headers.toSpliced(Math.max(at, 0), 0, { name, value })
}

export function cseqOf(message: SipMessage): { number: number; method: string } {
  const match = /^(\d+)\s+(\S+)$/.exec(header(message, 'cseq') ?? '')
  return { number: Number(match?.[1] ?? 0), method: match?.[2] ?? '' }
}

export function tagOf(message: SipMessage, name: 'from' | 'to'): string | null {
  return (
    /;\s*tag\s*=\s*([^;\s]+)/i.exec((header(message, name) ?? '').replace(/^.*>/s, ''))?.[1] ?? null
  )
}

/** A copy whose headers may be changed without changing the original. */
export function copyMessage<T extends SipMessage>(message: T): T {
  return { ...message, headers: [...message.headers] }
}

function parseStartLine(line: string, headers: Header[], body: string): SipMessage {
  const response = /^SIP\/2\.0 (\d{3}) ?(.*)$/i.exec(line)
  if (response !== null) {
    return {
      kind: 'response',
      status: Number(response[1]),
      reason: response[2] ?? '',
      headers,
      body,
    }
  }
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/i.exec(line)
  if (request === null) throw new SipSyntaxError(`not a SIP start line: ${line.slice(0, 80)}`)
  return { kind: 'request', method: request[1] ?? '', uri: request[2] ?? '', headers, body }
}

function parseHeader(line: string): Header {
  const colon = line.indexOf(':')
  if (colon < 1) throw new SipSyntaxError(`not a header: ${line.slice(0, 80)}`)
  const name = line.slice(0, colon).trim().toLowerCase()
  return { name: COMPACT[name] ?? name, value: line.slice(colon + 1).trim() }
}

function splitList(value: string): string[] {
  const values: string[] = []
  let start = 0
  let quoted = false
  let angled = false
  for (let at = 0; at < value.length; at++) {
    const char = value[at]
    if (quoted) {
      if (char === '\\') at++
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '<') angled = true
    else if (char === '>') angled = false
    else if (char === ',' && !angled) {
      values.push(value.slice(start, at).trim())
      start = at + 1
    }
  }
  values.push(value.slice(start).trim())
  return values.filter((part) => part !== '')
}

function spelling(name: string): string {
  return USUAL[name] ?? name.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase())
}

const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
}

const USUAL: Readonly<Record<string, string>> = {
  'call-id': 'Call-ID',
  cseq: 'CSeq',
  'www-authenticate': 'WWW-Authenticate',
}
