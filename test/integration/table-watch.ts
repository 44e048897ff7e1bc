/**
 * Every table that the operator publishes into a directory, as a reader of it sees it at that time. Not here: whether
 * balancers use it. Invariant: one that stood for less than a look is missed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabDirectory } from '@sipcast/lab'
import { TableLog } from './table-log.ts'

const LOOK_EVERY_MS = 10

export class TableWatch extends TableLog {
  #isOpen = true
  #ended: Promise<void> = Promise.resolve()

  static async start(directory: LabDirectory, sipProxy: string): Promise<TableWatch> {
    const first = await directory.table(sipProxy)
    if (first === null) throw new Error(`there is no table of ${sipProxy} to begin with`)
    const watch = new TableWatch()
    watch.note(first, Number.NEGATIVE_INFINITY)
    watch.#ended = watch.#look(directory, sipProxy)
    return watch
  }

  async stop(): Promise<void> {
    this.#isOpen = false
    await this.#ended
  }

  async #look(directory: LabDirectory, sipProxy: string): Promise<void> {
    while (this.#isOpen) {
      const table = await directory.table(sipProxy)
      if (table !== null) this.note(table, performance.now())
      await sleep(LOOK_EVERY_MS)
    }
  }
}
