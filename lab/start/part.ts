/** A part of the system under test that may die, freeze and come back as a new process with the same options. */
import type { Process } from '../process/process.ts'

export class Part {
  readonly name: string
  readonly #launch: () => Promise<Process>
  #process: Process

  static async start(name: string, launch: () => Promise<Process>): Promise<Part> {
    return new Part(name, launch, await launch())
  }

  constructor(name: string, launch: () => Promise<Process>, process: Process) {
    this.name = name
    this.#launch = launch
    this.#process = process
  }

  get process(): Process {
    return this.#process
  }

  get state(): 'running' | 'frozen' | 'dead' {
    if (!this.#process.running) return 'dead'
    return this.#process.frozen ? 'frozen' : 'running'
  }

  /** At once, without a word: what it knew is lost. */
  async kill(): Promise<void> {
    await this.#process.kill()
  }

  freeze(): void {
    this.#process.freeze()
  }

  /** Thaws it if it is frozen, starts it anew if it is dead. */
  async revive(): Promise<void> {
    if (this.#process.running) this.#process.thaw()
    else this.#process = await this.#launch()
  }

  /** In order; resolves with its exit code. */
  async stop(): Promise<number | null> {
    return (await this.#process.stop()).code
  }
}
