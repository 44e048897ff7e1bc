/**
 * For tests: valid messages in every spelling that RFC 3261 §25.1 allows, each with the answers that a scan must give.
 * A message is made of parts (what it says) and spelt by a seeded generator (how it says it): header forms and case,
 * order, folds, white space, lists in one line or many, quotes and escapes, line ends, body and what follows it.
 */
import type { Fields } from './reading.fixture.ts'
import type { Random } from './random.fixture.ts'

export interface Spelling {
  readonly datagram: string
  readonly fields: Fields
}

/** The next message of `random`. */
export function spell(random: Random): Spelling {
  const parts = partsOf(random)
  const eol = random.oneIn(6) ? '\n' : '\r\n'
  const lines = new Speller(random, eol).lines(parts)
  const contentLength = parts.contentLength
  const datagram = [
    eol.repeat(random.oneIn(6) ? 1 + random.below(3) : 0),
    parts.isRequest
      ? `${parts.method} ${parts.uri.text} ${version(random)}`
      : statusLine(parts, random),
    eol,
    lines.join(''),
    eol,
    parts.body,
    contentLength >= 0 && random.oneIn(5) ? random.pick(['\0', '\r\n', 'Via: x']) : '',
  ].join('')
  return { datagram, fields: answers(parts) }
}

interface Uri {
  readonly text: string | null
  readonly scheme: string
  readonly user: string | null
  readonly host: string | null
  readonly port: number
  readonly params: string | null
}

const NO_URI: Uri = { text: null, scheme: 'other', user: null, host: null, port: 0, params: null }

type Parts = ReturnType<typeof partsOf>

function partsOf(random: Random) {
  const isRequest = !random.oneIn(4)
  const method = random.oneIn(3) ? 'REGISTER' : random.pick(METHODS)
  const body = random.oneIn(2)
    ? ''
    : random.pick(['v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n', '\0\xff\r\n\r\n', 'x'])
  return {
    isRequest,
    method,
    statusCode: isRequest ? 0 : 100 + random.below(600),
    uri: isRequest ? uriOf(random) : NO_URI,
    vias: random.some(1, 5, () => viaOf(random)),
    callId: random.pick(['a84b4c76e66710@pc33.example.com', '1', 'x!%*_+`\'~()<>:\\"/[]?{}@[::1]']),
    fromTag: random.oneIn(8) ? null : tokenOf(random),
    fromUri: uriOf(random),
    to: uriOf(random),
    toTag: random.oneIn(2) ? null : tokenOf(random),
    cseq: random.pick([0, 1, 4711, 2 ** 31 - 1]),
    maxForwards: random.oneIn(5) ? -1 : random.pick([0, 1, 70, 255]),
    routes: random.oneIn(2)
      ? []
      : random.some(1, 6, () => ({ uri: uriOf(random), params: random.oneIn(4) })),
    userAgent: random.oneIn(2) ? null : random.pick(['Phone/1.2 (x; y, "z")', 'friendly-scanner']),
    proxyRequire: random.oneIn(8) ? random.pick(['sec-agree', 'foo, bar']) : null,
    supported: random.oneIn(2) ? [] : random.some(1, 5, () => random.pick(OPTION_TAGS)),
    regId: random.oneIn(3),
    others: random.some(0, 4, () => random.pick(OTHERS)),
    body,
    contentLength: body === '' && random.oneIn(3) ? 0 : random.oneIn(4) ? -1 : body.length,
  }
}

