/**
 * What balancers say, indexed by SipProxy, so that a pass looks only at its own. A balancer whose heartbeat is too
 * old does not count.
 * Not here: what follows from it (status.ts, panic.ts, keys.ts). Invariants: an update costs what changed, not all
 * SipProxies; a node's clock may be wrong: its heartbeat's age is counted from when it was heard here.
 */
import type { BalancedSipProxy } from '@sipcast/crds'
import { timeMs } from './iso-time.ts'
import { HEARTBEAT_AGE_MAX_MS } from './limits.ts'
import type { BalancerReport, Key } from './ports.ts'

export interface BalancerView {
  readonly balancer: string
  readonly entry: BalancedSipProxy
}

/** What a report changed. */
export interface ReportNews {
  readonly keys: readonly Key[]
  /** Proxies that this balancer has just marked dead. */
  readonly doubted: readonly { readonly key: Key; readonly id: string }[]
}

interface Known {
  readonly report: BalancerReport
  readonly entries: ReadonlyMap<Key, BalancedSipProxy>
  /** When its heartbeat changed last, by our clock. */
  readonly heardMs: number
  fresh: boolean
}

export class Balancers {
  readonly #known = new Map<string, Known>()

  /** Takes a report, or that it is gone. */
  update(name: string, report: BalancerReport | null, nowMs: number): ReportNews {
    const last = this.#known.get(name)
    const lastEntries = last?.entries ?? NO_ENTRIES
    if (report === null) {
      this.#known.delete(name)
      return { keys: [...lastEntries.keys()], doubted: [] }
    }
    const entries = new Map(
      report.status.sipProxies.map((entry) => [`${entry.namespace}/${entry.name}`, entry]),
    )
    const heardMs = heardAt(report, last, nowMs)
    const known = { report, entries, heardMs, fresh: isFresh(heardMs, nowMs) }
    this.#known.set(name, known)
    const isTurned = last?.fresh !== known.fresh
    const changed = isTurned
      ? [...new Set([...lastEntries.keys(), ...entries.keys()])]
      : changedKeys(lastEntries, entries)
    return { keys: changed, doubted: known.fresh ? newMarks(changed, lastEntries, entries) : [] }
  }

  /** Looks who fell silent. Returns the SipProxies for which that counts. */
  age(nowMs: number): readonly Key[] {
    const keys = new Set<Key>()
    for (const known of this.#known.values()) {
      const fresh = isFresh(known.heardMs, nowMs)
      if (fresh === known.fresh) continue
      known.fresh = fresh
      for (const key of known.entries.keys()) keys.add(key)
    }
    return [...keys]
  }

  /** What fresh balancers say of one SipProxy. */
  of(key: Key): readonly BalancerView[] {
    const views: BalancerView[] = []
    for (const [balancer, { fresh, entries }] of this.#known) {
      const entry = entries.get(key)
      if (fresh && entry !== undefined) views.push({ balancer, entry })
    }
    return views
  }

  freshReports(): readonly BalancerReport[] {
    return [...this.#known.values()].filter(({ fresh }) => fresh).map(({ report }) => report)
  }

  /** Null: there is none. */
  lastReport(name: string): BalancerReport | null {
    return this.#known.get(name)?.report ?? null
  }

  /** SipProxies that some fresh balancer serves although their tables are gone. */
  keysWithoutTable(): ReadonlySet<Key> {
    const keys = new Set<Key>()
    for (const { fresh, entries } of this.#known.values()) {
      if (!fresh) continue
      for (const [key, entry] of entries) if (isWithoutTable(entry)) keys.add(key)
    }
    return keys
  }

  /** The uid of the SipProxy of this name that is served so; null: none is. */
  servedWithoutTable(key: Key): string | null {
    return this.of(key).find(({ entry }) => isWithoutTable(entry))?.entry.uid ?? null
  }

  /** What any balancer, fresh or not, said last of one SipProxy. */
  everOf(key: Key): readonly BalancerView[] {
    return [...this.#known].flatMap(([balancer, { entries }]) => {
      const entry = entries.get(key)
      return entry === undefined ? [] : [{ balancer, entry }]
    })
  }

  /** The key ids that each fresh balancer accepts. */
  acceptedKeyIds(): readonly (readonly number[])[] {
    return [...this.#known.values()]
      .filter(({ fresh }) => fresh)
      .map(({ report }) => report.status.acceptedKeyIds)
  }
}

const NO_ENTRIES: ReadonlyMap<Key, BalancedSipProxy> = new Map()

/** As balancers call it (dataplane/report.ts). */
function isWithoutTable({ uid, problems }: BalancedSipProxy): boolean {
  return uid !== null && problems.some(({ reason }) => reason === 'TableVanished')
}

function newMarks(
  keys: readonly Key[],
  last: ReadonlyMap<Key, BalancedSipProxy>,
  next: ReadonlyMap<Key, BalancedSipProxy>,
): ReportNews['doubted'] {
  return keys.flatMap((key) => {
    const before = new Set(last.get(key)?.deadMarks.map(({ id }) => id))
    const marks = next.get(key)?.deadMarks ?? []
    return marks.filter(({ id }) => !before.has(id)).map(({ id }) => ({ key, id }))
  })
}

/** The first one may have lain there for long: of that, only its own time can tell. */
function heardAt({ status }: BalancerReport, last: Known | undefined, nowMs: number): number {
  const { heartbeatAt } = status
  if (last === undefined) return Math.min(nowMs, timeMs(heartbeatAt))
  return last.report.status.heartbeatAt === heartbeatAt ? last.heardMs : nowMs
}

function isFresh(heardMs: number, nowMs: number): boolean {
  return nowMs - heardMs <= HEARTBEAT_AGE_MAX_MS
}

function changedKeys(
  last: ReadonlyMap<Key, BalancedSipProxy>,
  next: ReadonlyMap<Key, BalancedSipProxy>,
): readonly Key[] {
  const keys: Key[] = []
  for (const [key, entry] of next) {
    if (JSON.stringify(entry) !== JSON.stringify(last.get(key))) keys.push(key)
  }
  for (const key of last.keys()) {
    if (!next.has(key)) keys.push(key)
  }
  return keys
}
