/**
 * One waiter that others can wake: `wait` for ports that live on the event loop.
 *
 * A wait that need not wait still ends in a later turn of the loop: else a busy port would keep
 * timers and other sockets from their turn.
 */

import type { Clock } from './clock.ts'

export class Wakeup {
  readonly #clock: Clock
  #settle: ((isReady: boolean) => void) | undefined
  #isReady: () => boolean = () => false
  #stopTimer: () => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Until `isReady`, looked at when woken, or `timeoutMs` are over. */
  wait(timeoutMs: number, isReady: () => boolean): Promise<boolean> {
    if (this.#settle !== undefined) return Promise.reject(new Error('one wait at a time'))
    return new Promise((settle) => {
      this.#settle = settle
      this.#isReady = isReady
      if (isReady()) this.wake()
      else this.#stopTimer = this.#clock.setTimer(timeoutMs, () => this.#end())
    })
  }

  wake(): void {
    const settle = this.#settle
    if (settle === undefined) return
    setImmediate(() => {
      if (this.#settle === settle) this.#end()
    })
  }

  #end(): void {
    const settle = this.#settle
    if (settle === undefined) return
    this.#settle = undefined
    this.#stopTimer()
    settle(this.#isReady())
  }
}
