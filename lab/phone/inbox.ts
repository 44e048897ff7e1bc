/** What arrived, in order, for a test to look at or wait for. */
import { setTimeout as sleep } from 'node:timers/promises'

const WAIT_MS = 10_000

export class Inbox<T> {
  readonly items: T[] = []
  #read = 0
  #arrived: () => void = () => {}

  push(item: T): void {
    this.items.push(item)
    this.#arrived()
  }

  /** The next one not yet taken by `next`; fails if none comes. */
  async next(waitMs = WAIT_MS): Promise<T> {
    const deadline = new AbortController()
    const timeout = sleep(waitMs, 'late' as const, { signal: deadline.signal }).catch(
      () => 'late' as const,
    )
    try {
      while (this.#read >= this.items.length) {
        const arrived = new Promise<void>((resolve) => (this.#arrived = resolve))
        if ((await Promise.race([arrived, timeout])) === 'late')
          throw new Error(`nothing came within ${waitMs} ms`)
      }
      return this.items[this.#read++] as T
    } finally {
      deadline.abort()
    }
  }
}
