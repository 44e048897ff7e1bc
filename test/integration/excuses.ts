/**
 * Which failed calls the design excuses, and no others. From the callee's last REGISTER before the call to the call's
 * end its proxy must have been one and the same, and well. So users of the others never notice anything.
 * Not here: causing trouble. Invariant: without trouble nothing is excused.
 */
import type { Call, Load } from '@sipcast/lab'
import { ownerIn } from './system.ts'
import type { TableLog } from './table-log.ts'

/** A published table is in use everywhere after this, on a busy machine. */
const LAG_MS = 500

interface Outage {
  readonly proxy: string
  readonly beganMs: number
  endedMs: number
}

export class Excuses {
  readonly #load: Load
  readonly #tables: TableLog
  readonly #outages: Outage[] = []

  constructor(load: Load, tables: TableLog) {
    this.#load = load
    this.#tables = tables
  }

  /** From now on this proxy is in trouble. */
  troubled(proxy: string): void {
    this.#outages.push({ proxy, beganMs: performance.now(), endedMs: Number.POSITIVE_INFINITY })
  }

  /** From now on it is well, and everybody knows. */
  well(proxy: string): void {
    for (const outage of this.#outages) {
      if (outage.proxy === proxy) outage.endedMs = Math.min(outage.endedMs, performance.now())
    }
  }

  isExcused({ callee, beganMs, endedMs }: Call): boolean {
    const registration = this.#load.registrations.findLast(
      (one) => one.user === callee && one.status === 200 && one.endedMs <= beganMs,
    )
    if (registration === undefined) return true
    const sinceMs = registration.beganMs - LAG_MS
    const tables = this.#tables.between(sinceMs, endedMs)
    const owners = new Set(tables.map((table) => ownerIn(table, callee)))
    const [owner] = owners
    if (owners.size > 1 || owner !== registration.servedBy) return true
    return this.#outages.some(
      (outage) => outage.proxy === owner && outage.beganMs <= endedMs && outage.endedMs >= sinceMs,
    )
  }
}
