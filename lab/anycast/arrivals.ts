/**
 * When packets to the shared addresses were sent to which balancer's node, as the wire between routers and nodes has
 * it: also to a node that is dead. Not here: what became of them.
 */
import type { Namespace } from '../network/namespace.ts'
import { tap } from '../network/tap.ts'
import { requestNumber } from './stream.ts'
import { type AnycastSystem, SHARED } from './system.ts'

/** Enough for all headers of a request of the stream. */
const BYTES = 500
/** What a trial looks back on, and more. */
const KEPT_MAX = 200_000

export class Arrivals {
  /** Times of packets by the node's name, on the clock of performance.now(). */
  readonly #times = new Map<string, number[]>()
  /** Names of nodes by the number of a request of the stream, newest last. */
  readonly #nodesOf = new Map<number, string>()
  readonly #stop: (() => Promise<void>)[] = []

  static async start({ nodes, routers }: AnycastSystem): Promise<Arrivals> {
    const arrivals = new Arrivals()
    const stations = new Map<string, string>()
    for (const { name, namespace } of nodes) {
      arrivals.#times.set(name, [])
      stations.set(await stationOf(namespace), name)
    }
    for (const { namespace } of routers) {
      const wire = {
        namespace,
        device: 'core',
        direction: 'out',
        to: Object.values(SHARED),
      } as const
      const stop = await tap({ ...wire, bytes: BYTES }, ({ atMs, station, text }) => {
        const name = stations.get(station)
        if (name !== undefined) arrivals.#note(name, atMs - (Date.now() - performance.now()), text)
      })
      arrivals.#stop.push(stop)
    }
    return arrivals
  }

  /** Those to this node from then on. */
  since(node: string, sinceMs: number): readonly number[] {
    return (this.#times.get(node) ?? []).filter((atMs) => atMs >= sinceMs)
  }

  /** The node that a request of the stream was sent to; null: to none. */
  nodeOf(request: number): string | null {
    return this.#nodesOf.get(request) ?? null
  }

  async stop(): Promise<void> {
    for (const stop of this.#stop) await stop()
  }

  #note(node: string, atMs: number, text: string): void {
    const times = this.#times.get(node) ?? []
    if (times.length >= KEPT_MAX) times.splice(0, KEPT_MAX / 2)
    times.push(atMs)
    const request = requestNumber(text)
    if (request === null) return
    if (this.#nodesOf.size >= KEPT_MAX) this.#nodesOf.delete(this.#nodesOf.keys().next().value ?? 0)
    this.#nodesOf.set(request, node)
  }
}

async function stationOf(namespace: Namespace): Promise<string> {
  const [link] = JSON.parse(await namespace.ip('-json link show eth0')) as readonly {
    readonly address: string
  }[]
  if (link === undefined) throw new Error(`${namespace.name} has no eth0`)
  return link.address
}
