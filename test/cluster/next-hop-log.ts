/**
 * Where a router of the cluster's sends what goes to one address, change by change, as its kernel tells; times are
 * performance.now(). Not here: why. For BIRD: FRR changes groups of next hops, which nobody is told of by the route.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type ClusterRouter, eventually } from '@sipcast/lab'

interface Moment {
  readonly atMs: number
  /** In order; none: there is no route. */
  readonly hops: readonly string[]
}

const PATIENCE_MS = 60_000

export class NextHopLog {
  readonly moments: Moment[] = []
  readonly #monitor: ChildProcess

  static async of(router: ClusterRouter, address: string): Promise<NextHopLog> {
    // It ends with the router.
    const words = ['exec', router.name, 'ip', '-oneline', '-tshort', 'monitor', 'route']
    const monitor = spawn('docker', words, { stdio: ['ignore', 'pipe', 'inherit'] })
    const log = new NextHopLog(monitor)
    createInterface({ input: monitor.stdout }).on('line', (line) => log.#note(line, address))
    const hops = await router.nextHops(address)
    if (log.moments.length === 0) log.moments.push({ atMs: performance.now(), hops })
    return log
  }

  constructor(monitor: ChildProcess) {
    this.#monitor = monitor
  }

  get latest(): readonly string[] {
    return this.moments.at(-1)!.hops
  }

  /** All that it was from this time on, what it was then included. */
  since(sinceMs: number): readonly Moment[] {
    const first = this.moments.findLastIndex(({ atMs }) => atMs <= sinceMs)
    return this.moments.slice(Math.max(first, 0))
  }

  /** When it first was so, from this time on. */
  async when(
    wanted: string,
    sinceMs: number,
    isSo: (hops: readonly string[]) => boolean,
  ): Promise<number> {
    const find = async () => this.since(sinceMs).find(({ hops }) => isSo(hops)) ?? null
    const found = await eventually(wanted, find, PATIENCE_MS).catch((cause: unknown) => {
      const told = this.since(sinceMs).map(({ hops }) => `[${hops.join(' ')}]`)
      throw new Error(`${wanted}: ${told.join(' ')}`, { cause })
    })
    return Math.max(found.atMs, sinceMs)
  }

  stop(): void {
    this.#monitor.kill()
  }

  /** `[2026-11-29T12:15:24.337502] 203.0.113.10 proto bird metric 32 \ nexthop via 172.18.0.3 dev eth0 …`. */
  #note(line: string, address: string): void {
    const [, time = '', deleted, prefix, rest = ''] =
      /^\[(\S+)\] (Deleted )?(\S+) (.*)$/.exec(line) ?? []
    if (prefix !== address) return
    const hops = [...rest.matchAll(/\bvia (?:inet6 )?(\S+)/g)].map(([, hop = '']) => hop).toSorted()
    const atMs = Date.parse(`${time}Z`) - performance.timeOrigin
    this.moments.push({ atMs, hops: deleted === undefined ? hops : [] })
  }
}
