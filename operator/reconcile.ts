/**
 * The pass over one SipProxy, on one page: read everything → admit or refuse → judge its proxies → plan the table →
 * publish → status, always, also on error (design section 4). Level-triggered: it depends on what is, never on what
 * happened.
 * Not here: what each step does; who calls it (operator.ts). Invariants: bad objects leave the last good table and
 * its proxies' health in force; a pass that finds nothing new writes nothing.
 */
import type { SipProxyStatus } from '@sipcast/crds'
import { handBackGrowsAtMs, MemberState } from '@sipcast/mapping'
import { type Admission, admit } from './admission.ts'
import { attempt, type Context } from './context.ts'
import { setGates } from './gates.ts'
import { timeMs } from './iso-time.ts'
import { judge, type Verdict } from './judge.ts'
import { FIRST_RESULT_GRACE_MS, PROBE_NOW_MAX } from './limits.ts'
import { isNobodyUsable, type Plan, planTable } from './plan.ts'
import { type Pool, TableNews, takeInTable } from './pool.ts'
import { Published, publishPlan } from './publish.ts'
import type { Names } from './ports.ts'
import type { PassEnd } from './queue.ts'
import { readStatus, type Report, slotsByMember, writeReport } from './report.ts'
import { retire } from './retire.ts'
import type { Wanted } from './snapshot.ts'
import type { Finding } from './status.ts'

const HAND_BACK_ANNOTATION = 'sipcast.io/hand-back'

export async function reconcile(pool: Pool, context: Context): Promise<PassEnd> {
  const { cluster, clock } = context.ports
  const isRead = await readTable(pool, context)
  const sighting = cluster.sighting(pool.key)
  if (sighting.kind === 'absent' && isRead) return await retire(pool, context)
  if (sighting.kind === 'absent' || !pool.isRecovered) return UNREAD
  beginAgain(pool)

  const { wanted, refused } = admit(pool, sighting, context, clock.nowMs())
  const verdict = wanted === null ? null : judgeProxies(pool, wanted, context)
  const planned = await planNext(pool, { wanted, refused }, verdict, context)
  const outcome =
    planned.plan === null || wanted === null
      ? Published.unchanged
      : await publishPlan(pool, planned.plan, wanted, context)
  // What became served is claimed at once, so that nobody else gets it in between.
  if (outcome === Published.published) admit(pool, sighting, context, clock.nowMs())
  if (verdict !== null) setGates(pool, verdict, context)
  const report = reportOf({ wanted, refused }, verdict, planned, context)
  const isReported = await writeReport(pool, report, context)

  const isFailed = outcome === Published.failed || !isReported
  context.metrics.passes.inc({
    outcome: isFailed ? 'failed' : refused === null ? outcome : 'refused',
  })
  return { failed: isFailed, againMs: againMs(pool, { wanted, verdict, planned }, clock.nowMs()) }
}

/** False: the last one read goes on. */
export async function readTable(pool: Pool, context: Context): Promise<boolean> {
  const isFirst = !pool.isRecovered
  const read = await attempt(context, pool, 'tableRead', () =>
    context.ports.cluster.readTable(pool.key),
  )
  if (read === null) return false
  const { cluster, deposed } = context.ports
  const news = takeInTable(pool, read.value, cluster.leaseTransitions)
  if (news === TableNews.successor) {
    deposed(`the table of ${pool.key} was written under a later lease`)
    return false
  }
  if (isFirst) await readStatus(pool, context)
  const told = TABLE_NEWS[news]
  if (told !== undefined) {
    context.ports.tell({ level: 'error', ...told, key: pool.key })
  }
  return true
}

const TABLE_NEWS: Partial<Record<TableNews, { readonly event: string; readonly message: string }>> =
  {
    [TableNews.vanished]: {
      event: 'TableVanished',
      message: 'the table is gone; it is written again',
    },
    [TableNews.damaged]: {
      event: 'TableDamaged',
      message: 'the stored table cannot be used (truncated or edited); it is written again',
    },
    [TableNews.foreign]: {
      event: 'TableForeign',
      message: 'somebody else wrote the table; it is written again with a later epoch',
    },
  }

/** A SipProxy that came back while it was being removed is a new object. */
function beginAgain(pool: Pool): void {
  if (pool.removedSinceMs === null) return
  pool.removedSinceMs = null
  pool.gatheringUntilMs = null
  pool.spending = []
}

