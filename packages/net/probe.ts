/** What a prober is given and gives back, and what it remembers of one target. */

import { ENDPOINT_WORDS, formatEndpoint, isIPv4, parseAddressText } from '@sipcast/sip'
import { type AcceptedCodes, acceptedCodes } from './accepted-codes.ts'
import type { Due } from './due-queue.ts'

export interface ProbeTarget {
  readonly id: string
  /** An IP literal. */
  readonly address: string
  readonly port: number
  /** null: `sip:ADDRESS:PORT`. */
  readonly requestUri: string | null
  /** A URI; null: one of ours. */
  readonly from: string | null
  readonly intervalMs: number
  /** At most the interval. */
  readonly timeoutMs: number
  /** "404", "2xx". */
  readonly acceptedCodes: readonly string[]
}

export const ProbeOutcome = {
  accepted: 'accepted',
  /** Answered, but with a code that is not accepted. */
  rejected: 'rejected',
  /** 503 with Retry-After: alive, and asking for no more. */
  unavailable: 'unavailable',
  timeout: 'timeout',
  /** An ICMP error came back. */
  refused: 'refused',
} as const
export type ProbeOutcome = (typeof ProbeOutcome)[keyof typeof ProbeOutcome]

export interface ProbeResult {
  readonly id: string
  readonly outcome: ProbeOutcome
  /** Of the answer, if there was one; so the next two. */
  readonly statusCode: number | null
  readonly rttMs: number | null
  readonly retryAfterSeconds: number | null
}

/** One target's state: either waiting for its next turn or, with a branch, for an answer; due by then. */
export interface Probe extends Due {
  target: ProbeTarget
  readonly endpoint: Int32Array
  readonly family: 4 | 6
  readonly requestUri: string
  readonly accepts: AcceptedCodes
  /** The same in all its probes, so that a proxy sees one dialogue partner and not thousands. */
  readonly callId: string
  readonly fromTag: string
  cseq: number
  sentAtMs: number
  /** When its request was sent last: it may be repeated. */
  requestedAtMs: number
  /** Of the probe under way; null between probes. */
  branch: string | null
}

/** Undefined if the target's address is none. */
export function newProbe(target: ProbeTarget, token: () => string): Probe | undefined {
  const endpoint = new Int32Array(ENDPOINT_WORDS)
  if (!parseAddressText(target.address, endpoint, 0)) return undefined
  endpoint[ENDPOINT_WORDS - 1] = target.port
  return {
    target,
    endpoint,
    family: isIPv4(endpoint, 0) ? 4 : 6,
    requestUri: target.requestUri ?? `sip:${formatEndpoint(endpoint, 0)}`,
    accepts: acceptedCodes(target.acceptedCodes),
    callId: token(),
    fromTag: token(),
    cseq: 0,
    sentAtMs: Number.NEGATIVE_INFINITY,
    requestedAtMs: Number.NEGATIVE_INFINITY,
    branch: null,
    dueMs: 0,
    place: -1,
  }
}

/** Whether a changed target can go on as the same probe: only its rhythm differs. */
export function isSameProbe(a: ProbeTarget, b: ProbeTarget): boolean {
  return (
    a.address === b.address &&
    a.port === b.port &&
    a.requestUri === b.requestUri &&
    a.from === b.from &&
    a.acceptedCodes.join() === b.acceptedCodes.join()
  )
}
