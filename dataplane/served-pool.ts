/**
 * One SipProxy as this balancer serves it: the table in use, the evidence about its members, and the marks that the
 * packet workers see. Not here: evidence turning into marks (`liveness.ts`).
 * Invariant: `dead` belongs to `table`, member by member, and says at any time what `liveness` says.
 */

import type { Table } from '@sipcast/mapping'
import type { ProbeOutcome, ProbeTarget } from '@sipcast/net'
import { Liveness, localProbeIntervalMs, type Moment, type Observed } from './liveness.ts'

export class ServedPool {
  /** NAMESPACE.NAME */
  readonly id: string
  readonly liveness = new Liveness()
  #table: Table
  #dead: Uint8Array<SharedArrayBuffer>

  constructor(id: string, table: Table) {
    this.id = id
    this.#table = table
    this.#dead = this.#adopt(table)
  }

  get table(): Table {
    return this.#table
  }

  /** Shared with the workers: one byte per member, 1 = marked dead. */
  get dead(): SharedArrayBuffer {
    return this.#dead.buffer
  }

  /** Turns to a newer table; the old one's shared marks stay as they are until workers let go of them. */
  adopt(table: Table): void {
    this.#table = table
    this.#dead = this.#adopt(table)
  }

  observe(member: string, outcome: ProbeOutcome, now: Moment): Observed {
    return this.#written(this.liveness.observe(member, outcome, now))
  }

  elapse(member: string, now: Moment): Observed {
    return this.#written(this.liveness.elapse(member, now))
  }

  /** What to probe, each under the id `targetId(member)`. */
  probeTargets(): readonly ProbeTarget[] {
    const { probe, members } = this.#table
    return members.map(({ id, address, port }) => ({
      id: this.targetId(id),
      address,
      port,
      requestUri: probe.requestUri,
      from: probe.from,
      intervalMs: localProbeIntervalMs(this.#table),
      timeoutMs: probe.timeoutMs,
      acceptedCodes: probe.acceptedCodes,
    }))
  }

  targetId(member: string): string {
    return `${this.id}/${member}`
  }

  #adopt(table: Table): Uint8Array<SharedArrayBuffer> {
    this.liveness.adopt(table)
    this.#dead = new Uint8Array(new SharedArrayBuffer(table.members.length))
    this.#writeMarks()
    return this.#dead
  }

  #written(observed: Observed): Observed {
    if (observed.changed) this.#writeMarks()
    return observed
  }

  #writeMarks(): void {
    this.#table.members.forEach(({ id }, index) => {
      this.#dead[index] = this.liveness.isDead(id) ? 1 : 0
    })
  }
}
