/** What was done to nodes and not mended yet, by key or by script: each act is told, and what came of it kept. */
import type { BalancerNode } from './balancer-node.ts'
import { faultOf } from './faults.ts'
import { lostCalls, type Struck, type TrialResult, type Trials } from './trial.ts'

export class Damage {
  readonly results: TrialResult[] = []
  readonly #trials: Trials
  readonly #tell: (event: string) => void
  readonly #struck: Struck[] = []

  constructor(trials: Trials, tell: (event: string) => void) {
    this.#trials = trials
    this.#tell = tell
  }

  /** Names of the faults. */
  of(node: BalancerNode): readonly string[] {
    return this.#struck.filter((one) => one.node === node).map(({ fault }) => fault.name)
  }

  async make(name: string, node: BalancerNode): Promise<void> {
    const fault = faultOf(name)
    this.#tell(`${node.name}: ${fault.title}`)
    const struck = await this.#trials.strike(fault, node)
    this.#struck.push(struck)
    const lastMs = struck.packets.at(-1)
    const told =
      lastMs === undefined ? 'at once' : `after ${(lastMs - struck.struckMs).toFixed()} ms`
    this.#tell(`${node.name}: no packet goes there any more ${told}`)
  }

  /** All that was done to this node. */
  async mend(node: BalancerNode): Promise<void> {
    const mine = this.#struck.filter((one) => one.node === node)
    for (const struck of mine) {
      this.#struck.splice(this.#struck.indexOf(struck), 1)
      const result = await this.#trials.mend(struck)
      this.results.push(result)
      const lost = `${lostCalls(result)} of ${result.calls} calls lost`
      this.#tell(`${node.name}: mended (${struck.fault.name}); ${lost} meanwhile`)
    }
  }
}