function judgeProxies(pool: Pool, wanted: Wanted, context: Context): Verdict {
  const { key, table } = pool
  const { probes, balancers, ports } = context
  const { probe, panicPercent } = wanted.fields
  const lastMembers = new Map(table?.members.map((member) => [member.id, member]))
  probes.setPool(key, wanted.candidates, probe, ({ id, address, port }) => {
    const last = lastMembers.get(id)
    if (last === undefined) return { state: null, sinceMs: ports.clock.nowMs() }
    // At a new address it keeps its slots until there is evidence, but nothing is known of it.
    const stayed = last.address === address && last.port === port
    return { state: stayed ? last.state : MemberState.unknown, sinceMs: timeMs(last.since) }
  })
  const views = balancers.of(key)
  const verdict = judge({
    candidates: wanted.candidates,
    trackedOf: (id) => probes.of(key, id),
    lastMembers,
    slotsOf: slotsByMember(table),
    memories: pool.members,
    reasonsDownBefore: reasonsDownIn(pool.status),
    probe,
    panicPercent,
    handBack: wanted.handBack,
    releasedMs: timeMs(pool.annotations[HAND_BACK_ANNOTATION] ?? '') || 0,
    balancerReports: views.map(
      ({ entry }) => new Set([...entry.unanswered, ...entry.deadMarks.map(({ id }) => id)]),
    ),
    nowMs: ports.clock.nowMs(),
  })
  pool.members = verdict.memories
  probes.setAttentive(key, verdict.isHolding)
  return verdict
}

/** A table may have been written without its status: that one's reasons are those of the state that it knows. */
function reasonsDownIn(status: SipProxyStatus | null): ReadonlyMap<string, string> {
  const down = (status?.proxies ?? []).filter(({ state }) => state === MemberState.down)
  return new Map(down.map(({ name, reason }) => [name, reason]))
}

interface Planned {
  readonly plan: Plan | null
  readonly hold: Finding | null
  readonly isWithoutKeys: boolean
  /** When to look again for first results. */
  readonly pendingMs: number | null
}

async function planNext(
  pool: Pool,
  { wanted, refused }: Admission,
  verdict: Verdict | null,
  context: Context,
): Promise<Planned> {
  const { clock, cluster, assignElsewhere } = context.ports
  const isWithoutKeys = context.signingKey() === null
  const nothing = { plan: null, isWithoutKeys, pendingMs: null }
  if (wanted === null || verdict === null || pool.identity === null) {
    return { ...nothing, hold: refused }
  }
  const signingKey = context.signingKey() ?? pool.table?.signingKey ?? null
  if (signingKey === null) return { ...nothing, hold: noKeys(cluster.names) }
  const pendingMs = pendingLeftMs(pool, wanted, verdict, clock.monotonicMs())
  if (pendingMs !== null && (pool.table === null || isNobodyUsable(verdict))) {
    return { ...nothing, pendingMs, hold: AWAITING_PROBES }
  }
  const plan = await planTable({
    pool,
    identity: pool.identity,
    wanted,
    verdict,
    signingKey,
    leaseTransitions: cluster.leaseTransitions ?? 0,
    nowMs: clock.nowMs(),
    monotonicMs: clock.monotonicMs(),
    assignElsewhere,
  })
  return { ...nothing, plan, hold: null }
}

/** How long first results may still be waited for; null when they are in or overdue. */
function pendingLeftMs(
  pool: Pool,
  { fields, candidates }: Wanted,
  { isPending }: Verdict,
  monotonicMs: number,
): number | null {
  pool.pendingSinceMs = isPending ? (pool.pendingSinceMs ?? monotonicMs) : null
  if (pool.pendingSinceMs === null) return null
  const { intervalMs, timeoutMs } = fields.probe
  // A crowd is not probed at once, but in its turn.
  const turnMs = candidates.length > PROBE_NOW_MAX ? intervalMs : 0
  const leftMs = pool.pendingSinceMs + turnMs + timeoutMs + FIRST_RESULT_GRACE_MS - monotonicMs
  return leftMs > 0 ? leftMs : null
}

function reportOf(
  { wanted, refused }: Admission,
  verdict: Verdict | null,
  planned: Planned,
  { ports }: Context,
): Report {
  return {
    refused,
    wanted,
    verdict,
    isAllDown: planned.plan?.isAllDown ?? false,
    unpublished: planned.hold,
    troubles: planned.isWithoutKeys ? [noKeys(ports.cluster.names)] : [],
  }
}

/**
 * When time alone changes what a pass would do: a wait for hand-back is over, the budget has grown, first results are
 * overdue.
 */
function againMs(
  pool: Pool,
  {
    wanted,
    verdict,
    planned,
  }: { wanted: Wanted | null; verdict: Verdict | null; planned: Planned },
  nowMs: number,
): number | null {
  const waits: number[] = []
  if (planned.pendingMs !== null) waits.push(planned.pendingMs)
  if (verdict !== null && verdict.nextMs !== null) waits.push(verdict.nextMs - nowMs)
  if (wanted !== null && (planned.plan?.assignment.outstanding ?? 0) > 0) {
    const { handBack } = wanted
    const growsAtMs = handBackGrowsAtMs(pool.spending, handBack, nowMs)
    waits.push((growsAtMs ?? nowMs + handBack.perMs) - nowMs)
  }
  return waits.length === 0 ? null : Math.max(1, Math.min(...waits))
}

const UNREAD: PassEnd = { failed: true, againMs: null }

function noKeys({ keys, keysRemedy }: Names): Finding {
  const message = `${keys} can be neither read nor written: ${keysRemedy}; it is tried again.`
  return { reason: 'KeysUnavailable', message }
}

const AWAITING_PROBES: Finding = {
  reason: 'AwaitingProbes',
  message: 'The first probe results are awaited.',
}
