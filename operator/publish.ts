/**
 * Writing a table: when, under which epoch, and what is remembered of it. Not here: what it says (plan.ts).
 * Invariants: a table that says nothing new is not written; an epoch is never used for two different tables; what
 * failed to be written changes nothing in memory, so the next pass plans the same again.
 */
import {
  encodeTable,
  MemberState,
  sealTable,
  spendHandBack,
  type Table,
  type TableContent,
} from '@sipcast/mapping'
import { attempt, type Context } from './context.ts'
import { isoTime } from './iso-time.ts'
import { GATHERING_MS } from './limits.ts'
import type { Plan } from './plan.ts'
import { need, type Pool, Rewrite } from './pool.ts'
import type { Wanted } from './snapshot.ts'

export const Published = {
  unchanged: 'unchanged',
  published: 'published',
  failed: 'failed',
} as const
export type Published = (typeof Published)[keyof typeof Published]

export async function publishPlan(
  pool: Pool,
  plan: Plan,
  wanted: Wanted,
  context: Context,
): Promise<Published> {
  const before = pool.table
  const outcome = await publishContent(pool, plan.content, context)
  if (outcome === Published.failed || pool.table === null) return outcome
  pool.settled =
    plan.settledRoles === null ? null : { sha256: pool.table.sha256, roles: plan.settledRoles }
  if (outcome === Published.published) noteMoves(pool, plan, { wanted, before }, context)
  return outcome
}

/** Writes the content if it says anything new, or must be written for other reasons. */
export async function publishContent(
  pool: Pool,
  content: Omit<TableContent, 'epoch'>,
  context: Context,
): Promise<Published> {
  noteBalancers(pool, context)
  const last = pool.table
  const same = last !== null && sealTable({ ...content, epoch: last.epoch }).sha256 === last.sha256
  if (same && pool.rewrite === Rewrite.no) return Published.unchanged
  const epoch = same && pool.rewrite === Rewrite.again ? last.epoch : nextEpoch(pool, context)
  const table = sealTable({ ...content, epoch })
  const { cluster } = context.ports
  pool.attempted = table.sha256
  const written = await attempt(context, pool, 'tableWrite', () =>
    cluster.writeTable(pool.key, encodeTable(table), pool.version),
  )
  if (written === null) return Published.failed
  pool.version = written.value
  pool.rewrite = Rewrite.no
  pool.table = table
  if (epoch !== last?.epoch) pool.publishedAt = isoTime(context.ports.clock.nowMs())
  pool.epochFloor = Math.max(pool.epochFloor, epoch)
  return Published.published
}

/** The highest epoch that anybody knows, plus one; where nobody knows any, the time in seconds. */
function nextEpoch({ epochFloor, table, status }: Pool, { ports }: Context): number {
  const highest = Math.max(epochFloor, table?.epoch ?? 0, status?.table?.epoch ?? 0)
  return highest > 0 ? highest + 1 : Math.floor(ports.clock.nowMs() / 1000)
}

/** Balancers that use a later table of this object, or another one of the same epoch, would not take ours. */
function noteBalancers(pool: Pool, { balancers }: Context): void {
  const { table } = pool
  for (const { entry } of balancers.everOf(pool.key)) {
    if (entry.epoch === null) continue
    pool.epochFloor = Math.max(pool.epochFloor, entry.epoch)
    if (table === null || entry.uid !== table.uid) continue
    const isOther = entry.epoch === table.epoch && entry.sha256 !== table.sha256
    if (entry.epoch > table.epoch || isOther) need(pool, Rewrite.anew)
  }
}

function noteMoves(
  pool: Pool,
  { content, assignment }: Plan,
  { wanted, before }: { readonly wanted: Wanted; readonly before: Table | null },
  { ports, metrics }: Context,
): void {
  const { clock, tell } = ports
  const { moved, forced, voluntary, outstanding } = assignment
  pool.lastMoves = moved
  pool.spending = spendHandBack(pool.spending, voluntary, wanted.handBack, clock.nowMs())
  metrics.moves.inc({ cause: 'forced' }, forced)
  metrics.moves.inc({ cause: 'voluntary' }, voluntary)
  noteGathering(pool, content, { isFirst: before === null, monotonicMs: clock.monotonicMs() })
  const { table } = pool
  tell({
    level: 'info',
    event: 'TablePublished',
    key: pool.key,
    message: `epoch ${table?.epoch}: ${moved} of ${content.slots} slots moved${outstanding > 0 ? `, ${outstanding} more to come` : ''}`,
    details: { epoch: table?.epoch, moved, forced, voluntary, outstanding },
  })
}

/** The first proxies of a pool may come up a little apart: see GATHERING_MS. */
function noteGathering(
  pool: Pool,
  { members, owners }: Pick<TableContent, 'members' | 'owners'>,
  { isFirst, monotonicMs }: { readonly isFirst: boolean; readonly monotonicMs: number },
): void {
  if (isFirst) pool.everOwners = new Set()
  if (pool.everOwners === null) return
  for (const owner of new Set(owners)) {
    const member = members[owner]
    if (member?.state === MemberState.up) pool.everOwners.add(member.id)
  }
  if (pool.gatheringUntilMs !== null) return
  if (members.some(({ state }) => state === MemberState.up)) {
    pool.gatheringUntilMs = monotonicMs + GATHERING_MS
  }
}