function uriOf(random: Random): Uri {
  if (random.oneIn(8)) {
    const user = random.pick(['+1-201-555-0123', '7042', '911'])
    const params = random.pick([null, ';phone-context=example.com', ';ext=3;isub=a'])
    return { text: `tel:${user}${params ?? ''}`, scheme: 'tel', user, host: null, port: 0, params }
  }
  if (random.oneIn(12))
    return { ...NO_URI, text: random.pick(['urn:service:sos', 'im:bob@example.com']) }
  const scheme = random.oneIn(5) ? 'sips' : 'sip'
  const user = random.oneIn(5) ? null : random.pick(USERS)
  const inUser =
    user === null
      ? ''
      : random.pick(['', '', '', ';day=tuesday', ';isub=1:x', ':secret', ':&=+$,;?/'])
  const host = random.pick(HOSTS)
  const port = random.oneIn(2) ? 0 : random.pick([1, 5060, 5061, 65535])
  const params = random.oneIn(2) ? null : random.pick(URI_PARAMS)
  const headers = random.oneIn(6) ? '?subject=a%20b&priority=urgent' : ''
  const text = [
    random.oneIn(6) ? scheme.toUpperCase() : scheme,
    ':',
    user === null ? '' : `${user}${inUser}@`,
    host,
    port === 0 ? '' : `:${port}`,
    params ?? '',
    headers,
  ].join('')
  return { text, scheme, user, host, port, params }
}

function viaOf(random: Random) {
  const rport = random.pick([null, null, '', '5060'])
  return {
    transport: random.pick(['UDP', 'TCP', 'TLS', 'sctp', 'UNKNOWN']),
    host: random.pick(HOSTS),
    port: random.oneIn(2) ? 0 : random.pick([1, 5060, 65535]),
    branch: random.oneIn(8)
      ? null
      : random.pick(['z9hG4bK776asdhds', "z9hG4bK-.!%*_+`'~", '1', 'z9hG4bK.a=b==']),
    rport,
    received: random.oneIn(4)
      ? random.pick(['192.0.2.1', '2001:db8::9:255', '[2001:db8::9:255]'])
      : null,
    flow: random.oneIn(4) ? random.pick(['Ab_-9', 'x']) : null,
    others: random.some(0, 3, () => random.pick(VIA_PARAMS)),
  }
}

function tokenOf(random: Random): string {
  return random.pick(['1928301774', 'a', "x-.!%*_+`'~", '9fxced76sl'])
}

function version(random: Random): string {
  return random.oneIn(10) ? 'sip/2.0' : 'SIP/2.0'
}

function statusLine(parts: Parts, random: Random): string {
  const reason = random.pick([' OK', ' ', '', ' Nicht gefunden \xe4\xf6\xfc', ' SIP/2.0 200'])
  return `${version(random)} ${parts.statusCode}${reason}`
}

/** What a scan must find. `via.value`, `from` and `to` depend on the spelling: the tests compare them apart. */
function answers(parts: Parts): Fields {
  const via = parts.vias[0]!
  const isRegister = parts.isRequest && parts.method === 'REGISTER'
  return {
    method: parts.isRequest ? parts.method : null,
    statusCode: parts.statusCode,
    uri: parts.uri,
    via: {
      value: null,
      transport: via.transport,
      host: via.host,
      port: via.port,
      branch: via.branch,
      rport: via.rport === null ? null : 'rport',
      rportHasValue: via.rport !== null && via.rport !== '',
      received: via.received,
      flow: via.flow,
      hasMore: false,
    },
    viaCount: parts.vias.length,
    callId: parts.callId,
    from: null,
    fromTag: parts.fromTag,
    to: null,
    toUri: isRegister ? parts.to : NO_URI,
    toTag: parts.toTag,
    cseq: parts.cseq,
    cseqMethod: parts.method,
    maxForwards: parts.maxForwards,
    routes: parts.routes.map(({ uri }) => ({
      value: null,
      uri: uri.text,
      loose: /;lr($|[;=])/i.test(uri.params ?? ''),
    })),
    userAgent: parts.userAgent,
    proxyRequire: parts.proxyRequire,
    supportedPath: isRegister && parts.supported.some((tag) => tag.toLowerCase() === 'path'),
    supportsOutbound: isRegister && parts.supported.includes('outbound'),
    contactHasRegId: isRegister && parts.regId,
    contentLength: parts.contentLength,
    body: parts.body,
  }
}

/** Writes header lines; every choice that the grammar leaves open is drawn. */
class Speller {
  readonly #random: Random
  readonly #eol: string

