/**
 * What an upstream router with health checks does where nothing announces (`announce: none`): asks each node's balancer
 * whether it is ready (port 9464, /readyz), and has routes by those that say so. Not here: the routes (phones.ts).
 * Invariant: while nobody is ready, the last routes stay: a wrong one loses no more than none.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterNode } from './kind.ts'
import type { PhoneNetwork } from './phones.ts'

const ASK_EVERY_MS = 250
/** No answer in this time is a no. */
const ANSWER_MAX_MS = 500
const PORT = 9464

export class RouteKeeper {
  readonly #network: PhoneNetwork
  readonly #ended: Promise<unknown>
  #ready: readonly ClusterNode[]
  #isOpen = true

  constructor(network: PhoneNetwork, nodes: readonly ClusterNode[]) {
    this.#network = network
    this.#ready = nodes
    this.#ended = this.#keep(nodes)
  }

  /** By which nodes there are routes now. */
  get routed(): readonly string[] {
    return this.#ready.map(({ name }) => name)
  }

  /** The routes stay as they are. */
  async stop(): Promise<void> {
    this.#isOpen = false
    await this.#ended
  }

  async #keep(nodes: readonly ClusterNode[]): Promise<void> {
    while (this.#isOpen) {
      const [answers] = await Promise.all([Promise.all(nodes.map(isReady)), sleep(ASK_EVERY_MS)])
      const ready = nodes.filter((_, index) => answers[index])
      const isSame = ready.length === this.#ready.length && ready.every((one) => this.#has(one))
      if (ready.length === 0 || isSame) continue
      await this.#network.routeVia(ready)
      this.#ready = ready
    }
  }

  #has(node: ClusterNode): boolean {
    return this.#ready.includes(node)
  }
}

async function isReady({ ipv4 }: ClusterNode): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_MAX_MS)
  // Refused, silent, cut off: whatever it is, it is no yes.
  return await fetch(`http://${ipv4}:${PORT}/readyz`, { signal }).then(
    async (response) => {
      await response.body?.cancel()
      return response.ok
    },
    () => false,
  )
}
