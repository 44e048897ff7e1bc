/**
 * The tables that were published, and when each was seen; what may be asked of them. Not here: looking for them
 * (table-watch.ts). Invariant: in the order of publication.
 */
import { countMoves, type Moves, type Table } from '@sipcast/mapping'

interface Seen {
  readonly atMs: number
  readonly table: Table
}

export class TableLog {
  readonly #seen: Seen[] = []

  /** Nothing new is no news. */
  note(table: Table, atMs: number): void {
    if (table.sha256 !== this.#seen.at(-1)?.table.sha256) this.#seen.push({ atMs, table })
  }

  /** @throws where none was seen yet */
  get latest(): Table {
    const last = this.#seen.at(-1)
    if (last === undefined) throw new Error('no table was seen yet')
    return last.table
  }

  /** The one before the latest; null where only one was seen. */
  get previous(): Table | null {
    return this.#seen.at(-2)?.table ?? null
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
