/**
 * The end of a SipProxy: its table says `removed` until every balancer has applied that, then nothing is left of it
 * (design section 4, "Publishing").
 * Not here: what that table says (removal.ts). Invariants: no finalizer, so this begins whenever a table without a
 * SipProxy is found, or a balancer that serves one; a SipProxy that comes back in the meantime is a new object.
 */
import type { BalancedSipProxy } from '@sipcast/crds'
import type { Table } from '@sipcast/mapping'
import { attempt, type Context } from './context.ts'
import { releaseGates } from './gates.ts'
import { isoTime } from './iso-time.ts'
import { REMOVAL_WAIT_MAX_MS } from './limits.ts'
import type { Pool } from './pool.ts'
import { Published, publishContent } from './publish.ts'
import type { PassEnd } from './queue.ts'
import { removalOf } from './removal.ts'

export async function retire(pool: Pool, context: Context): Promise<PassEnd> {
  const { clock, tell } = context.ports
  context.probes.deletePool(pool.key)
  releaseGates(pool, context)
  pool.spec = null
  const removal = removalOf(pool, {
    servedUid: context.balancers.servedWithoutTable(pool.key),
    leaseTransitions: context.ports.cluster.leaseTransitions,
    now: isoTime(clock.nowMs()),
  })
  if (removal === null && pool.version === null) return await clear(pool, context)
  if (removal !== null) {
    const outcome = await publishContent(pool, removal, context)
    if (outcome === Published.failed) return FAILED
  }
  if (pool.removedSinceMs === null) {
    pool.removedSinceMs = clock.monotonicMs()
    const message = `${pool.key} is removed; its table goes when all balancers have dropped it`
    tell({ level: 'info', event: 'Removed', key: pool.key, message })
  }
  context.mark(context.claims.delete(pool.key))
  const leftMs = pool.removedSinceMs + REMOVAL_WAIT_MAX_MS - clock.monotonicMs()
  if (leftMs > 0 && !isAppliedByAll(pool, context)) return { failed: false, againMs: leftMs }
  return await clear(pool, context)
}

/**
 * All fresh balancers that had this SipProxy use the removed table, or have dropped it; without any, only time tells.
 */
function isAppliedByAll({ key, table }: Pool, { balancers }: Context): boolean {
  if (balancers.acceptedKeyIds().length === 0) return false
  return balancers.of(key).every(({ entry }) => entry.uid === null || isApplied(entry, table))
}

/** A table of another uid is an older one: that balancer has not come so far yet. */
function isApplied({ uid, epoch }: BalancedSipProxy, table: Table | null): boolean {
  return uid === table?.uid && (epoch ?? 0) >= (table?.epoch ?? 0)
}

async function clear(pool: Pool, context: Context): Promise<PassEnd> {
  const { cluster } = context.ports
  const { key } = pool
  const gone = await attempt(context, pool, 'tableWrite', () => cluster.deleteTable(key))
  if (gone === null) return FAILED
  const cleared = await attempt(context, pool, 'statusWrite', () => cluster.deleteStatus(key))
  if (cleared === null) return FAILED
  context.mark(context.claims.delete(key))
  context.forget(key)
  context.metrics.passes.inc({ outcome: 'removed' })
  return { failed: false, againMs: null }
}

const FAILED: PassEnd = { failed: true, againMs: null }
