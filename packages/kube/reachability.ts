/**
 * Finds out that the API server was away and is back, for those who wait on connections that will never say so:
 * a request that was swallowed, a watch whose path was lost. While anybody waits in silence the server is probed over
 * another connection; who was waiting when a probe or a request failed is let go when a probe succeeds, and asks again.
 *
 *   heard ──silence──► probe ──answered──► goes on waiting: the server is slow, or has nothing to say
 *                        └────failed──► probe, probe, … ──answered──► let go
 *
 * Not here: how long anybody waits at most (connections.ts, watch-stream.ts).
 */
import type { Clock } from './clock.ts'
import { LOOK_ROUND_MS } from './limits.ts'

export interface Wait {
  /** Something came over this connection. */
  heard(): void
  end(): void
}

/** Whether the server answers, whatever it answers; `isFresh`: on a new connection. */
export type Probe = (isFresh: boolean) => Promise<boolean>

interface Waiting {
  readonly probeAfterMs: number
  readonly letGo: () => void
  heardAtMs: number
}

export class Reachability {
  readonly #clock: Clock
  readonly #probe: Probe
  readonly #waiting = new Set<Waiting>()
  #failedAtMs: number | null = null
  #probedAtMs = Number.NEGATIVE_INFINITY
  #isProbing = false
  #stopTimer: (() => void) | null = null

  constructor(clock: Clock, probe: Probe) {
    this.#clock = clock
    this.#probe = probe
  }

  /** `letGo` is called when the server was away meanwhile and is back. */
  wait(probeAfterMs: number, letGo: () => void): Wait {
    const waiting: Waiting = { probeAfterMs, letGo, heardAtMs: this.#clock.nowMs() }
    this.#waiting.add(waiting)
    this.#lookLater()
    return {
      heard: () => {
        waiting.heardAtMs = this.#clock.nowMs()
      },
      end: () => {
        this.#waiting.delete(waiting)
        if (this.#waiting.size === 0) this.#stopLooking()
      },
    }
  }

  /** A request had no answer. */
  failed(): void {
    this.#failedAtMs = this.#clock.nowMs()
  }

  /** Somebody has waited for too long: is the server there at all? */
  lookNow(): void {
    if (!this.#isProbing) void this.#probeOnce(true)
  }

  #lookLater(): void {
    this.#stopTimer ??= this.#clock.setTimer(LOOK_ROUND_MS, () => {
      this.#stopTimer = null
      if (this.#waiting.size === 0) return
      this.#lookLater()
      // In good times on a kept connection, which costs no handshake.
      const isFresh = this.#failedAtMs !== null
      if (!this.#isProbing && this.#isDue()) void this.#probeOnce(isFresh)
    })
  }

  #stopLooking(): void {
    this.#stopTimer?.()
    this.#stopTimer = null
  }

  #isDue(): boolean {
    if (this.#failedAtMs !== null) return true
    const nowMs = this.#clock.nowMs()
    return [...this.#waiting].some(
      ({ heardAtMs, probeAfterMs }) => nowMs - Math.max(heardAtMs, this.#probedAtMs) > probeAfterMs,
    )
  }

  async #probeOnce(isFresh: boolean): Promise<void> {
    const sentAtMs = this.#clock.nowMs()
    this.#isProbing = true
    this.#probedAtMs = sentAtMs
    const isAnswered = await this.#probe(isFresh)
    this.#isProbing = false
    if (!isAnswered) return this.failed()
    const failedAtMs = this.#failedAtMs
    if (failedAtMs === null || sentAtMs < failedAtMs) return
    this.#failedAtMs = null
    for (const waiting of this.#waiting) if (waiting.heardAtMs < failedAtMs) waiting.letGo()
  }
}
