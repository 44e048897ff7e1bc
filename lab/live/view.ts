/** Shows the lab's state again and again: a screen repainted on a terminal, else a line now and then. */
import { setTimeout as sleep } from 'node:timers/promises'
import { renderLine, renderScreen } from './screen.ts'
import type { Snapshot } from './snapshot.ts'

const CLEAR_SCREEN = '\u001b[2J\u001b[H'
const REPAINT_MS = 500
const LINE_EVERY_MS = 5_000

export interface ViewOptions {
  readonly isInteractive: boolean
  readonly elapsedSeconds: () => number
  readonly take: () => Promise<Snapshot>
}

export class View {
  /** Index of the proxy that the keys act on. */
  selected = 0
  readonly #options: ViewOptions
  readonly #events: string[] = []

  constructor(options: ViewOptions) {
    this.#options = options
  }

  tell(event: string): void {
    const line = `${String(this.#options.elapsedSeconds()).padStart(4)} s  ${event}`
    this.#events.push(line)
    if (!this.#options.isInteractive) console.log(line)
  }

  async show(ending: AbortSignal): Promise<void> {
    const { isInteractive, elapsedSeconds, take } = this.#options
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
