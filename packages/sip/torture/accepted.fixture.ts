/** For tests: what must be understood, beyond the RFCs' own torture cases; each row a reading that others get wrong. */
import { ROUTES_MAX, VIA_LINES_MAX } from '../message.ts'
import { invite, message, type Row, register, response } from './rows.fixture.ts'

const STUN_REQUEST = '\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl'

export const accepted: readonly Row[] = [
  {
    says: 'lines may end in LF alone',
    datagram: invite('Content-Length: 1').replaceAll('\r\n', '\n') + 'x',
    result: 'request',
    fields: { callId: 'c1@192.0.2.1', via: { rport: ';rport' }, body: 'x' },
  },
  {
    says: 'line ends in front of the start line are skipped',
    datagram: `\r\n\n\r\n${invite()}`,
    result: 'request',
    fields: { method: 'INVITE' },
  },
  {
    says: 'without Content-Length the rest of the datagram is the body',
    datagram: `${invite('-Content-Length')}v=0\r\n\r\n`,
    result: 'request',
    fields: { contentLength: -1, body: 'v=0\r\n\r\n' },
  },
  {
    says: 'bytes beyond Content-Length are cut off',
    datagram: `${invite('Content-Length: 3')}abcdef`,
    result: 'request',
    fields: { body: 'abc' },
  },
  {
    says: 'compact names, in capitals too',
    datagram: message(
      [
        'REGISTER sip:example.com SIP/2.0',
        'V: SIP/2.0/UDP 192.0.2.1',
        'F: <sip:a@example.com>;tag=1',
        'T: <sip:b@example.com>',
        'I: c1',
        'CSEQ: 1 REGISTER',
        'K: path',
        'M: <sip:a@192.0.2.1>;reg-id=1',
        'L: 1',
      ],
      'xy',
    ),
    result: 'request',
    fields: { callId: 'c1', supportedPath: true, contactHasRegId: true, body: 'x' },
  },
  {
    says: 'names that begin or end like one that is read',
    datagram: invite(
      '^Vi: no',
      '^Viaa: SIP/2.0/UDP no',
      '^X-Call-ID: no',
      '^Call-IX: no',
      '^Max-Forwarts: 1',
      '^Content-Lengthy: 9999',
      '^Content-Xength: 9999',
      '^o: no',
      '^Tp: no',
      '^Rouse: no',
    ),
    result: 'request',
    fields: { viaCount: 1, callId: 'c1@192.0.2.1', maxForwards: 70, contentLength: 0, routes: [] },
  },
  {
    says: 'header names with characters that no grammar allows belong to nobody',
    datagram: invite('+V\xefa: no', '+"Via": no', '+From;: no', '+\x7f: no'),
    result: 'request',
  },
  {
    says: 'a fold right behind the colon, and one of nothing but spaces at the end',
    datagram: invite('Call-ID:\r\n\tc2\r\n  \r\n ', 'CSeq: 1\r\n \t\r\n INVITE'),
    result: 'request',
    fields: { callId: 'c2', cseq: 1, cseqMethod: 'INVITE' },
  },
  {
    says: 'several Vias in one line, commas and semicolons inside quotes',
    datagram: invite(
      'Via: SIP/2.0/UDP a;x=",;branch=no\\",";branch=yes , SIP/2.0/UDP b;y="," ,SIP/2.0/UDP c',
      '+Via: SIP/2.0/UDP d, SIP/2.0/UDP e',
    ),
    result: 'request',
    fields: { via: { host: 'a', branch: 'yes', hasMore: true }, viaCount: 5 },
  },
  {
    says: 'rport and received as they come back from a proxy',
    datagram: response(
      'Via: SIP/2.0/UDP h ; RPORT = 5060; Received=192.0.2.1 ;S=abc;branch=z9hG4bK1',
    ),
    result: 'response',
    fields: {
      via: {
        rport: '; RPORT = 5060',
        rportHasValue: true,
        received: '; Received=192.0.2.1',
        flow: 'abc',
        branch: 'z9hG4bK1',
      },
    },
  },
  {
    says: 'empty parameters in Via, as some devices end it with a semicolon',
    datagram: invite('Via: SIP/2.0/UDP h;;branch=z9hG4bK1;'),
    result: 'request',
    fields: { via: { value: 'SIP/2.0/UDP h;;branch=z9hG4bK1;', branch: 'z9hG4bK1' } },
  },
  {
    says: 'a Via of another protocol and transport',
    datagram: invite('Via: X/1/y h.example.com : 5070'),
    result: 'request',
    fields: { via: { transport: 'y', host: 'h.example.com', port: 5070 } },
  },
  {
    says: 'what looks like tags, brackets and commas inside quotes is none',
    datagram: invite(
      'From: "a;tag=no,<sip:no@no>\\";tag=no" <sip:a@example.com;tag=no>;x="y;tag=no";tag=yes',
      'To: "\\\\" <sip:b@example.com>;tag=b1',
    ),
    result: 'request',
    fields: { fromTag: 'yes', toTag: 'b1' },
  },
  {
    says: 'without brackets, parameters are the header’s',
    datagram: register('To: sip:b@example.com:5070;tag=t', 'From: sip:a@example.com ;tag=f'),
    result: 'request',
    fields: { toUri: { text: 'sip:b@example.com:5070', params: null }, toTag: 't', fromTag: 'f' },
  },
  {
    says: 'a quoted parameter called tag keeps its quotes',
    datagram: invite('From: <sip:a@b>;tag="x y"'),
    result: 'request',
    fields: { fromTag: '"x y"' },
  },
  {
    says: 'tel URIs',
    datagram: register(
      '=REGISTER tel:+1-201-555-0123 SIP/2.0',
      'To: <TEL:7042;phone-context=example.com>',
    ),
    result: 'request',
    fields: {
      uri: { scheme: 'tel', user: '+1-201-555-0123', host: null, params: null },
      toUri: { scheme: 'tel', user: '7042', params: ';phone-context=example.com' },
    },
  },
  {
    says: 'password and parameters of the user are not the user',
    datagram: invite('=INVITE SIPS:alice;day=tuesday:secret@Example.COM:5061;lr?x=y SIP/2.0'),
    result: 'request',
    fields: {
      uri: { scheme: 'sips', user: 'alice', host: 'Example.COM', port: 5061, params: ';lr' },
    },
  },
  {
    says: 'an empty user is none',
    datagram: register('=REGISTER sip:@example.com SIP/2.0', 'To: <sip::secret@example.com>'),
    result: 'request',
    fields: { uri: { user: null, host: 'example.com' }, toUri: { user: null } },
  },
  {
    says: 'routes over several lines, with display names, parameters and every spelling of lr',
    datagram: invite(
      '+Route: "a, <b>" <sip:t1@h1;lr>;p="x,y" , <sip:h2;LR=on;x>',
      '+ROUTE:<sip:h3;lrx>,<sip:h4;x=lr>,<sip:h5;lr?lr>',
    ),
    result: 'request',
    fields: {
      routes: [
        { value: '"a, <b>" <sip:t1@h1;lr>;p="x,y"', uri: 'sip:t1@h1;lr', loose: true },
        { value: '<sip:h2;LR=on;x>', loose: true },
        { value: '<sip:h3;lrx>', loose: false },
        { value: '<sip:h4;x=lr>', loose: false },
        { value: '<sip:h5;lr?lr>', loose: true },
      ],
    },
  },
  {
    says: `${ROUTES_MAX} routes`,
    datagram: invite(`+Route: ${Array.from({ length: ROUTES_MAX }, () => '<sip:h;lr>').join()}`),
    result: 'request',
  },
  {
    says: `${VIA_LINES_MAX} Via lines`,
    datagram: invite(...Array.from({ length: VIA_LINES_MAX - 1 }, () => '+v: SIP/2.0/UDP h')),
    result: 'request',
    fields: { viaCount: VIA_LINES_MAX },
  },
  {
    says: 'option tags in any case and any line, whole words only',
    datagram: register('+Supported: gruu,Outbound', '+k: xpath, pathx', '+k:,  PATH ,'),
    result: 'request',
    fields: { supportedPath: true, supportsOutbound: true },
  },
  {
    says: 'option tags that only look alike',
    datagram: register('+Supported: xpath, pathx, outbounds;path, "path"'),
    result: 'request',
    fields: { supportedPath: false, supportsOutbound: false },
  },
  {
    says: 'reg-id on any Contact value, as a parameter of the header only',
    datagram: register(
      '+Contact: "x;reg-id=1" <sip:a@b;reg-id=1>',
      '+m: sip:a@b;q=1, <sip:c>;REG-ID=2',
    ),
    result: 'request',
    fields: { contactHasRegId: true },
  },
  {
    says: 'a Contact of "*", and broken ones, which the registrar refuses',
    datagram: register('+Contact: *', '+Contact: "<sip:a@b>;reg-id=1', '+Contact: ,,;;', '+m:'),
    result: 'request',
    fields: { contactHasRegId: false },
  },
  {
    says: 'the first User-Agent counts, and the first Proxy-Require that is not empty',
    datagram: invite(
      '+User-Agent: one',
      '+User-Agent: two',
      '+Proxy-Require: ',
      '+Proxy-Require: x',
    ),
    result: 'request',
    fields: { userAgent: 'one', proxyRequire: 'x' },
  },
  {
    says: 'an empty User-Agent',
    datagram: invite('+User-Agent:'),
    result: 'request',
    fields: { userAgent: '' },
  },
  {
    says: 'Max-Forwards beyond 255 counts as 255',
    datagram: invite('Max-Forwards: 2147483647'),
    result: 'request',
    fields: { maxForwards: 255 },
  },
  {
    says: 'the largest CSeq',
    datagram: invite('CSeq: 2147483647 INVITE'),
    result: 'request',
    fields: { cseq: 2 ** 31 - 1 },
  },
  {
    says: 'the version in lower case',
    datagram: invite('=INVITE sip:bob@example.com sip/2.0'),
    result: 'request',
  },
  {
    says: 'a status line without reason and space',
    datagram: response('=SIP/2.0 486'),
    result: 'response',
    fields: { statusCode: 486 },
  },
  {
    says: 'a response to another method than any known',
    datagram: response('CSeq: 1 FOO'),
    result: 'response',
    fields: { cseqMethod: 'FOO', method: null },
  },
  { says: 'CRLF twice asks for an answer', datagram: '\r\n\r\n', result: 'keepAliveCrlf' },
  { says: 'CRLF once does not', datagram: '\r\n', result: 'keepAliveSilent' },
  { says: 'nor do three', datagram: '\r\n\r\n\r\n', result: 'keepAliveSilent' },
  { says: 'NULs keep a binding open', datagram: '\0\0\0\0', result: 'keepAliveSilent' },
  { says: 'so does nothing', datagram: '', result: 'keepAliveSilent' },
  { says: 'so does a space', datagram: ' ', result: 'keepAliveSilent' },
  { says: 'a STUN binding request', datagram: STUN_REQUEST, result: 'stun' },
  {
    says: 'a STUN request with an attribute',
    datagram: `\0\x01\0\x04\x21\x12\xa4\x42abcdefghijkl\x80\x22\0\0`,
    result: 'stun',
  },
]
