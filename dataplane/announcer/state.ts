/**
 * What the announcer knows and counts, for its log, metrics and health. Not here: any decision. Invariant:
 * `held` is what the node was last seen to have, or what `ip` has just done without complaint.
 */

import type { HoldPlan, PresentAddress, RefusedAddress } from './hold.ts'
import { HoldAction } from './ip-commands.ts'

/** What can fail: one address's command, or a whole run of `ip`. */
export const IpFailure = { ...HoldAction, run: 'run' } as const
export type IpFailure = (typeof IpFailure)[keyof typeof IpFailure]

export interface HoldNews {
  readonly address: string
  readonly isHeld: boolean
}

export class AnnouncerState {
  held: ReadonlySet<string> = new Set()
  refused: readonly RefusedAddress[] = []
  isBalancerAlive = false
  renewals = 0
  readonly failures = new Map<IpFailure, number>()
  /** Of which people were told. */
  #told: ReadonlySet<string> = new Set()

  /** @param plan null: there was no proof, and the last refusals stand */
  see(present: readonly PresentAddress[], device: string, plan: HoldPlan | null): void {
    const ours = present.filter((one) => one.isOurs && one.interface === device)
    this.held = new Set(ours.map(({ address }) => address))
    if (plan !== null) this.refused = plan.refused
  }

  changed({ add, remove }: HoldPlan): void {
    this.held = new Set([...this.held, ...add]).difference(new Set(remove))
  }

  failed(what: IpFailure): void {
    this.failures.set(what, (this.failures.get(what) ?? 0) + 1)
  }

  takeNews(): readonly HoldNews[] {
    const told = this.#told
    this.#told = this.held
    return [
      ...[...this.held].filter((one) => !told.has(one)).map((one) => news(one, true)),
      ...[...told].filter((one) => !this.held.has(one)).map((one) => news(one, false)),
    ]
  }
}

function news(address: string, isHeld: boolean): HoldNews {
  return { address, isHeld }
}
