/**
 * What became of one datagram: a closed set of numbers, one counter each.
 * Not here: deciding (`forward.ts`) or counting (`counters.ts`).
 * Invariant: every datagram received ends in exactly one verdict.
 */

export const Verdict = {
  /** Request to the owner of its slot. */
  toOwner: 0,
  /** Request to the backup of its slot: the owner is dead by this balancer's own evidence. */
  toBackup: 1,
  /** Owner and backup dead: the live member that rendezvous hashing names. */
  toSubstitute: 2,
  /** Request to the live member that a Route, the Request-URI or a token names. */
  toMember: 3,
  /** Request to the phone whose flow a token names. */
  toFlow: 4,
  /** Response to the source recorded in our Via. */
  toSource: 5,

  answerKeepAlive: 6,
  answerStun: 7,
  /** 200 to an OPTIONS for the balancer itself. */
  answerOptions: 8,
  /** 400 to a malformed request that names somebody to answer. */
  answerMalformed: 9,
  /** 403: an own Route carries no valid token, or a Path token came from outside. */
  answerBadToken: 10,
  /** 403: a Route remains that is neither ours nor a member's. */
  answerForeignRoute: 11,
  /** 404: a proxy sent back a host that is neither ours nor in `domains`. */
  answerForeignDomain: 12,
  /** 420: Proxy-Require names extensions; we support none. */
  answerBadExtension: 13,
  /** 483: Max-Forwards is 0. */
  answerTooManyHops: 14,
  /** 503 with Retry-After: no member of the pool is live. */
  answerNoProxy: 15,

  /** The ACK to one of our own replies. */
  absorbAck: 16,
  dropTooShort: 17,
  dropMalformed: 18,
  /** Over the source's rate, or a reply over the rate of local replies. */
  dropRate: 19,
  dropReplyRate: 20,
  dropUserAgent: 21,
  /** A response whose top Via is not ours or whose MAC is wrong. */
  dropForeignResponse: 22,
  /** A request on the inside socket that belongs to no SipProxy, or no table is in use. */
  dropNoSipProxy: 23,
  /** The table names a signing key that has not reached this balancer. */
  dropNoKey: 24,
  /** An ACK that would have been answered. */
  dropAck: 25,
  /** The message with our headers exceeds the largest datagram, or has more headers to edit than we edit. */
  dropTooBig: 26,
  /** No open socket of ours for the address or IP version that the message must leave from. */
  dropNoSocket: 27,
} as const

export type Verdict = (typeof Verdict)[keyof typeof Verdict]

/** Verdict names by number, as metrics and `explain` print them. */
export const verdictNames: readonly string[] = Object.keys(Verdict)

export const VERDICT_COUNT = verdictNames.length
