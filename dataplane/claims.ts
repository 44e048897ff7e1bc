/**
 * Who serves an (address, port) that several tables claim: the SipProxy whose object is older (design 3), but one
 * that is published before one of which only the last good table is left: it may have been removed while this node
 * was away.
 * Not here: whether an address may be served at all (operator, announcer). The operator lets no such table out; a
 * balancer that is handed two of them still sends no phone to a random one.
 * Invariant: every (address, port) belongs to at most one of the tables returned.
 */

import { sealTable, type Table } from '@sipcast/mapping'
import { canonicalAddress } from './address-text.ts'

type Entry = readonly [id: string, table: Table]

export interface Lost {
  readonly address: string
  readonly port: number
  /** Id of the SipProxy that holds it. */
  readonly to: string
}

export interface Claims {
  /**
   * Tables to serve by, without the addresses they lost (and with a checksum of their own: it is not the published
   * table that is in use then); one that lost all is left out.
   */
  readonly tables: ReadonlyMap<string, Table>
  /** By id, what was lost. */
  readonly lost: ReadonlyMap<string, readonly Lost[]>
}

/**
 * @param tables by id; tables that lose nothing come back as the same objects
 * @param listed ids of what is published; null: not known
 */
export function settleClaims(
  tables: ReadonlyMap<string, Table>,
  listed: ReadonlySet<string> | null,
): Claims {
  const holders = new Map<string, string>()
  const served = new Map<string, Table>()
  const lost = new Map<string, readonly Lost[]>()
  const isVanished = ([id]: Entry): number => (listed === null || listed.has(id) ? 0 : 1)
  const byRight = (a: Entry, b: Entry): number => isVanished(a) - isVanished(b) || byAge(a, b)
  for (const [id, table] of [...tables].sort(byRight)) {
    const losses = table.addresses.flatMap((address) => {
      const claim = `${canonicalAddress(address) ?? address} ${table.port}`
      const to = holders.get(claim) ?? id
      holders.set(claim, to)
      return to === id ? [] : [{ address, port: table.port, to }]
    })
    if (losses.length > 0) lost.set(id, losses)
    const kept = table.addresses.filter((address) => !losses.some((one) => one.address === address))
    if (losses.length === 0) served.set(id, table)
    else if (kept.length > 0) served.set(id, sealTable({ ...table, addresses: kept }))
  }
  return { tables: served, lost }
}

/** Older objects first; of the same age, by id. */
export function byAge([idA, a]: Entry, [idB, b]: Entry): number {
  if (a.objectCreated !== b.objectCreated) return a.objectCreated < b.objectCreated ? -1 : 1
  return idA < idB ? -1 : 1
}
