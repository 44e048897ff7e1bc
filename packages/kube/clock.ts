/** Time as an argument: the machine's own here; tests bring one that they move by hand. */
import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Monotonic, with fractions. */
  nowMs(): number
  /** Calls back once after `delayMs`; the returned function prevents it. */
  setTimer(delayMs: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, Math.ceil(delayMs))
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delayMs`, or at once when `signal` aborts: whoever waits looks at the signal. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const stop = clock.setTimer(delayMs, done)
    signal.addEventListener('abort', done, { once: true })
    function done() {
      stop()
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
