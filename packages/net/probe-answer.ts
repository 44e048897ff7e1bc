/** Answers to probes: which probe they answer, and what they say of the target. */

import { type Message, Scan, scan } from '@sipcast/sip'
import type { AcceptedCodes } from './accepted-codes.ts'
import { ProbeOutcome } from './probe.ts'
import { retryAfterSeconds } from './retry-after.ts'

export interface ProbeAnswer {
  /** Of the topmost Via, which is ours if the answer is. */
  readonly branch: string
  readonly statusCode: number
  readonly retryAfterSeconds: number | null
}

const FINAL_CODE_MIN = 200
const SERVICE_UNAVAILABLE = 503
/** Branches of ours are shorter. */
const BRANCH_LENGTH_MAX = 64

/** Null for what is no final response. */
export function readAnswer(
  message: Message,
  bytes: Uint8Array,
  start: number,
  end: number,
): ProbeAnswer | null {
  if (scan(message, bytes, start, end) !== Scan.response) return null
  const { statusCode, via } = message
  if (statusCode < FINAL_CODE_MIN || via.branchEnd - via.branchStart > BRANCH_LENGTH_MAX)
    return null
  return {
    branch: String.fromCharCode(...bytes.subarray(via.branchStart, via.branchEnd)),
    statusCode,
    retryAfterSeconds: statusCode === SERVICE_UNAVAILABLE ? retryAfterSeconds(message) : null,
  }
}

export function judge(answer: ProbeAnswer, accepts: AcceptedCodes): ProbeOutcome {
  if (accepts.has(answer.statusCode)) return ProbeOutcome.accepted
  return answer.retryAfterSeconds === null ? ProbeOutcome.rejected : ProbeOutcome.unavailable
}
