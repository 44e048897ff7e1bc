/**
 * Notes which tables every running worker uses, since when, and tells when that changes. Not here: the
 * acknowledgements themselves (`generations.ts`). Invariant: `since` changes exactly when the table does.
 */

import type { Table } from '@sipcast/mapping'
import type { Moment } from './liveness.ts'
import type { Tell } from './ports.ts'
import { displayName } from './sip-proxy-id.ts'
import type { BalancerState, InUse } from './state.ts'

export function noteInUse(state: BalancerState, now: Moment, tell: Tell): void {
  const before = state.inUse
  const used = state.generations.inUse((worker) => state.workers.isRunning(worker))
  state.inUse = new Map([...used].map(([id, table]) => [id, since(before.get(id), table, now)]))
  for (const [id, inUse] of state.inUse) {
    if (inUse === before.get(id)) continue
    const { table } = inUse
    const details = { sipProxy: displayName(id), uid: table.uid, epoch: table.epoch }
    tell({ level: 'info', event: 'TableInUse', message: `epoch ${table.epoch} is in use`, details })
  }
  for (const id of before.keys()) {
    if (used.has(id)) continue
    const details = { sipProxy: displayName(id) }
    tell({ level: 'info', event: 'TableOutOfUse', message: 'no worker uses a table', details })
  }
}

/** The published table, and the addresses that its claims left it. */
export function isSameTable(a: Table, b: Table): boolean {
  return a.uid === b.uid && a.epoch === b.epoch && a.sha256 === b.sha256
}

function since(before: InUse | undefined, table: Table, { ms, iso }: Moment): InUse {
  if (before !== undefined && isSameTable(before.table, table)) return before
  return { table, since: iso, sinceMs: ms }
}
