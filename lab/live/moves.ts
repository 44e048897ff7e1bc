/** Watches the table and counts, for these users, how often one got another proxy. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabDirectory } from '../start/directory.ts'
import { ownerOf } from '../start/owner-of.ts'

const INTERVAL_MS = 50

export class Moves {
  count = 0
  #isOpen = true

  constructor(directory: LabDirectory, sipProxy: string, users: readonly string[]) {
    void this.#watch(directory, sipProxy, users)
  }

  stop(): void {
    this.#isOpen = false
  }

  async #watch(directory: LabDirectory, sipProxy: string, users: readonly string[]): Promise<void> {
    let owners: readonly (string | null)[] | null = null
    while (this.#isOpen) {
      const table = await directory.table(sipProxy)
      const now = table === null ? null : users.map((user) => ownerOf(table, user))
      if (now !== null && owners !== null) {
        this.count += now.filter((owner, index) => owner !== owners?.[index]).length
      }
      owners = now ?? owners
      await sleep(INTERVAL_MS, undefined, { ref: false })
    }
  }
}
