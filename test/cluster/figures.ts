/** What a suite measured: one line each, printed together at its end, so that other output does not bury them. */

export class Figures {
  readonly #title: string
  readonly #lines: string[] = []

  constructor(title: string) {
    this.#title = title
  }

  note(line: string): void {
    this.#lines.push(line)
  }

  print(): void {
    process.stdout.write(`\n${[this.#title, ...this.#lines].join('\n  ')}\n`)
  }
}

export function ms(duration: number): string {
  return `${duration.toFixed()} ms`
}

export function seconds(durationMs: number): string {
  return `${(durationMs / 1_000).toFixed(1)} s`
}
