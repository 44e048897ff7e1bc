/**
 * One of our addresses in the texts that name it in headers, composed once rather than per packet.
 * Not here: which address a message gets (`rewrite.ts`). Invariant: the texts say what `words` says.
 */

import { formatEndpoint, isIPv4, type Text, asText } from '@sipcast/sip'

export class OwnAddress {
  /** Address and port. */
  readonly words: Int32Array
  readonly isIPv4: boolean
  /** Our Via up to its branch. */
  readonly via: Text
  /** What follows the token in Path and Record-Route. */
  readonly routeEnd: Text
  /** The same for a phone that asked for RFC 5626. */
  readonly outboundRouteEnd: Text

  constructor(words: Int32Array) {
    const hostPort = formatEndpoint(words, 0)
    this.words = words
    this.isIPv4 = isIPv4(words, 0)
    this.via = asText(`Via: SIP/2.0/UDP ${hostPort};rport;branch=`)
    this.routeEnd = asText(`@${hostPort};lr>\r\n`)
    this.outboundRouteEnd = asText(`@${hostPort};lr;ob>\r\n`)
  }
}
