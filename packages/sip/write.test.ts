import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEndpointText } from './address.ts'
import { asText } from './ascii.ts'
import { localTagMatches } from './branch.ts'
import { Message, Scan } from './message.ts'
import { scan } from './scan.ts'
import { type OptionsRequest, RESPONSE_GROWTH_MAX, writeOptions, writeResponse } from './write.ts'

const IPV4 = '198.51.100.7:31000'
const IPV6 = '[2001:1db8:1111:2222:3333:4444:5555:6666]:65535'

/** From an INVITE with these lines to the reply with those. */
const rows = [
  {
    title: 'a phone behind NAT that asks for rport',
    request: ['Via: SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bK1', ...dialog()],
    reply: [
      'Via: SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1;received=198.51.100.7;rport=31000',
      ...dialog(';tag=sc-OdhLI720glw'),
    ],
  },
  {
    title: 'one that does not ask: received only, since sent-by differs (RFC 3261 §18.2.1)',
    request: ['Via: SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1', ...dialog()],
    reply: [
      'Via: SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1;received=198.51.100.7',
      ...dialog(';tag=sc-OdhLI720glw'),
    ],
  },
  {
    title: 'one without NAT: nothing to add',
    request: ['Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1', ...dialog()],
    reply: ['Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1', ...dialog(';tag=sc-OdhLI720glw')],
  },
  {
    title: 'one without NAT that asks for rport: received all the same (RFC 3581 §4)',
    request: ['Via: SIP/2.0/UDP 198.51.100.7:31000;rport', ...dialog()],
    reply: [
      'Via: SIP/2.0/UDP 198.51.100.7:31000;received=198.51.100.7;rport=31000',
      ...dialog(';tag=sc-OdhLI720glw'),
    ],
  },
  {
    title: 'a host name as sent-by',
    request: ['Via: SIP/2.0/UDP phone.example;branch=z9hG4bK1', ...dialog()],
    reply: [
      'Via: SIP/2.0/UDP phone.example;branch=z9hG4bK1;received=198.51.100.7',
      ...dialog(';tag=sc-OdhLI720glw'),
    ],
  },
  {
    title: 'a source that the client made up',
    request: [
      'Via: SIP/2.0/UDP 198.51.100.7;received=192.0.2.9;x=1;rport=9;branch=z9hG4bK1',
      ...dialog(),
    ],
    reply: [
      'Via: SIP/2.0/UDP 198.51.100.7;x=1;branch=z9hG4bK1;received=198.51.100.7;rport=31000',
      ...dialog(';tag=sc-OdhLI720glw'),
    ],
  },
  {
    title: 'IPv6: no brackets in received (RFC 3261 §25.1)',
    source: IPV6,
    request: ['Via: SIP/2.0/UDP [2001:db8::1]:5060;rport;branch=z9hG4bK1', ...dialog()],
    reply: [
      'Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1;received=2001:1db8:1111:2222:3333:4444:5555:6666;rport=65535',
      ...dialog(';tag=sc-OdhLI720glw'),
    ],
  },
  {
    title: 'several Vias in one line and in several, compact, folded, in their order',
    request: [
      'v : SIP / 2.0 / UDP a ;rport ;branch=z9hG4bK1 , SIP/2.0/UDP b;branch=z9hG4bK2',
      'X-Between: 1',
      'VIA: SIP/2.0/TCP c;branch=z9hG4bK3,\r\n SIP/2.0/UDP d',
      ...dialog(),
    ],
    reply: [
      'v : SIP / 2.0 / UDP a  ;branch=z9hG4bK1;received=198.51.100.7;rport=31000 , SIP/2.0/UDP b;branch=z9hG4bK2',
      'VIA: SIP/2.0/TCP c;branch=z9hG4bK3,\r\n SIP/2.0/UDP d',
      ...dialog(';tag=sc-OdhLI720glw'),
    ],
  },
  {
    title: 'a request inside a dialog keeps its To tag (RFC 3261 §8.2.6.2)',
    request: ['Via: SIP/2.0/UDP 198.51.100.7', ...dialog(';tag=theirs')],
    reply: ['Via: SIP/2.0/UDP 198.51.100.7', ...dialog(';tag=theirs')],
  },
]

