/**
 * Every version of every table that was written, in order, as a watcher of the API sees it. Not here: one pool as a
 * whole (pool-watch.ts).
 */
import { type ApiObject, paths } from '@sipcast/kube'
import { NAMESPACE } from '@sipcast/lab'
import { decodeTable, type Table } from '@sipcast/mapping'
import { expect } from 'vitest'
import { expectSameOwners } from './bystander.ts'
import type { Cluster } from './cluster.ts'
import { Timeline } from './timeline.ts'

const PREFIX = `${NAMESPACE}/sipcast-table-`

export class TableWrites {
  readonly #timeline: Timeline<Table | null>

  static async follow({ kubectl }: Cluster): Promise<TableWrites> {
    return new TableWrites(
      await Timeline.of(kubectl.kubeconfig!, paths.configMaps(NAMESPACE), tableOf),
    )
  }

  constructor(timeline: Timeline<Table | null>) {
    this.#timeline = timeline
  }

  /** Of the SipProxy `NAMESPACE/NAME`; null where it has none. */
  latest(sipProxy: string): Table | null {
    return this.#timeline.latest(idOf(sipProxy))
  }

  since(sipProxy: string, sinceMs: number): readonly Table[] {
    const id = idOf(sipProxy)
    return this.#timeline.moments.flatMap(({ id: of, atMs, value }) =>
      of === id && atMs >= sinceMs && value !== null ? [value] : [],
    )
  }

  /** When it was first seen to be so. */
  firstMs(sipProxy: string, sinceMs: number, isSo: (table: Table) => boolean): number | null {
    const id = idOf(sipProxy)
    const found = this.#timeline.after(
      sinceMs,
      ({ id: of, value }) => of === id && value !== null && isSo(value),
    )
    return found?.atMs ?? null
  }

  /** Each is a new leader's first word: its number, a later epoch, and no other news. */
  expectOnlyStamps(sipProxy: string, before: Table, sinceMs: number): void {
    let last = before
    for (const table of this.since(sipProxy, sinceMs)) {
      expect(table.leaseTransitions).toBeGreaterThan(last.leaseTransitions)
      expect(table.epoch).toBe(last.epoch + 1)
      expectSameOwners(last, table)
      last = table
    }
  }

  /** Whatever they say: no leader wrote after a later one, and no epoch was used twice. */
  expectInOrder(sipProxy: string, before: Table, sinceMs: number): void {
    let last = before
    for (const table of this.since(sipProxy, sinceMs)) {
      expect(table.leaseTransitions).toBeGreaterThanOrEqual(last.leaseTransitions)
      expect(table.epoch).toBeGreaterThan(last.epoch)
      last = table
    }
  }

  stop(): void {
    this.#timeline.stop()
  }
}

/** `default/voice` has its table in `sipcast-table-default.voice`. */
function idOf(sipProxy: string): string {
  return PREFIX + sipProxy.replace('/', '.')
}

/** Null: it is no table. */
function tableOf({ metadata, ...fields }: ApiObject): Table | null {
  if (!`${metadata.namespace}/${metadata.name}`.startsWith(PREFIX)) return null
  const { 'table.json': text = '' } = (fields['data'] ?? {}) as Record<string, string>
  const decoded = decodeTable(text)
  return decoded.ok ? decoded.table : null
}
