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
import type { Origin, Sighting } from './ports.ts'
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
  const notAllowed = sipProxy === null ? null : addressRefused(pool, sipProxy.spec, context)
  // Whoever may not have an address keeps nobody else from it.
  claim(pool, notAllowed === null ? (sipProxy?.spec ?? null) : null, context)
  if (!parsed.ok) {
    const message = `${describeProblems(parsed.problems)}.`
    return { reason: 'InvalidSpec', message }
  }
  const { spec, annotations } = parsed.sipProxy
  const refused = notAllowed ?? changeRefused(pool, spec) ?? conflictOf(pool, spec, context)
  if (refused !== null && !isInForce(pool)) return refused
  pool.spec = spec
  pool.specGeneration = pool.identity?.generation ?? 1
  pool.annotations = annotations
  return refused
}

/** This very spec was accepted before, by an earlier process under other address pools: it is the last good one. */
function isInForce({ table, identity }: Pool): boolean {
  if (table === null || table.removed || identity === null) return false
  return table.uid === identity.uid && table.generation === identity.generation
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
    isWantedBy(wantedOfSpec(namespace, name, sipProxy.spec, []), table)
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

/** Addresses are a privilege (design section 3). */
function addressRefused(
  { namespace }: Pool,
  { addresses }: SipProxySpec,
  { addressPools, ports }: Context,
): Finding | null {
  if (addressPools === null) return null
  const index = addresses.findIndex((address) => !addressPools.allow(address, namespace))
  if (index === -1) return null
  const allowed = addressPools.of(namespace)
  const choice = allowed.length === 0 ? '' : `choose one of ${allowed.join(', ')}, or `
  const message = `spec.addresses[${index}]: ${addresses[index]} is in no address pool of namespace ${namespace}: ${choice}have ${ports.cluster.names.addressPools}.`
  return { reason: 'AddressNotAllowed', message }
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
  const { key, namespace, name, spec, table } = pool
  const pods = context.ports.cluster.pods(key, spec?.proxies.selector)
  if (spec !== null) return wantedOfSpec(namespace, name, spec, pods)
  return table === null || table.removed ? null : wantedOfTable(table)
}

function fingerprintOf(object: unknown): string {
  const spec =
    typeof object === 'object' && object !== null && 'spec' in object ? object.spec : null
  return JSON.stringify(spec) ?? ''
}
