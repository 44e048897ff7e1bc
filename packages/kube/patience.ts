/**
 * How long somebody waits in silence: a timer that begins anew whenever something is heard, and a look-out for those
 * whose connection will never say anything again (reachability.ts). Ended by `end`, always.
 */
import type { Clock } from './clock.ts'
import type { Reachability, Wait } from './reachability.ts'

export interface PatienceOptions {
  readonly clock: Clock
  readonly silenceMs: number
  readonly onSilence: () => void
  /** Null: is not let go when the server was away and is back. */
  readonly reachability: Reachability | null
  /** Silence after which the server is probed. */
  readonly probeAfterMs: number
  readonly onReturn: () => void
}

export class Patience {
  readonly #options: PatienceOptions
  readonly #wait: Wait | undefined
  #stopTimer: () => void

  constructor(options: PatienceOptions) {
    const { clock, silenceMs, onSilence, reachability, probeAfterMs, onReturn } = options
    this.#options = options
    this.#wait = reachability?.wait(probeAfterMs, onReturn)
    this.#stopTimer = clock.setTimer(silenceMs, onSilence)
  }

  heard(): void {
    const { clock, silenceMs, onSilence } = this.#options
    this.#wait?.heard()
    this.#stopTimer()
    this.#stopTimer = clock.setTimer(silenceMs, onSilence)
  }

  end(): void {
    this.#wait?.end()
    this.#stopTimer()
  }
}
