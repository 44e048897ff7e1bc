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
  /** 200 to an OPTIONS for the balancer itself from its own node: it tests itself. */
  answerSelfTest: 8,
  /** 200 to an OPTIONS for the balancer itself. */
  answerOptions: 9,
  /** 400 to a malformed request that names somebody to answer. */
  answerMalformed: 10,
  /** 403: an own Route carries no valid token, or a Path token came from outside. */
  answerBadToken: 11,
  /** 403: a Route remains that is neither ours nor a member's. */
  answerForeignRoute: 12,
  /** 404: a proxy sent back a host that is neither ours nor in `domains`. */
  answerForeignDomain: 13,
  /** 420: Proxy-Require names extensions; we support none. */
  answerBadExtension: 14,
  /** 483: Max-Forwards is 0. */
  answerTooManyHops: 15,
  /** 503 with Retry-After: no member of the pool is live. */
  answerNoProxy: 16,

  /** The ACK to one of our own replies. */
  absorbAck: 17,
  dropTooShort: 18,
  dropMalformed: 19,
  /** Over the source's rate, or a reply over the rate of local replies. */
  dropRate: 20,
  dropReplyRate: 21,
  dropUserAgent: 22,
  /** A response whose top Via is not ours or whose MAC is wrong. */
  dropForeignResponse: 23,
  /** A request on the inside socket that belongs to no SipProxy, or no table is in use. */
  dropNoSipProxy: 24,
  /** The table names a signing key that has not reached this balancer. */
  dropNoKey: 25,
  /** An ACK that would have been answered. */
  dropAck: 26,
  /** The message with our headers exceeds the largest datagram, or has more headers to edit than we edit. */
  dropTooBig: 27,
  /** No open socket of ours for the address or IP version that the message must leave from. */
  dropNoSocket: 28,
} as const

export type Verdict = (typeof Verdict)[keyof typeof Verdict]

/** Of the datagrams of others, those that say nothing against this balancer: it did what they deserve. */
export function isServed(verdict: number): boolean {
  return IS_SERVED[verdict] === 1
}

const UNSERVED: readonly number[] = [
  Verdict.answerSelfTest,
  Verdict.dropNoSipProxy,
  Verdict.dropNoKey,
  Verdict.dropNoSocket,
]
const IS_SERVED = Uint8Array.from(Object.values(Verdict), (verdict) =>
  UNSERVED.includes(verdict) ? 0 : 1,
)

/** Verdict names by number, as metrics and `explain` print them. */
export const verdictNames: readonly string[] = Object.keys(Verdict)

export const VERDICT_COUNT = verdictNames.length
