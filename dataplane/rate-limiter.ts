/**
 * Token buckets per source in fixed memory: what one source may send per second (design 5.6). Not here: who
 * is exempt (`protect.ts`). Invariants: memory never grows; a source that shares a set with busier ones can
 * lose its bucket and begin with a full one, never be punished for another's traffic. IPv6 sources count by
 * /64, since one subscriber holds that many addresses.
 *
 *     set = 4 buckets; bucket: address words 0…3 (int32) | pool | tokens (float64) | refilled at (float64 ms)
 */

import { isIPv4 } from '@sipcast/sip'
import { LOCAL_REPLIES_BURST, LOCAL_REPLIES_PER_SECOND, RATE_BUCKETS, RATE_WAYS } from './limits.ts'

const KEY_WORDS = 5

export class RateLimiter {
  readonly #keys = new Int32Array(RATE_BUCKETS * KEY_WORDS)
  readonly #tokens = new Float64Array(RATE_BUCKETS)
  readonly #refilledMs = new Float64Array(RATE_BUCKETS)
  readonly #key = new Int32Array(KEY_WORDS)

  /**
   * Takes one packet from the source's bucket; false where it is empty.
   * @param pool distinguishes SipProxies, whose rates differ; 1 or more
   */
  take(words: Int32Array, at: number, pool: number, limit: Rate, nowMs: number): boolean {
    const bucket = this.#bucketOf(words, at, pool, limit, nowMs)
    const elapsedMs = Math.max(0, nowMs - this.#refilledMs[bucket]!)
    const tokens = Math.min(
      limit.burst,
      this.#tokens[bucket]! + (elapsedMs * limit.perSource) / 1000,
    )
    this.#refilledMs[bucket] = nowMs
    if (tokens < 1) {
      this.#tokens[bucket] = tokens
      return false
    }
    this.#tokens[bucket] = tokens - 1
    return true
  }

  #bucketOf(words: Int32Array, at: number, pool: number, limit: Rate, nowMs: number): number {
    const key = this.#key
    const wholeAddress = isIPv4(words, at)
    key[0] = words[at]!
    key[1] = words[at + 1]!
    key[2] = wholeAddress ? words[at + 2]! : 0
    key[3] = wholeAddress ? words[at + 3]! : 0
    key[4] = pool
    const first = setOf(key)
    let oldest = first
    for (let bucket = first; bucket < first + RATE_WAYS; bucket++) {
      if (this.#holds(bucket)) return bucket
      if (this.#refilledMs[bucket]! < this.#refilledMs[oldest]!) oldest = bucket
    }
    this.#keys.set(key, oldest * KEY_WORDS)
    this.#tokens[oldest] = limit.burst
    this.#refilledMs[oldest] = nowMs
    return oldest
  }

  #holds(bucket: number): boolean {
    const keys = this.#keys
    const at = bucket * KEY_WORDS
    for (let word = 0; word < KEY_WORDS; word++) {
      if (keys[at + word] !== this.#key[word]) return false
    }
    return true
  }
}

/** The bucket that all replies of our own share, so that nobody can make us shout. */
export class ReplyBudget {
  #tokens = LOCAL_REPLIES_BURST
  #refilledMs = 0

  take(nowMs: number): boolean {
    const earned = (Math.max(0, nowMs - this.#refilledMs) * LOCAL_REPLIES_PER_SECOND) / 1000
    this.#tokens = Math.min(LOCAL_REPLIES_BURST, this.#tokens + earned)
    this.#refilledMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

export interface Rate {
  /** packets/s */
  readonly perSource: number
  /** packets */
  readonly burst: number
}

function setOf(key: Int32Array): number {
  let hash = 0
  for (let word = 0; word < KEY_WORDS; word++) {
    hash = Math.imul(hash ^ key[word]!, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return ((hash >>> 0) % (RATE_BUCKETS / RATE_WAYS)) * RATE_WAYS
}
