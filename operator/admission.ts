/**
 * Whether a SipProxy as found may have its way: can it be read, is it valid, may it change so, is the address free.
 * What is refused leaves the last good spec in force.
 * Not here: what follows (reconcile.ts). Invariants: never throws; looking twice at the same thing changes nothing
 * the second time.
 */
import { describeProblems, parseSipProxy, type SipProxy, type SipProxySpec } from '@sipcast/crds'
import type { Context } from './context.ts'
import { identify, identityOfTable } from './identity.ts'
import { isoTime } from './iso-time.ts'
import type { Pool, SeenObject } from './pool.ts'
import type { Origin, Pod, Sighting } from './ports.ts'
import { endpointsOf, isWantedBy, type Wanted, wantedOfSpec, wantedOfTable } from './snapshot.ts'
import { count, type Finding } from './status.ts'

export interface Admission {
  /** What to serve; null where nothing good was ever seen. */
  readonly wanted: Wanted | null
  /** Why not what the object says; null = accepted. */
  readonly refused: Finding | null
}

/** Judges the object, and claims what it wants. @param nowMs is when it was seen: first seen, first served. */
export function admit(
  pool: Pool,
  sighting: Exclude<Sighting, { kind: 'absent' }>,
  context: Context,
  nowMs: number,
): Admission {
  const refused =
    sighting.kind === 'present'
      ? admitObject(pool, sighting.object, { context, origin: sighting.origin, nowMs })
      : unreadable(pool, sighting.why, context)
  const wanted = lastGood(pool, context)
  return { wanted, refused: refused === null ? null : withConsequence(refused, pool) }
}

function admitObject(
  pool: Pool,
  object: unknown,
  found: { readonly context: Context; readonly origin: Origin | null; readonly nowMs: number },
): Finding | null {
  const { context } = found
  const { parsed, fingerprint } = look(pool, object)
  const sipProxy = parsed.ok ? parsed.sipProxy : null
  identifyPool(pool, { ...found, fingerprint, sipProxy })
  claim(pool, sipProxy?.spec ?? null, context)
  if (!parsed.ok) {
    const message = `${describeProblems(parsed.problems)}.`
    return { reason: 'InvalidSpec', message }
  }
  const { spec, annotations } = parsed.sipProxy
  const refused = changeRefused(pool, spec) ?? conflictOf(pool, spec, context)
  if (refused !== null) return refused
  pool.spec = spec
  pool.specGeneration = pool.identity?.generation ?? 1
  pool.annotations = annotations
  return null
}

function look(pool: Pool, object: unknown): SeenObject {
  if (pool.seen === null || pool.seen.object !== object) {
    pool.seen = { object, parsed: parseSipProxy(object), fingerprint: fingerprintOf(object) }
  }
  return pool.seen
}

function identifyPool(
  pool: Pool,
  found: {
    readonly context: Context
    readonly origin: Origin | null
    readonly nowMs: number
    readonly fingerprint: string
    readonly sipProxy: SipProxy | null
  },
): void {
  const { context, origin, nowMs, fingerprint, sipProxy } = found
  const { table, namespace, name } = pool
  const matchesTable = () =>
    sipProxy !== null &&
    table !== null &&
    isWantedBy(
      wantedOfSpec(namespace, name, sipProxy.spec, podsOf(pool, sipProxy.spec, context)),
      table,
    )
  pool.identity = identify({
    origin,
    fingerprint,
    known: pool.identity,
    table,
    reportedUid:
      context.balancers.everOf(pool.key).find(({ entry }) => entry.uid !== null)?.entry.uid ?? null,
    status: pool.status,
    matchesTable,
    nowMs,
    newUid: () => context.ports.random.uuid(),
  })
}

/** Claims what the object wants, and what is served now. */
export function claim(
  pool: Pool,
  wanted: Pick<SipProxySpec, 'addresses' | 'port'> | null,
  context: Context,
): void {
  const held = pool.table === null || pool.table.removed ? [] : endpointsOf(pool.table)
  const created = pool.identity?.objectCreated ?? isoTime(pool.firstSeenMs)
  const wants = wanted === null ? held : endpointsOf(wanted)
  context.mark(context.claims.set(pool.key, wants, held, created))
}

function changeRefused({ table, identity }: Pool, spec: SipProxySpec): Finding | null {
  const { slots } = spec.mapping
  if (table === null || table.uid !== identity?.uid || table.slots === slots) return null
  const message = `spec.mapping.slots: cannot be changed from ${table.slots} to ${slots}: every user would move. Set it back, or make a new SipProxy.`
  return { reason: 'SlotsImmutable', message }
}

function conflictOf(pool: Pool, spec: SipProxySpec, { claims }: Context): Finding | null {
  const conflict = claims.conflict(pool.key, endpointsOf(spec))
  if (conflict === null) return null
  const [address, port] = conflict.endpoint.split(' ')
  const message = `spec.addresses: ${address} port ${port} is already served by SipProxy ${conflict.holder}. Use another address or port, or remove the other.`
  return { reason: 'AddressConflict', message }
}

function unreadable(pool: Pool, why: string, context: Context): Finding {
  pool.identity ??= identityOfTable(pool.table)
  claim(pool, null, context)
  return { reason: 'ManifestUnreadable', message: `${why}.` }
}

function withConsequence({ reason, message }: Finding, { table }: Pool): Finding {
  const consequence =
    table === null || table.removed
      ? 'Nothing is served until this is mended.'
      : `The last good spec stays in force (epoch ${table.epoch}, ${count(table.members.length, 'proxy', 'proxies')}).`
  return { reason, message: `${message} ${consequence}` }
}

function lastGood(pool: Pool, context: Context): Wanted | null {
  const { namespace, name, spec, table } = pool
  if (spec !== null) return wantedOfSpec(namespace, name, spec, podsOf(pool, spec, context))
  return table === null || table.removed ? null : wantedOfTable(table)
}

function podsOf(
  { namespace }: { namespace: string },
  spec: SipProxySpec,
  { ports }: Context,
): readonly Pod[] {
  const { selector } = spec.proxies
  return selector === undefined ? [] : ports.cluster.pods(namespace, selector)
}

function fingerprintOf(object: unknown): string {
  const spec =
    typeof object === 'object' && object !== null && 'spec' in object ? object.spec : null
  return JSON.stringify(spec) ?? ''
}
