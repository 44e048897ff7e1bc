/**
 * Packets sent to each proxy, summed over workers and over tables.
 * Not here: counting (each worker, into its own shared array). A new table numbers its members anew, so it comes with
 * new arrays; an old array is added to the totals once its worker has said that it no longer writes there.
 * Invariant: a total never falls while its proxy is a member.
 */

interface Tally {
  readonly sipProxy: string
  readonly proxies: readonly string[]
  /** One per worker: float64 per member; undefined once added to the totals. */
  readonly arrays: (Float64Array | undefined)[]
  /** The generation from which on the workers use other arrays; null: these are in use. */
  retiredAt: number | null
}

export class ProxyPackets {
  readonly #workers: number
  #tallies: Tally[] = []
  /** SipProxy → proxy → packets counted by arrays no longer written to. */
  readonly #settled = new Map<string, Map<string, number>>()

  constructor(workers: number) {
    this.#workers = workers
  }

  /** New arrays for a table's members, one per worker; those before are retired as of `generation`. */
  begin(
    sipProxy: string,
    proxies: readonly string[],
    generation: number,
  ): readonly SharedArrayBuffer[] {
    this.end(sipProxy, generation)
    const buffers = Array.from(
      { length: this.#workers },
      () => new SharedArrayBuffer(proxies.length * 8),
    )
    const arrays = buffers.map((buffer) => new Float64Array(buffer))
    this.#tallies.push({ sipProxy, proxies, arrays, retiredAt: null })
    return buffers
  }

  /** The SipProxy's arrays are not used any more as of `generation`. */
  end(sipProxy: string, generation: number): void {
    for (const tally of this.#tallies) {
      if (tally.sipProxy === sipProxy) tally.retiredAt ??= generation
    }
  }

  /** A worker uses `generation`: what it wrote to arrays retired by then is final. */
  acknowledge(worker: number, generation: number): void {
    for (const tally of this.#tallies) {
      if (tally.retiredAt === null || tally.retiredAt > generation) continue
      this.#settle(tally, worker)
    }
    this.#tallies = this.#tallies.filter(
      ({ retiredAt, arrays }) => retiredAt === null || arrays.some((array) => array !== undefined),
    )
    this.#forget()
  }

  /** Packets of every member of every SipProxy served: SipProxy → proxy → packets. */
  totals(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    const totals = new Map<string, Map<string, number>>()
    for (const { sipProxy, proxies, retiredAt } of this.#tallies) {
      if (retiredAt !== null) continue
      const settled = this.#settled.get(sipProxy)
      totals.set(sipProxy, new Map(proxies.map((proxy) => [proxy, settled?.get(proxy) ?? 0])))
    }
    for (const { sipProxy, proxies, arrays } of this.#tallies) {
      const counts = totals.get(sipProxy)
      if (counts !== undefined) for (const array of arrays) add(counts, proxies, array)
    }
    return totals
  }

  #settle(tally: Tally, worker: number): void {
    const counts = this.#settled.get(tally.sipProxy) ?? new Map<string, number>()
    for (const proxy of tally.proxies) if (!counts.has(proxy)) counts.set(proxy, 0)
    add(counts, tally.proxies, tally.arrays[worker])
    tally.arrays[worker] = undefined
    this.#settled.set(tally.sipProxy, counts)
  }

  /** Proxies that are no members any more must not be remembered for ever. */
  #forget(): void {
    for (const [sipProxy, counts] of this.#settled) {
      const known = this.#tallies.filter((tally) => tally.sipProxy === sipProxy)
      if (known.length === 0) this.#settled.delete(sipProxy)
      const proxies = new Set(known.flatMap((tally) => tally.proxies))
      for (const proxy of counts.keys()) if (!proxies.has(proxy)) counts.delete(proxy)
    }
  }
}

/** Adds to those of `counts` that are there. */
function add(
  counts: Map<string, number>,
  proxies: readonly string[],
  packets: Float64Array | undefined,
): void {
  if (packets === undefined) return
  proxies.forEach((proxy, index) => {
    const count = counts.get(proxy)
    if (count !== undefined) counts.set(proxy, count + packets[index]!)
  })
}
