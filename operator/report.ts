/**
 * The last step of every pass: what it found and did, as status, and what changed as notices. Always runs, also after
 * errors.
 * Not here: the conditions' rules (status.ts). Invariant: nothing is written when nothing changed but round-trip
 * times.
 */
import type { ProxyStatus, SipProxyStatus } from '@sipcast/crds'
import { MemberRole, type MemberState, type Table } from '@sipcast/mapping'
import { attempt, type Context } from './context.ts'
import { isoTime } from './iso-time.ts'
import { type Judgement, Reason, type Verdict } from './judge.ts'
import type { Pool } from './pool.ts'
import type { Wanted } from './snapshot.ts'
import { count, type Finding, sameStatus, statusOf } from './status.ts'

export interface Report {
  readonly refused: Finding | null
  readonly wanted: Wanted | null
  readonly verdict: Verdict | null
  readonly isAllDown: boolean
  /** Why there is no table yet. */
  readonly unpublished: Finding | null
  /** From before the verdict: the keys, the store. */
  readonly troubles: readonly Finding[]
}

/** Whether the status is as it should be now. */
export async function writeReport(pool: Pool, report: Report, context: Context): Promise<boolean> {
  const { cluster, clock } = context.ports
  tellRefusal(pool, report, context)
  tellPanic(pool, report, context)
  if (!pool.isStatusKnown && !(await readStatus(pool, context))) return false
  const table = pool.table?.removed === true ? null : pool.table
  const proxies = proxiesOf(report.verdict, table)
  const status = statusOf({
    generation: pool.identity?.generation ?? 0,
    refused: report.refused,
    proxies,
    eligible: report.verdict?.judgements.filter(({ isEligible }) => isEligible).length ?? 0,
    table: tableStatusOf(pool, table),
    tableSha256: table?.sha256 ?? null,
    tableUid: table?.uid ?? null,
    unpublished: report.unpublished,
    troubles: troublesOf(pool, report, context),
    balancers: context.balancers.of(pool.key),
    last: pool.status,
    now: isoTime(clock.nowMs()),
  })
  if (sameStatus(pool.status, status)) return true
  const written = await attempt(context, pool, 'statusWrite', () =>
    cluster.writeStatus(pool.key, status),
  )
  if (written === null) return false
  tellProxies(pool.status, status, pool, context)
  pool.status = status
  return true
}

/** What is there already: transition times go on from it. */
export async function readStatus(pool: Pool, context: Context): Promise<boolean> {
  const read = await attempt(context, pool, 'statusRead', () =>
    context.ports.cluster.readStatus(pool.key),
  )
  if (read === null) return false
  pool.isStatusKnown = true
  pool.status = read.value
  const last = pool.status?.table ?? null
  pool.epochFloor = Math.max(pool.epochFloor, last?.epoch ?? 0)
  if (pool.publishedAt === null && last !== null && last.epoch === pool.table?.epoch) {
    pool.publishedAt = last.publishedAt
    pool.lastMoves = last.lastMoves
  }
  return true
}

/** Slots each member owns. */
export function slotsByMember(table: Table | null): ReadonlyMap<string, number> {
  const counts = new Uint32Array(table?.members.length ?? 0)
  for (const owner of table?.owners ?? []) {
    if (owner < counts.length) counts[owner] = (counts[owner] ?? 0) + 1
  }
  return new Map(table?.members.map(({ id }, index) => [id, counts[index] ?? 0]))
}

function proxiesOf(verdict: Verdict | null, table: Table | null): readonly ProxyStatus[] {
  const slots = slotsByMember(table)
  return (verdict?.judgements ?? []).map(({ candidate, state, sinceMs, reason, rttMs }) => ({
    name: candidate.id,
    address: endpointText(candidate),
    state,
    since: isoTime(sinceMs),
    reason,
    slots: slots.get(candidate.id) ?? 0,
    rttMs: rttMs === null ? null : Math.round(rttMs * 1000) / 1000,
  }))
}

