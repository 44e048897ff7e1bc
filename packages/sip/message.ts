/**
 * One SIP message as offsets: what `scan` fills in and everything else reads. Nothing is copied out of the datagram.
 * Not here: how the bytes are read (scan.ts and one file per header), how they are changed (edit.ts).
 *
 * Invariants after a `scan` that returned `Scan.request` or `Scan.response`: every offset is absolute into `bytes`
 * and inside [start, end]; each pair is either both -1 (absent) or start ≤ end; views are objects made once, so a
 * Message is reused for every datagram and never allocates. After any other result only the fields that Scan.badRequest
 * names are meaningful.
 */

/** What a datagram turned out to be. */
export const Scan = {
  /** A request, whole and well-formed as far as a balancer reads it. */
  request: 0,
  /** A response, likewise. */
  response: 1,
  /** CRLFCRLF: a keep-alive that wants CRLF back (RFC 5626 §3.5.1). */
  keepAliveCrlf: 2,
  /** Other line ends, spaces or NULs only, or nothing: a keep-alive that wants no answer. */
  keepAliveSilent: 3,
  /** A STUN message by its magic cookie and length (RFC 5389 §6, RFC 5626 §3.5.2). */
  stun: 4,
  /** Shorter than any SIP message. */
  tooShort: 5,
  /**
   * A malformed request that can still be answered with 400: `defect`, the Via fields, `from`, `to`, Call-ID and
   * CSeq ranges and `method` are good to copy; nothing else is to be trusted.
   */
  badRequest: 6,
  /** Anything else, malformed responses among them: drop and count. */
  malformed: 7,
} as const
export type Scan = (typeof Scan)[keyof typeof Scan]

/** Methods that have a name here; all others are `other` (RFC 3261 §7.1: methods are case-sensitive). */
export const Method = {
  other: 0,
  invite: 1,
  ack: 2,
  bye: 3,
  cancel: 4,
  register: 5,
  options: 6,
  subscribe: 7,
  notify: 8,
  message: 9,
  info: 10,
  refer: 11,
  update: 12,
  prack: 13,
  publish: 14,
} as const
export type Method = (typeof Method)[keyof typeof Method]

/** URI schemes (any case, RFC 3986 §3.1). */
export const Scheme = { other: 0, sip: 1, sips: 2, tel: 3 } as const
export type Scheme = (typeof Scheme)[keyof typeof Scheme]

/** The first thing that is wrong with a malformed message; for `explain`, counters and reason phrases. */
export const Defect = {
  none: 0,
  startLine: 1,
  version: 2,
  requestUri: 3,
  statusCode: 4,
  /** A line without a colon, with a bad name, or a continuation line with nothing to continue. */
  headerLine: 5,
  /** A control character in the header section that is no TAB and not quoted, a CR without LF among them. */
  controlCharacter: 6,
  /** No empty line ends the headers. */
  headersOpen: 7,
  via: 8,
  from: 9,
  to: 10,
  callId: 11,
  cseq: 12,
  cseqMethod: 13,
  maxForwards: 14,
  contentLength: 15,
  route: 16,
  /** A header that may stand only once stands twice. */
  duplicateHeader: 17,
  missingHeader: 18,
  tooManyRoutes: 19,
  tooManyVias: 20,
} as const
export type Defect = (typeof Defect)[keyof typeof Defect]

/** Route values that a message may carry; more make it malformed. */
export const ROUTES_MAX = 32

/** Via header lines that a message may carry: one more than Max-Forwards can count. */
export const VIA_LINES_MAX = 256

/** A URI: sip, sips, tel in parts, anything else only as scheme and range. */
export class UriView {
  start = -1
  end = -1
  scheme: Scheme = Scheme.other
  /** User or telephone number, without password and without ';' parameters of the user part; an empty one is -1. */
  userStart = -1
  userEnd = -1
  /** Host; an IPv6 reference *with* its brackets, as `parseAddress` takes it. -1 for tel and unknown schemes. */
  hostStart = -1
  hostEnd = -1
  /** 1 … 65535, 0 = none. */
  port = 0
  /** From the first ';' after host and port (tel: after the number) to the end or the '?'; -1 without parameters. */
  paramsStart = -1
  paramsEnd = -1

  clear(): void {
    this.start = this.end = this.userStart = this.userEnd = this.hostStart = this.hostEnd = -1
    this.paramsStart = this.paramsEnd = -1
    this.scheme = Scheme.other
    this.port = 0
  }
}

/** The topmost Via value. */
export class ViaView {
  /** The whole header line, folds and line end included. */
  lineStart = -1
  lineEnd = -1
  /** This value: from 'SIP' to the end of its last parameter. */
  valueStart = -1
  valueEnd = -1
  /** Whether another value follows in the same line. */
  hasMore = false
  transportStart = -1
  transportEnd = -1
  /** sent-by host; an IPv6 reference with its brackets. */
  hostStart = -1
  hostEnd = -1
  /** sent-by port, 0 = none. */
  port = 0
  branchStart = -1
  branchEnd = -1
  /** The whole parameter, from its ';': deleting it deletes the parameter. */
  rportStart = -1
  rportEnd = -1
  rportHasValue = false
  /** The whole parameter, from its ';'. */
  receivedStart = -1
  receivedEnd = -1
  /** Value of our own parameter (VIA_FLOW_PARAM). */
  flowStart = -1
  flowEnd = -1

  clear(): void {
    this.lineStart = this.lineEnd = this.valueStart = this.valueEnd = -1
    this.transportStart = this.transportEnd = this.hostStart = this.hostEnd = -1
    this.branchStart = this.branchEnd = this.rportStart = this.rportEnd = -1
    this.receivedStart = this.receivedEnd = this.flowStart = this.flowEnd = -1
    this.hasMore = this.rportHasValue = false
    this.port = 0
  }
}

