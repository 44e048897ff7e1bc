/**
 * What the announcer knows and counts of its node, for its log, metrics, health and what it tells the balancer. Not
 * here: any decision; routers (`bird/`). Invariant: `held` and `announced` are what the node was last seen to have, or
 * what `ip` has just done without complaint.
 */

import type { Trouble } from '../troubles.ts'
import { ANNOUNCE_LINK } from './bird/limits.ts'
import { type CopyPlan, copiesIn } from './copies.ts'
import type { HoldPlan, PresentAddress, RefusedAddress } from './hold.ts'
import { HoldAction, type IpCommand } from './ip-commands.ts'

/** What can fail: one address's command, or a whole run of `ip`. */
export const IpFailure = { ...HoldAction, run: 'run' } as const
export type IpFailure = (typeof IpFailure)[keyof typeof IpFailure]

/** Why the kernel has removed a copy that nobody took away on purpose. */
export const Lapse = {
  /** The balancer did not prove itself in time: what the lifetime is for. */
  unproven: 'unproven',
  /** It did, and the renewal came too late, or somebody else removed it. */
  late: 'late',
} as const
export type Lapse = (typeof Lapse)[keyof typeof Lapse]

export interface AddressNews {
  readonly address: string
  readonly event: 'AddressHeld' | 'AddressReleased' | 'AddressAnnounced' | 'AddressWithdrawn'
}

export class AnnouncerState {
  held: ReadonlySet<string> = new Set()
  announced: ReadonlySet<string> = new Set()
  refused: readonly RefusedAddress[] = []
  /** What keeps the link of the copies from being ours and up. */
  linkTrouble: Trouble | null = null
  /** Why routers are told of less. */
  exportTrouble: Trouble | null = null
  isBalancerAlive = false
  /** A look went without a proof since the last renewal. */
  isUnproven = false
  /** Of held addresses. */
  renewals = 0
  readonly failures = new Map<IpFailure, number>()
  readonly lapses = new Map<Lapse, number>()
  /** Lapsed, and nobody was told yet. */
  #lapsed: string[] = []
  /** Of which people were told. */
  #toldHeld: ReadonlySet<string> = new Set()
  #toldAnnounced: ReadonlySet<string> = new Set()

  see(present: readonly PresentAddress[], device: string): void {
    const ours = present.filter((one) => one.isOurs && one.interface === device)
    this.held = new Set(ours.map(({ address }) => address))
    const copies = new Set(copiesIn(present))
    const gone = this.announced.difference(copies)
    this.announced = copies
    if (gone.size === 0) return
    this.#lapsed.push(...gone)
    const why = this.isUnproven ? Lapse.unproven : Lapse.late
    this.lapses.set(why, (this.lapses.get(why) ?? 0) + gone.size)
  }

  changed(hold: Pick<HoldPlan, 'add' | 'remove'>, copies: CopyPlan): void {
    this.held = this.held.union(new Set(hold.add)).difference(new Set(hold.remove))
    this.announced = this.announced.union(new Set(copies.add)).difference(new Set(copies.remove))
  }

  /** Whether the node has not what this was to bring about, as far as was seen. */
  isUndone({ action, address, device }: IpCommand): boolean {
    const there = device === ANNOUNCE_LINK ? this.announced : this.held
    return there.has(address) === (action === HoldAction.remove)
  }

  failed(what: IpFailure): void {
    this.failures.set(what, (this.failures.get(what) ?? 0) + 1)
  }

  takeNews(): readonly AddressNews[] {
    const news = [
      ...differences(this.#toldAnnounced, this.announced, 'AddressAnnounced', 'AddressWithdrawn'),
      ...differences(this.#toldHeld, this.held, 'AddressHeld', 'AddressReleased'),
    ]
    this.#toldHeld = this.held
    this.#toldAnnounced = this.announced
    return news
  }

  /** Copies that the kernel has removed since this was asked last; also those that are there again. */
  takeLapsed(): readonly string[] {
    return this.#lapsed.splice(0)
  }
}

function differences(
  told: ReadonlySet<string>,
  there: ReadonlySet<string>,
  come: AddressNews['event'],
  gone: AddressNews['event'],
): readonly AddressNews[] {
  return [
    ...[...there.difference(told)].map((address) => ({ address, event: come })),
    ...[...told.difference(there)].map((address) => ({ address, event: gone })),
  ]
}
