/**
 * When packets to the shared addresses were sent to which balancer's node, as the wire between routers and nodes has
 * it: also to a node that is dead. Not here: what became of them.
 */
import type { Namespace } from '../network/namespace.ts'
import { tap } from '../network/tap.ts'
import { type AnycastSystem, SHARED } from './system.ts'

/** What a trial looks back on, and more. */
const KEPT_MAX = 200_000

export class Arrivals {
  /** Times of packets by the node's name, on the clock of performance.now(). */
  readonly #times = new Map<string, number[]>()
  readonly #stop: (() => Promise<void>)[] = []

  static async start({ nodes, routers }: AnycastSystem): Promise<Arrivals> {
    const arrivals = new Arrivals()
    const stations = new Map<string, number[]>()
    for (const { name, namespace } of nodes) {
      const times: number[] = []
      arrivals.#times.set(name, times)
      stations.set(await stationOf(namespace), times)
    }
    for (const { namespace } of routers) {
      const wire = {
        namespace,
        device: 'core',
        direction: 'out',
        to: Object.values(SHARED),
      } as const
      const stop = await tap(wire, ({ atMs, station }) => {
        const times = stations.get(station)
        if (times === undefined) return
        if (times.length >= KEPT_MAX) times.splice(0, KEPT_MAX / 2)
        times.push(atMs - (Date.now() - performance.now()))
      })
      arrivals.#stop.push(stop)
    }
    return arrivals
  }

  /** Those to this node from then on. */
  since(node: string, sinceMs: number): readonly number[] {
    return (this.#times.get(node) ?? []).filter((atMs) => atMs >= sinceMs)
  }

  async stop(): Promise<void> {
    for (const stop of this.#stop) await stop()
  }
}

async function stationOf(namespace: Namespace): Promise<string> {
  const [link] = JSON.parse(await namespace.ip('-json link show eth0')) as readonly {
    readonly address: string
  }[]
  if (link === undefined) throw new Error(`${namespace.name} has no eth0`)
  return link.address
}
