/**
 * What a child process printed: the last lines of it, within a bound, searchable and awaitable.
 * Not a log file: what falls out at the far end is gone.
 */

const LINES_MAX = 5_000
const LINE_LENGTH_MAX = 8_192

interface Waiter {
  readonly pattern: RegExp
  readonly resolve: (line: string) => void
}

export class OutputLog {
  readonly #lines: string[] = []
  #rest = ''
  #waiters: Waiter[] = []

  append(chunk: string): void {
    const parts = (this.#rest + chunk).split('\n')
    this.#rest = (parts.pop() ?? '').slice(0, LINE_LENGTH_MAX)
    for (const line of parts) this.#add(line.slice(0, LINE_LENGTH_MAX))
    if (this.#lines.length > LINES_MAX) this.#lines.splice(0, this.#lines.length - LINES_MAX)
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  tail(count: number): string {
    return [...this.#lines.slice(-count), this.#rest].filter((line) => line !== '').join('\n')
  }

  matching(pattern: RegExp): string[] {
    return this.#lines.filter((line) => pattern.test(line))
  }

  /** The first line, printed already or yet to come, that matches. Waits for ever: race it. */
  async until(pattern: RegExp): Promise<string> {
    const line = this.#lines.find((candidate) => pattern.test(candidate))
    if (line !== undefined) return line
    return await new Promise((resolve) => this.#waiters.push({ pattern, resolve }))
  }

  #add(line: string): void {
    this.#lines.push(line)
    const met = this.#waiters.filter((waiter) => waiter.pattern.test(line))
    if (met.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const waiter of met) waiter.resolve(line)
  }
}