function endpointText({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** While a lost table is made anew, what balancers serve on is the one that status knows. */
function tableStatusOf(pool: Pool, table: Table | null): SipProxyStatus['table'] {
  if (table === null) return pool.status?.table ?? null
  const publishedAt = pool.publishedAt ?? isoTime(pool.firstSeenMs)
  return { epoch: table.epoch, publishedAt, slots: table.slots, lastMoves: pool.lastMoves }
}

/** Worst first. */
function troublesOf(pool: Pool, report: Report, context: Context): readonly Finding[] {
  const troubles: Finding[] = []
  const failing = pool.failing.get('tableRead') ?? pool.failing.get('tableWrite')
  if (failing !== undefined) {
    const served =
      pool.table === null ? 'Nothing is served yet' : `Epoch ${pool.table.epoch} stays in use`
    const message = `The table cannot be read or written: ${failing}. ${served}; it is tried again.`
    troubles.push({ reason: 'TableNotWritten', message })
  }
  troubles.push(...report.troubles)
  if (report.verdict !== null) troubles.push(...troublesOfProxies(report, report.verdict, pool))
  troubles.push(...troublesOfBalancers(pool, context))
  return troubles
}

function troublesOfProxies(
  { isAllDown, wanted }: Report,
  { judgements, isPanic }: Verdict,
  { table }: Pool,
): readonly Finding[] {
  const troubles: Finding[] = []
  const proxies = count(judgements.length, 'proxy', 'proxies')
  if (isPanic) {
    const held = judgements.filter(({ reason }) => reason === Reason.probePanic)
    const message = `${held.length} of ${proxies} stopped answering at once (${namesOf(held)}): the operator's own network is the likelier culprit, so the table stays until balancers confirm it or they answer again.`
    troubles.push({ reason: 'ProbePanic', message })
  }
  const down = judgements.filter(({ state }) => state === 'Down')
  if (isAllDown && judgements.length > 0) {
    const stays = table === null ? '' : ` The last table, epoch ${table.epoch}, stays.`
    const message = `None of ${proxies} takes users: ${reasonsOf(judgements)}.${stays} Bring one back.`
    troubles.push({ reason: 'AllProxiesDown', message })
  } else if (down.length > 0) {
    const message = `${down.length} of ${proxies} ${down.length === 1 ? 'is' : 'are'} down: ${reasonsOf(down)}. The others have taken over.`
    troubles.push({ reason: 'ProxiesDown', message })
  }
  const waiting = judgements.filter(
    ({ role, isEligible }) => isEligible && role === MemberRole.waiting,
  )
  if (wanted?.handBack.policy === 'Manual' && waiting.length > 0) {
    const message = `Back, but given users only of proxies that fail, until a person says so (handBack.policy Manual): ${namesOf(waiting)}. Set the annotation sipcast.io/hand-back to the present time.`
    troubles.push({ reason: 'AwaitingHandBack', message })
  }
  return troubles
}

function troublesOfBalancers({ key }: Pool, { balancers }: Context): readonly Finding[] {
  const troubles = balancers
    .of(key)
    .flatMap(({ balancer, entry }) =>
      entry.problems.map(({ reason, message }) => `${balancer}: ${reason}: ${message}`),
    )
  if (troubles.length === 0) return []
  const shown = troubles.slice(0, NAMED_MAX).join('; ')
  const more = troubles.length > NAMED_MAX ? `; and ${troubles.length - NAMED_MAX} more` : ''
  return [{ reason: 'BalancerProblems', message: `Balancers report: ${shown}${more}.` }]
}

function tellRefusal(pool: Pool, { refused }: Report, { ports }: Context): void {
  const text = refused === null ? '' : `${refused.reason}: ${refused.message}`
  if (text === pool.refusedTold) return
  pool.refusedTold = text
  const { key } = pool
  if (refused === null) {
    ports.tell({ level: 'info', event: 'Accepted', key, message: `${key} is valid again` })
    return
  }
  ports.tell({ level: 'error', event: refused.reason, key, message: refused.message })
}

function tellPanic(pool: Pool, { verdict }: Report, { ports }: Context): void {
  const isPanic = verdict?.isPanic ?? false
  if (isPanic === pool.isPanicking) return
  pool.isPanicking = isPanic
  const { key } = pool
  const message = isPanic
    ? `too many proxies of ${key} stopped answering at once: the table stays`
    : `the probes of ${key} are believed again`
  ports.tell({ level: 'warn', event: isPanic ? 'ProbePanic' : 'ProbePanicEnded', key, message })
}

function tellProxies(
  last: SipProxyStatus | null,
  next: SipProxyStatus,
  { key }: Pool,
  { ports }: Context,
): void {
  const before = new Map<string, MemberState>(last?.proxies.map(({ name, state }) => [name, state]))
  for (const { name, address, state, reason } of next.proxies) {
    const was = before.get(name)
    if (was === state || state === 'Unknown') continue
    ports.tell({
      level: state === 'Down' ? 'warn' : 'info',
      event: `Proxy${state}`,
      key,
      message: `proxy ${name} (${address}) is ${state}: ${reason}`,
      details: { proxy: name, address, state, was: was ?? null, reason },
    })
  }
}

/** How many proxies a message names before it only counts. */
const NAMED_MAX = 5

function reasonsOf(judgements: readonly Judgement[]): string {
  return listed(judgements, ({ candidate, reason }) => `${candidate.id} (${reason})`)
}

function namesOf(judgements: readonly Judgement[]): string {
  return listed(judgements, ({ candidate }) => candidate.id)
}

function listed(judgements: readonly Judgement[], text: (judgement: Judgement) => string): string {
  const shown = judgements.slice(0, NAMED_MAX).map(text).join(', ')
  const more = judgements.length - NAMED_MAX
  return more > 0 ? `${shown} and ${more} more` : shown
}