describe('writeResponse', () => {
  it.each(rows)('answers $title', ({ source = IPV4, request, reply }) => {
    const written = respond(requestText(request), { source })
    expect(written).toBe(
      `${['SIP/2.0 503 No', ...reply, 'Content-Length: 0'].join('\r\n')}\r\n\r\n`,
    )
  })

  it('gives headers of the caller a place, and 420 its Unsupported (RFC 3261 §8.2.2.3)', () => {
    const text = requestText(['Via: SIP/2.0/UDP h', ...dialog(), 'Proxy-Require: a,\r\n b'])
    expect(respond(text, { status: 503, headers: 'Retry-After: 5\r\n' })).toContain(
      '\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n',
    )
    expect(respond(text, { status: 420 })).toContain('\r\nUnsupported: a,\r\n b\r\n')
    expect(respond(text, { status: 483 })).not.toContain('Unsupported')
  })

  it('is read back as a response to the same request', () => {
    const text = requestText([
      'Via: SIP/2.0/UDP h;rport;branch=z9hG4bK1',
      'v: SIP/2.0/UDP i',
      ...dialog(),
    ])
    const message = scanned(respond(text)!, Scan.response)
    expect([message.statusCode, message.viaCount, message.contentLength]).toEqual([503, 2, 0])
    expect([message.cseq, message.via.rportHasValue]).toEqual([7, true])
  })

  it('is answered by an ACK that we know again', () => {
    const text = requestText(['Via: SIP/2.0/UDP h;branch=z9hG4bK1', ...dialog()])
    const tag = /To: .*;tag=(\S+)/.exec(respond(text)!)![1]
    const ack = text.replace('INVITE sip', 'ACK sip').replace('7 INVITE', '7 ACK')
    expect(localTagMatches(scanned(ack.replace('<sip:b@y>', `$&;tag=${tag}`), Scan.request))).toBe(
      true,
    )
  })

  it('answers a malformed request with what it has', () => {
    const text = requestText(['Via: SIP/2.0/UDP h', ...dialog(), 'Max-Forwards: many'])
    expect(respond(text, { status: 400, scan: Scan.badRequest })).toContain(';tag=sc-')
    const cut = `INVITE \nf:<sip:a@x>\nt:<sip:b@y>\nCSeq:7 INVITE\ni:c\nSubject: ${'long enough to pay for what a reply adds '.repeat(4)}\nv:SIP/2.0/UDP h`
    expect(respond(cut, { status: 400, scan: Scan.badRequest })).toContain(
      '\r\nv:SIP/2.0/UDP h;received=198.51.100.7\r\nFrom: <sip:a@x>\r\n',
    )
  })

  it('is terse rather than longer than its request', () => {
    const text =
      'A sip:b SIP/2.0\r\nv:SIP/2.0/UDP h;rport\r\nf:sip:a\r\nt:sip:b\r\ni:1\r\nCSeq:1 A\r\n\r\n'
    expect(respond(text, { headers: 'Retry-After: 5\r\n' })).toBe(
      'SIP/2.0 503 \r\nv:SIP/2.0/UDP h;received=198.51.100.7;rport=31000\r\nf:sip:a\r\nt:sip:b;tag=sc-vYdJfpAOcZA\r\ni:1\r\nCSeq:1 A\r\nl:0\r\n\r\n',
    )
  })

  it('does not outgrow its request by more than its bound, however small or odd that is', () => {
    fc.assert(
      fc.property(smallRequest, fc.constantFrom(IPV4, IPV6), (text, source) => {
        const message = new Message()
        const bytes = Buffer.from(text, 'latin1')
        const said = scan(message, bytes, 0, bytes.length)
        if (said !== Scan.request && said !== Scan.badRequest) return
        const reply = respond(text, { source, headers: 'Retry-After: 5\r\n', scan: said })
        if (said === Scan.request) expect(reply).not.toBe(null)
        if (reply === null) return
        expect(reply.length).toBeLessThanOrEqual(text.length + RESPONSE_GROWTH_MAX)
        if (said === Scan.request) scanned(reply, Scan.response)
        if (reply.includes('Retry-After')) expect(reply.length).toBeLessThanOrEqual(text.length)
      }),
      { numRuns: 500 },
    )
  })

  it('reaches its bound', () => {
    const text = 'A a:b SIP/2.0\nv:SIP/2.0/UDP h;rport\nf:a:b\nt:a:b\ni:1\nCSeq:1 A\n\n'
    expect(respond(text, { source: IPV6, scan: Scan.badRequest })!.length).toBe(
      text.length + RESPONSE_GROWTH_MAX,
    )
  })

  it('is not written where it does not fit, nor beyond its end', () => {
    const text = requestText(['Via: SIP/2.0/UDP h', ...dialog()])
    const length = respond(text)!.length
    const terseLength = respond(text, { room: length - 1 })!.length
    expect(respond(text, { room: terseLength })).toMatch(/^SIP\/2\.0 503 \r\n/)
    expect(respond(text, { room: terseLength - 1 })).toBe(null)
  })

  it('is not written to what lacks a header that it must repeat', () => {
    for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) {
      const lines = ['Via: SIP/2.0/UDP h', ...dialog()].filter((line) => !line.startsWith(name))
      expect(respond(requestText(lines), { scan: Scan.malformed })).toBe(null)
    }
  })
})

