/** One datagram on its way through a memory network. Endpoints are five words; all of it is read-only. */

export interface Flight {
  readonly source: Int32Array
  readonly target: Int32Array
  readonly payload: Uint8Array
}

/** FNV-1a over both endpoints: what ECMP and SO_REUSEPORT tell flows apart by. */
export function flowHash(flight: Flight): number {
  let hash = 0x811c9dc5
  for (const endpoint of [flight.source, flight.target]) {
    for (const word of endpoint) hash = Math.imul(hash ^ word, 0x01000193)
  }
  return (hash ^ (hash >>> 15)) >>> 0
}
