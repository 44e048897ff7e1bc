/**
 * Every table that the operator publishes, and when it was seen; what a reader of the directory sees at that time.
 * Not here: whether balancers use it. Invariant: in the order of publication; one that stood for less than a look is
 * missed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabDirectory } from '@sipcast/lab'
import { countMoves, type Moves, type Table } from '@sipcast/mapping'

const LOOK_EVERY_MS = 10

interface Seen {
  readonly atMs: number
  readonly table: Table
}

export class TableWatch {
  readonly #seen: Seen[] = []
  readonly #ended: Promise<void>
  #isOpen = true

  static async start(directory: LabDirectory, sipProxy: string): Promise<TableWatch> {
    const first = await directory.table(sipProxy)
    if (first === null) throw new Error(`there is no table of ${sipProxy} to begin with`)
    return new TableWatch(directory, sipProxy, first)
  }

  constructor(directory: LabDirectory, sipProxy: string, first: Table) {
    this.#seen.push({ atMs: Number.NEGATIVE_INFINITY, table: first })
    this.#ended = this.#watch(directory, sipProxy)
  }

  get latest(): Table {
    return this.#seen.at(-1)!.table
  }

  /** The tables that stood at some time in between, oldest first. */
  between(fromMs: number, toMs: number): readonly Table[] {
    const stood = this.#seen.filter(({ atMs }, index) => {
      const nextMs = this.#seen[index + 1]?.atMs ?? Number.POSITIVE_INFINITY
      return atMs <= toMs && nextMs >= fromMs
    })
    return stood.map(({ table }) => table)
  }

  /** Those that followed this one, oldest first. */
  after({ sha256 }: Table): readonly Table[] {
    const tables = this.#seen.map(({ table }) => table)
    return tables.slice(1 + tables.findLastIndex((table) => table.sha256 === sha256))
  }

  /** When this one was first seen. */
  seenAtMs({ sha256 }: Table): number {
    return this.#seen.find(({ table }) => table.sha256 === sha256)?.atMs ?? Number.NaN
  }

  async stop(): Promise<void> {
    this.#isOpen = false
    await this.#ended
  }

  async #watch(directory: LabDirectory, sipProxy: string): Promise<void> {
    while (this.#isOpen) {
      const table = await directory.table(sipProxy)
      if (table !== null && table.sha256 !== this.latest.sha256) {
        this.#seen.push({ atMs: performance.now(), table })
      }
      await sleep(LOOK_EVERY_MS)
    }
  }
}

/** Slots that changed hands between two tables. */
export function movesBetween(last: Table, next: Table): Moves {
  const owned = ({ members, owners }: Table) => ({ ids: members.map(({ id }) => id), owners })
  return countMoves(owned(last), owned(next))
}

/** Slots that each proxy owns. */
export function sharesOf({ members, owners }: Table): Record<string, number> {
  const shares = Object.fromEntries(members.map(({ name }) => [name, 0]))
  for (const owner of owners) {
    const name = members[owner]?.name
    if (name !== undefined) shares[name] = (shares[name] ?? 0) + 1
  }
  return shares
}
