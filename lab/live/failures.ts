/** What the lab does to its proxies, by key or by script: each act is told, and the failovers are timed. */
import type { Lab } from '../start/lab.ts'
import { timeFailover } from './failover.ts'

export class Failures {
  readonly failoverMs: number[] = []
  readonly #lab: Lab
  readonly #tell: (event: string) => void

  constructor(lab: Lab, tell: (event: string) => void) {
    this.#lab = lab
    this.#tell = tell
  }

  async kill(index: number): Promise<void> {
    await this.#fail(index, 'killed')
  }

  async freeze(index: number): Promise<void> {
    await this.#fail(index, 'frozen')
  }

  async revive(index: number): Promise<void> {
    const registrar = this.#lab.registrars[index]
    if (registrar === undefined || registrar.state === 'running') return
    const was = registrar.state
    await registrar.revive()
    this.#tell(`${registrar.name} ${was === 'frozen' ? 'thawed' : 'started again'}`)
  }

  async #fail(index: number, how: 'killed' | 'frozen'): Promise<void> {
    const registrar = this.#lab.registrars[index]
    if (registrar === undefined || registrar.state !== 'running') return
    const isLast = this.#lab.registrars.filter(({ state }) => state === 'running').length === 1
    this.#tell(`${registrar.name} ${how}`)
    const fail = () => (how === 'killed' ? registrar.kill() : registrar.freeze())
    // With nobody left to take over there is nothing to time.
    if (isLast) return await fail()
    const tookMs = await timeFailover(this.#lab, registrar, fail)
    if (tookMs === null) {
      this.#tell(`${registrar.name}: nobody took over its users`)
      return
    }
    this.failoverMs.push(tookMs)
    this.#tell(`${registrar.name}: its users were served by others after ${tookMs} ms`)
  }
}