  constructor(random: Random, eol: string) {
    this.#random = random
    this.#eol = eol
  }

  /** All lines, shuffled, values of one header in order. */
  lines(parts: Parts): string[] {
    const groups = [
      this.#list(
        'Via',
        'v',
        parts.vias.map((via) => this.#via(via)),
      ),
      this.#list(
        'Route',
        null,
        parts.routes.map((route) => this.#route(route)),
      ),
      [this.#header('Call-ID', 'i', parts.callId)],
      [this.#header('From', 'f', this.#party(parts.fromUri, parts.fromTag))],
      [this.#header('To', 't', this.#party(parts.to, parts.toTag))],
      [this.#header('CSeq', null, `${this.#zeros()}${parts.cseq}${this.#space()}${parts.method}`)],
      this.#list('Supported', 'k', parts.supported),
      [this.#header('Contact', 'm', this.#contact(parts.regId))],
      parts.others,
    ]
    if (parts.maxForwards >= 0) {
      groups.push([this.#header('Max-Forwards', null, `${this.#zeros()}${parts.maxForwards}`)])
    }
    if (parts.userAgent !== null) groups.push([this.#header('User-Agent', null, parts.userAgent)])
    if (parts.proxyRequire !== null)
      groups.push([this.#header('Proxy-Require', null, parts.proxyRequire)])
    if (parts.contentLength >= 0)
      groups.push([this.#header('Content-Length', 'l', String(parts.contentLength))])
    return this.#interleave(groups).map((line) => `${line}${this.#eol}`)
  }

  #interleave(groups: readonly (readonly string[])[]): string[] {
    const rest = groups.map((group) => [...group]).filter((group) => group.length > 0)
    const lines: string[] = []
    while (rest.length > 0) {
      const i = this.#random.below(rest.length)
      lines.push(rest[i]!.shift()!)
      if (rest[i]!.length === 0) rest.splice(i, 1)
    }
    return lines
  }

  /** One header, its values over one or several lines. */
  #list(name: string, compact: string | null, values: readonly string[]): string[] {
    const lines: string[] = []
    let line: string[] = []
    for (const value of values) {
      if (line.length > 0 && this.#random.oneIn(2)) {
        lines.push(this.#header(name, compact, line.join(`${this.#maybe()},${this.#maybe()}`)))
        line = []
      }
      line.push(value)
    }
    if (line.length > 0) lines.push(this.#header(name, compact, line.join(',')))
    return lines
  }

  #header(name: string, compact: string | null, value: string): string {
    const form = compact !== null && this.#random.oneIn(3) ? compact : name
    const cased = [...form].map((c) => (this.#random.oneIn(4) ? flip(c) : c)).join('')
    return `${cased}${this.#random.pick(['', '', ' ', ' \t'])}:${this.#maybe()}${value}${this.#trail()}`
  }

  #via(via: Parts['vias'][number]): string {
    const params = [...via.others]
    if (via.branch !== null) params.push(this.#param('branch', via.branch))
    if (via.rport !== null) params.push(this.#param('rport', via.rport === '' ? null : via.rport))
    if (via.received !== null) params.push(this.#param('received', via.received))
    if (via.flow !== null) params.push(this.#param('s', via.flow))
    const port = via.port === 0 ? '' : `${this.#maybe()}:${this.#maybe()}${via.port}`
    const slash = () => `${this.#maybe()}/${this.#maybe()}`
    return `SIP${slash()}2.0${slash()}${via.transport}${this.#space()}${via.host}${port}${this.#params(params)}`
  }

  #route(route: Parts['routes'][number]): string {
    const name = this.#random.pick(DISPLAY_NAMES)
    return `${name}${this.#maybe()}<${route.uri.text}>${route.params ? this.#params(['x="a,b;c"', 'y']) : ''}`
  }

  #party(uri: Uri, tag: string | null): string {
    const params = this.#random.oneIn(4) ? ['x="a;tag=b,<sip:c@d>\\""', 'z=[::1]'] : []
    if (tag !== null) params.push(this.#param('tag', tag))
    const bare = !/[;?,]/.test(uri.text!) && this.#random.oneIn(3)
    if (bare) return `${uri.text}${this.#params(params)}`
    return `${this.#random.pick(DISPLAY_NAMES)}${this.#maybe()}<${uri.text}>${this.#params(params)}`
  }

  #contact(regId: boolean): string {
    if (!regId)
      return this.#random.pick(['*', '<sip:a@b>;expires=5', '"reg-id" <sip:a@b;reg-id=1>'])
    return `<sip:b@c>, sip:d@e;q=0.5;${this.#random.pick(['reg-id=1', 'Reg-Id = 2'])}`
  }

  #param(name: string, value: string | null): string {
    const cased = this.#random.oneIn(4) ? name.toUpperCase() : name
    return value === null ? cased : `${cased}${this.#maybe()}=${this.#maybe()}${value}`
  }

  /** Parameters in any order, each behind its ';'. */
  #params(params: string[]): string {
    const order = this.#interleave(params.map((param) => [param]))
    return order.map((param) => `${this.#maybe()};${this.#maybe()}${param}`).join('')
  }

  #zeros(): string {
    return this.#random.oneIn(8) ? '000' : ''
  }

  /** Linear white space that may be missing. */
  #maybe(): string {
    return this.#random.oneIn(3) ? this.#space() : ''
  }

  /** Linear white space: spaces, TABs, a fold. */
  #space(): string {
    return this.#random.pick([' ', ' ', ' ', '\t', '   ', `${this.#eol} `, ` \t${this.#eol}\t `])
  }

  #trail(): string {
    return this.#random.pick(['', '', '', ' ', '\t ', `${this.#eol} `])
  }
}

function flip(char: string): string {
  return char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase()
}

const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'SUBSCRIBE',
  'NOTIFY',
  'MESSAGE',
  'INFO',
  'REFER',
  'UPDATE',
  'PRACK',
  'PUBLISH',
  'invite',
  'X',
  "!x-0_*+`.%'~",
]
const HOSTS = [
  'example.com',
  'a',
  '192.0.2.1',
  '[2001:db8::1]',
  '[::ffff:192.0.2.128]',
  'x-1.example.com.',
  'sip_proxy.default.svc',
]
const USERS = [
  'alice',
  'Bob',
  '%61lice',
  '+1-201-555-0123',
  "a-_.!~*'()&=+$,?/b",
  '1_unusual.URI~(to-be!sure)',
  '\xe4',
  'a%40b',
]
const URI_PARAMS = [
  ';lr',
  ';LR',
  ';transport=udp;lr=on',
  ';lrx;xlr',
  ';lr;ob',
  ';user=phone',
  ';a=%3b;lr',
]
const VIA_PARAMS = [
  'ttl=1',
  'maddr=224.2.0.1',
  'x',
  'y="a,;\\"<b>"',
  'comp=sigcomp',
  'sx=1',
  'keep',
]
const DISPLAY_NAMES = [
  '',
  '',
  'Alice',
  'A B  C',
  '"Bob, <the> ;man; \\"x\\" \\\\" ',
  '"" ',
  '"J\xf6rg" ',
  "token-.!%*_+`'~ ",
]
const OPTION_TAGS = ['path', 'PATH', 'outbound', 'replaces', 'pathx', '100rel']
const OTHERS = [
  'Subject:',
  'X-Empty: ',
  'Allow: INVITE, ACK',
  'UnknownHeaderWithUnusualValue: ;;,,;;,;',
  'Record-Route: <sip:a;lr>',
  'vv: SIP/2.0/UDP no.via',
  'Toe: x',
  'Date: Thu, 21 Feb 2002 13:02:03 GMT',
  'Content-Type: text/plain',
  'Warning: 399 a "b\r\n c"',
  'Proxy-Authenticate: Digest realm="a\\", b"',
  "X-!%*_+`'~: \x80\xff",
]
