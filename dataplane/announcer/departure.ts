/**
 * When a node turns routers away, and when its announcer may end: decisions over time. Pure. Not here: carrying them
 * out (`announcer.ts`). Invariant: every wait has its end.
 */

import { type Proof, STOPPING } from '../proof.ts'
import { SHUTDOWN_MS, STOP_PATIENCE_MS, STOP_SILENCE_MS, STOP_WAIT_MAX_MS } from './limits.ts'
import { Silence } from './ports.ts'

export const Stage = {
  /** What is ready is announced. */
  serving: 'serving',
  /** It still is, and routers are asked to turn to others (RFC 8326). */
  leaving: 'leaving',
  /** Nothing is announced, and what still arrives is served. */
  left: 'left',
} as const
export type Stage = (typeof Stage)[keyof typeof Stage]

/** How an announcer ends that was told to. */
export const Ending = {
  /** The balancer goes on: the next announcer is to find what this one leaves. */
  alone: 'alone',
  /** The balancer has ended. */
  together: 'together',
} as const
export type Ending = (typeof Ending)[keyof typeof Ending]

/** The way of a node out of service, and back. */
export class Departure {
  stage: Stage = Stage.serving
  #sinceMs = 0

  /** @param hasSession a router would take note of being asked */
  step(isLeaving: boolean, hasSession: boolean, nowMs: number): void {
    if (!isLeaving) {
      this.stage = Stage.serving
      return
    }
    if (this.stage === Stage.serving) this.#sinceMs = nowMs
    if (this.stage === Stage.left) return
    const isAsked = hasSession && nowMs - this.#sinceMs < SHUTDOWN_MS
    this.stage = isAsked ? Stage.leaving : Stage.left
  }
}

export interface EndQuestion {
  readonly answer: Proof | Silence
  readonly nowMs: number
  /** When it was told to end. */
  readonly stoppingMs: number
  /** When the balancer was asked for the last proof that it gave. */
  readonly provedMs: number
}

/** Null: not yet. */
export function endingOf({ answer, nowMs, stoppingMs, provedMs }: EndQuestion): Ending | null {
  if (answer === Silence.absent) return Ending.together
  if (answer === Silence.silent || !answer.isAlive) {
    return nowMs - provedMs > STOP_SILENCE_MS ? Ending.together : null
  }
  const waitMs = answer.reason === STOPPING ? STOP_WAIT_MAX_MS : STOP_PATIENCE_MS
  return nowMs - stoppingMs > waitMs ? Ending.alone : null
}
