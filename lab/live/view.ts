/** Shows a lab's state again and again: a screen repainted on a terminal, else a line now and then. */
import { setTimeout as sleep } from 'node:timers/promises'

const CLEAR_SCREEN = '\u001b[2J\u001b[H'
const REPAINT_MS = 500
const LINE_EVERY_MS = 5_000

/** What people did and were told. */
export interface Interaction {
  /** Index of what the keys act on. */
  readonly selected: number
  /** What happened, newest last. */
  readonly events: readonly string[]
}

export interface ViewOptions<Snapshot> {
  readonly isInteractive: boolean
  readonly elapsedSeconds: () => number
  readonly take: () => Promise<Snapshot>
  readonly renderScreen: (snapshot: Snapshot, interaction: Interaction) => string
  /** One line, where there is no screen to repaint. */
  readonly renderLine: (snapshot: Snapshot, second: number) => string
}

export class View<Snapshot> {
  /** Index of what the keys act on. */
  selected = 0
  readonly #options: ViewOptions<Snapshot>
  readonly #events: string[] = []

  constructor(options: ViewOptions<Snapshot>) {
    this.#options = options
  }

  tell(event: string): void {
    const line = `${String(this.#options.elapsedSeconds()).padStart(4)} s  ${event}`
    this.#events.push(line)
    if (!this.#options.isInteractive) console.log(line)
  }

  async show(ending: AbortSignal): Promise<void> {
    const { isInteractive, elapsedSeconds, take, renderScreen, renderLine } = this.#options
    while (!ending.aborted) {
      const snapshot = await take()
      if (isInteractive) {
        const interaction = { selected: this.selected, events: this.#events }
        process.stdout.write(CLEAR_SCREEN + renderScreen(snapshot, interaction))
      } else console.log(renderLine(snapshot, elapsedSeconds()))
      const pauseMs = isInteractive ? REPAINT_MS : LINE_EVERY_MS
      await sleep(pauseMs, undefined, { signal: ending }).catch(() => undefined)
    }
  }
}

/** Resolves when it is. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