/** Where the scanner is: the header line, and the parameter that was read last. */
export class Cursor {
  lineStart = -1
  lineEnd = -1
  /** From the ';' to the end of name or value. */
  paramStart = -1
  paramEnd = -1
  /** Equal to `nameEnd` for an empty parameter (';;'), which is tolerated. */
  nameStart = -1
  nameEnd = -1
  /** A quoted value includes its quotes; -1 without '='. */
  valueStart = -1
  valueEnd = -1
  /** Value of the tag parameter of From or To. */
  tagStart = -1
  tagEnd = -1
}

/** One value of a Route header. */
export class RouteView {
  /** The whole header line it stands in, folds and line end included; values of one line share these. */
  lineStart = -1
  lineEnd = -1
  /** This value, display name and header parameters included, commas not. */
  valueStart = -1
  valueEnd = -1
  readonly uri: UriView = new UriView()
  /** `lr` among the URI parameters (RFC 3261 §16.12). */
  loose = false
}

/** A scanned message; see the invariants above. */
export class Message {
  bytes: Uint8Array = new Uint8Array(0)
  /** The same bytes, for reading four at once; made anew only when `bytes` is another array. */
  view: DataView = new DataView(this.bytes.buffer)
  /** First byte of the start line: line ends in front of it are skipped (RFC 3261 §7.5). */
  start = 0
  /** End of the message: of the body by Content-Length, so surplus bytes are cut, or of the datagram. */
  end = 0
  /** What is wrong with it, where the scan found it malformed. */
  defect: Defect = Defect.none

  isRequest = false
  method: Method = Method.other
  methodStart = -1
  methodEnd = -1
  /** 100 … 699; 0 in requests. */
  statusCode = 0
  /** Request-URI. */
  readonly uri: UriView = new UriView()

  /** Offset of the first header line: what must stand above every other header is inserted here. */
  headersStart = -1
  /** Offset after the empty line. */
  bodyStart = -1
  /** As the header says; -1 without one, and then the rest of the datagram is the body (RFC 3261 §18.3). */
  contentLength = -1

  readonly via: ViaView = new ViaView()
  /** Via values in all lines. */
  viaCount = 0
  /** Start and end of each Via header line, in order, line ends included: 2 · `viaLineCount` offsets. */
  readonly viaLines: Int32Array = new Int32Array(2 * VIA_LINES_MAX)
  viaLineCount = 0

  callIdStart = -1
  callIdEnd = -1
  /** The whole header value, to copy. */
  fromStart = -1
  fromEnd = -1
  fromTagStart = -1
  fromTagEnd = -1
  /** The whole header value, to copy. */
  toStart = -1
  toEnd = -1
  /** Only in a REGISTER, whose key it is; absent in all others. */
  readonly toUri: UriView = new UriView()
  toTagStart = -1
  toTagEnd = -1

  /** The whole header value, to copy. */
  cseqStart = -1
  cseqEnd = -1
  cseqNumberStart = -1
  cseqNumberEnd = -1
  /** The number, below 2³¹ (RFC 3261 §8.1.1.5). */
  cseq = -1
  cseqMethod: Method = Method.other
  cseqMethodStart = -1
  cseqMethodEnd = -1

  /** At most 255, however large the number was; -1 = absent. */
  maxForwards = -1
  /** The digits. */
  maxForwardsStart = -1
  maxForwardsEnd = -1

  readonly routes: readonly RouteView[] = Array.from({ length: ROUTES_MAX }, () => new RouteView())
  routeCount = 0

  /** Value of the first User-Agent. */
  userAgentStart = -1
  userAgentEnd = -1
  /** Value of the first Proxy-Require that is not empty. */
  proxyRequireStart = -1
  proxyRequireEnd = -1
  /** In a REGISTER: `path` is among the option tags of Supported (RFC 3327 §5.1). */
  supportedPath = false
  /** In a REGISTER: `outbound` is among the option tags of Supported (RFC 5626 §4.2.1). */
  supportsOutbound = false
  /** In a REGISTER: any Contact value has a reg-id parameter (RFC 5626 §4.2.1). */
  contactHasRegId = false

  /** The scanner's scratch. */
  readonly cursor: Cursor = new Cursor()

  /** Marks the message as malformed; the first finding stands. */
  spoil(defect: Defect): void {
    if (this.defect === Defect.none) this.defect = defect
  }

  /** Everything to absent, for the datagram [start, end) of `bytes`. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.start = start
    this.end = end
    this.defect = Defect.none
    this.isRequest = false
    this.method = this.cseqMethod = Method.other
    this.statusCode = this.viaCount = this.viaLineCount = this.routeCount = 0
    this.methodStart = this.methodEnd = this.headersStart = this.bodyStart = -1
    this.contentLength = this.cseq = this.maxForwards = -1
    this.callIdStart = this.callIdEnd = this.fromStart = this.fromEnd = -1
    this.fromTagStart = this.fromTagEnd = this.toStart = this.toEnd = -1
    this.toTagStart = this.toTagEnd = this.cseqStart = this.cseqEnd = -1
    this.cseqNumberStart = this.cseqNumberEnd = this.cseqMethodStart = this.cseqMethodEnd = -1
    this.maxForwardsStart = this.maxForwardsEnd = this.userAgentStart = this.userAgentEnd = -1
    this.proxyRequireStart = this.proxyRequireEnd = -1
    this.supportedPath = this.supportsOutbound = this.contactHasRegId = false
    this.uri.clear()
    this.toUri.clear()
    this.via.clear()
  }
}
