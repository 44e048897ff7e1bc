/**
 * The list-and-watches of one process: started, awaited and stopped together; their troubles told and measured.
 * Not here: what they follow. Invariant: each resource is told of once per trouble, and once when it is over.
 */
import type { Clock as KubeClock, WatchTrouble } from '@sipcast/kube'
import type { Clock, Random, Staleness, Tell } from '../../ports.ts'

export interface WatchingOptions {
  readonly clock: Clock
  readonly random: Random
  readonly tell: Tell
  /** A watch goes on after a trouble. */
  readonly onRecovery: () => void
}

/** A ListWatch of whatever. */
interface Watch {
  readonly trouble: WatchTrouble | null
  start(): void
  stop(): void
  synced(): Promise<void>
}

export class Watching {
  readonly #options: WatchingOptions
  readonly #watches = new Map<string, Watch>()

  constructor(options: WatchingOptions) {
    this.#options = options
  }

  /** What every list-and-watch of ours is made with. @param path of its collection */
  optionsFor(path: string) {
    const { clock, random, tell, onRecovery } = this.#options
    return {
      clock: kubeClock(clock),
      random: () => random.fraction(),
      onTrouble: (message: string | null) => {
        const resource = resourceName(path)
        if (message !== null) {
          const text = `changes of ${resource} may be missing: ${message}`
          tell({ level: 'warn', event: 'WatchFailed', message: text })
          return
        }
        tell({ level: 'info', event: 'WatchRecovered', message: `${resource} are watched again` })
        onRecovery()
      },
      onDefect: (cause: unknown, id: string) => {
        const message = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
        tell({
          level: 'error',
          event: 'WatchDefect',
          message: `${resourceName(path)} ${id}: ${message}`,
        })
      },
    }
  }

  add(path: string, watch: Watch): void {
    this.#watches.set(path, watch)
  }

  /** Resolves when everything has been listed once. */
  async start(): Promise<void> {
    for (const watch of this.#watches.values()) watch.start()
    await Promise.all([...this.#watches.values()].map((watch) => watch.synced()))
  }

  stop(): void {
    for (const watch of this.#watches.values()) watch.stop()
  }

  /** For how long changes of each resource may have been missed; 0: all is well. */
  staleness(): readonly Staleness[] {
    const nowMs = this.#options.clock.monotonicMs()
    return [...this.#watches].map(([path, { trouble }]) => ({
      resource: resourceName(path),
      seconds: trouble === null ? 0 : (nowMs - trouble.sinceMs) / 1000,
    }))
  }
}

export function kubeClock(clock: Clock): KubeClock {
  return {
    nowMs: () => clock.monotonicMs(),
    setTimer: (delayMs, callback) => clock.after(delayMs, callback),
  }
}

function resourceName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
