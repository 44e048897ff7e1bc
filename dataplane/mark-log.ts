/** Tells which proxies were marked dead and which are no longer, once each. Not here: marking (`liveness.ts`). */

import type { Tell } from './ports.ts'
import type { ServedPool } from './served-pool.ts'
import { displayName } from './sip-proxy-id.ts'

export class MarkLog {
  readonly #tell: Tell
  /** By id of the SipProxy. */
  #marked: ReadonlyMap<string, ReadonlySet<string>> = new Map()

  constructor(tell: Tell) {
    this.#tell = tell
  }

  note(pools: ReadonlyMap<string, ServedPool>): void {
    const before = this.#marked
    this.#marked = new Map(
      [...pools].map(([id, { liveness }]) => [
        id,
        new Set(liveness.marks().map((mark) => mark.id)),
      ]),
    )
    for (const [id, marked] of this.#marked) {
      const known = before.get(id) ?? new Set()
      const details = { sipProxy: displayName(id) }
      for (const proxy of marked.difference(known)) {
        const message = `${proxy} is dead by the evidence of this balancer`
        this.#tell({ level: 'warn', event: 'ProxyMarkedDead', message, details })
      }
      for (const proxy of known.difference(marked)) {
        const message = `${proxy} is not held for dead any more`
        this.#tell({ level: 'info', event: 'ProxyMarkLifted', message, details })
      }
    }
  }
}