describe('writeOptions', () => {
  const request: OptionsRequest = {
    requestUri: 'sip:10.0.0.5:5060',
    sentBy: '10.0.0.9:5070',
    branch: 'z9hG4bKabc',
    from: 'sip:sipcast@10.0.0.9',
    fromTag: 't1',
    callId: 'c1',
    cseq: 4711,
  }

  it('writes a whole request', () => {
    expect(options(request)).toBe(
      `OPTIONS sip:10.0.0.5:5060 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.9:5070;rport;branch=z9hG4bKabc
Max-Forwards: 70
From: <sip:sipcast@10.0.0.9>;tag=t1
To: <sip:10.0.0.5:5060>
Call-ID: c1
CSeq: 4711 OPTIONS
Accept: application/sdp
User-Agent: sipcast
Content-Length: 0

`.replaceAll('\n', '\r\n'),
    )
  })

  it('takes a Contact, other hops, and IPv6', () => {
    const text = options({
      ...request,
      requestUri: 'sip:probe@[2001:db8::5];lr?x=y',
      sentBy: '[2001:db8::9]:5070',
      maxForwards: 0,
      contact: 'sip:[2001:db8::9]:5070',
    })!
    const message = scanned(text, Scan.request)
    expect([message.maxForwards, message.via.port, message.contentLength]).toEqual([0, 5070, 0])
    expect(text).toContain('\r\nContact: <sip:[2001:db8::9]:5070>\r\n')
  })

  it.each([
    ['requestUri', 'sip:h\r\nEvil: 1'],
    ['requestUri', 'sip:a b@h'],
    ['requestUri', ''],
    ['from', 'sip:a@h>;x=<'],
    ['fromTag', 't"'],
    ['callId', 'c\n'],
    ['branch', 'z9hG4bK\u00e9'],
    ['sentBy', 'h\0'],
    ['contact', 'sip:\u{1f600}@h'],
  ])('refuses %s %j', (field, value) => {
    expect(options({ ...request, [field]: value })).toBe(null)
  })

  it('is not written where it does not fit', () => {
    const length = options(request)!.length
    expect(writeOptions(request, new Uint8Array(length + 2), 2)).toBe(length)
    expect(writeOptions(request, new Uint8Array(length + 1), 2)).toBe(-1)
  })

  function options(what: OptionsRequest): string | null {
    const out = Buffer.alloc(1000)
    const length = writeOptions(what, out, 7)
    return length < 0 ? null : out.toString('latin1', 7, 7 + length)
  }
})

/** Requests near the least that can be answered, some of them malformed. */
const smallRequest = fc
  .record({
    line: fc.constantFrom(
      'A a:b SIP/2.0',
      'A sip:b SIP/2.0',
      'INVITE sip:b@c SIP/2.0',
      'A ',
      'A b',
    ),
    end: fc.constantFrom('\r\n', '\n'),
    headers: fc.shuffledSubarray(
      ['f:sip:a', 't:sip:b', 'i:1', 'CSeq:1 A', 'v:SIP/2.0/UDP h', 'm:*'],
      {
        minLength: 5,
      },
    ),
    via: fc.constantFrom('', ';rport', ';rport=1', ';received=1', ';received;rport', ';RPORT;s=1'),
    cut: fc.constantFrom(0, 0, 1, 2, 3),
  })
  .map(({ line, end, headers, via, cut }) => {
    const lines = headers.map((header) => (header.startsWith('v') ? header + via : header))
    const text = [line, ...lines, '', ''].join(end)
    return text.slice(0, text.length - cut)
  })

/** The lines between Via and the end, long enough for a reply to be no longer than its request. */
function dialog(toTag = ''): readonly string[] {
  return ['From: A <sip:a@x>;tag=1', `To: <sip:b@y>${toTag}`, 'Call-ID: c@x', 'CSeq: 7 INVITE']
}

function requestText(lines: readonly string[]): string {
  const rest = [
    'Contact: <sip:a@10.0.0.1:5062>',
    'User-Agent: a phone with a long name, as phones have',
    'Content-Length: 0',
  ]
  return `${['INVITE sip:b@y SIP/2.0', ...lines, ...rest].join('\r\n')}\r\n\r\n`
}

function scanned(text: string, expected: Scan): Message {
  const message = new Message()
  const bytes = Buffer.from(text, 'latin1')
  expect(scan(message, bytes, 0, bytes.length)).toBe(expected)
  return message
}

interface Respond {
  readonly source?: string
  readonly status?: number
  readonly headers?: string
  readonly scan?: Scan
  readonly room?: number
}

/** The reply, or null; request and reply share an array, as in the packet loop. */
function respond(request: string, how: Respond = {}): string | null {
  const arena = Buffer.alloc(4000, 0xff)
  const length = arena.write(request, 3, 'latin1')
  const message = new Message()
  expect(scan(message, arena, 3, 3 + length)).toBe(how.scan ?? Scan.request)
  const source = new Int32Array(8)
  expect(parseEndpointText(how.source ?? IPV4, source, 3)).toBe(true)
  const outEnd = 2000 + (how.room ?? 2000)
  const written = writeResponse(message, arena, 2000, outEnd, {
    status: how.status ?? 503,
    reason: asText('No'),
    headers: asText(how.headers ?? ''),
    source,
    sourceAt: 3,
  })
  expect(arena.subarray(outEnd).every((byte) => byte === 0xff)).toBe(true)
  return written < 0 ? null : arena.toString('latin1', 2000, 2000 + written)
}
