/** Sessions that the lab's routers lost, as their BIRDs say. Not here: why. */
import type { Router } from '@sipcast/lab'

const BFD_LOST = /Session to \S+ changed state from Up to /
const BGP_LOST = /: State changed to stop/

export class RouterLog {
  readonly #routers: readonly Router[]
  /** What was lost before it was asked. */
  readonly #before: Readonly<{ bfd: number; bgp: number }>

  constructor(routers: readonly Router[]) {
    this.#routers = routers
    this.#before = { bfd: this.#count(BFD_LOST), bgp: this.#count(BGP_LOST) }
  }

  get bfdLost(): number {
    return this.#count(BFD_LOST) - this.#before.bfd
  }

  get bgpLost(): number {
    return this.#count(BGP_LOST) - this.#before.bgp
  }

  #count(pattern: RegExp): number {
    return this.#routers.reduce(
      (sum, { bird }) => sum + bird.process.log.matching(pattern).length,
      0,
    )
  }
}
