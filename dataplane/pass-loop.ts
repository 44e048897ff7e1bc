/**
 * Runs one pass at a time, soon after something changed and at least every so often.
 * Not here: what a pass does; it reads everything itself, so nothing is lost by being told twice or late.
 * Invariants: never two passes at once; a change during a pass leads to another one.
 */

import { GATHER_MS, RESCAN_MS } from './limits.ts'
import type { Clock } from './ports.ts'

export class PassLoop {
  readonly #clock: Clock
  readonly #pass: () => Promise<void>
  #isStarted = false
  /** The time that what has changed is given; null: nothing has. */
  #gatherMs: number | null = null
  #isRunning = false
  #isStopped = false
  #callOff: () => void = () => undefined
  #ended: Promise<void> = Promise.resolve()

  /** @param pass must not reject: what can fail in it is expected there */
  constructor(clock: Clock, pass: () => Promise<void>) {
    this.#clock = clock
    this.#pass = pass
  }

  /** Something may have changed: a pass begins after GATHER_MS, but none before the first one. */
  mark(): void {
    this.#mark(GATHER_MS)
  }

  /** The same, without waiting for more. */
  hurry(): void {
    this.#mark(0)
  }

  /** Ends after the pass under way; no other will follow. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#callOff()
    await this.#ended
  }

  /** The first pass begins at once, unless it is stopped already. */
  start(): void {
    if (this.#isStopped) return
    this.#isStarted = true
    this.#gatherMs = 0
    this.#schedule(0)
  }

  #mark(gatherMs: number): void {
    if (this.#isStopped || (this.#gatherMs ?? Infinity) <= gatherMs) return
    this.#gatherMs = gatherMs
    if (this.#isStarted && !this.#isRunning) this.#schedule(gatherMs)
  }

  #schedule(delayMs: number): void {
    this.#callOff()
    this.#callOff = this.#clock.after(delayMs, () => {
      this.#ended = this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    this.#gatherMs = null
    await this.#pass()
    this.#isRunning = false
    if (!this.#isStopped) this.#schedule(this.#gatherMs ?? RESCAN_MS)
  }
}
