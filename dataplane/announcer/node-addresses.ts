/**
 * The node's addresses, made to be as wished: what is there is read, a plan made, and carried out in one run of `ip`.
 * Not here: what is wished, and when (`announcer.ts`); which addresses may be held or announced (`hold.ts`,
 * `copies.ts`). Invariants: the node is read before anything but the lifetime of a copy is changed; a proof that has
 * grown old while this process stood still changes nothing for the better.
 */

import type { Clock } from '../ports.ts'
import { ANNOUNCE_LINK } from './bird/limits.ts'
import { type CopyPlan, isOurLink, LINK_KINDS, NO_COPIES, planCopies } from './copies.ts'
import { type AddressPools, type HoldPlan, planHold } from './hold.ts'
import {
  copyRenewals,
  ipCommands,
  LINK_REMOVAL,
  linkCommands,
  type Present,
} from './ip-commands.ts'
import { COPY_PROOF_AGE_MAX_MS, PROOF_AGE_MAX_MS } from './limits.ts'
import { type AddressTable, IpError } from './ports.ts'
import type { AnnouncerState } from './state.ts'

export interface Wish {
  /** To be held; null: not known, and what is there is left to its lifetime. */
  readonly hold: readonly string[] | null
  /** False: what is not in `hold` may only not be known yet, and stays. */
  readonly isComplete: boolean
  /** To be announced, of what is held; null: not known, as above. */
  readonly announce: readonly string[] | null
  /** False: what is not announced already is not announced now. */
  readonly isAnew: boolean
  /** Lifetime of the copies. */
  readonly copySeconds: number
}

export interface NodeAddressesOptions {
  /** Where addresses are held. */
  readonly interface: string
  readonly pools: AddressPools
  /** False: addresses are held only, and there is no link for copies. */
  readonly announces: boolean
  readonly table: AddressTable
  readonly clock: Clock
}

export class NodeAddresses {
  readonly #options: NodeAddressesOptions
  readonly #state: AnnouncerState

  constructor(options: NodeAddressesOptions, state: AnnouncerState) {
    this.#options = options
    this.#state = state
  }

  /**
   * All methods fail with IpError where the node does not do what it is told.
   * @param askedMs when what is wished was asked for
   */
  async settle(wish: Wish, askedMs: number): Promise<void> {
    const present = await this.#read()
    const ageMs = this.#options.clock.monotonicMs() - askedMs
    const hold = wish.hold === null || ageMs > PROOF_AGE_MAX_MS ? null : this.#hold(wish, present)
    const { announces } = this.#options
    const isKnown = wish.announce !== null && (wish.announce.length === 0 || hold !== null)
    const copies =
      announces && isKnown && this.#state.linkTrouble === null
        ? planCopies(wish.announce ?? [], hold?.renew ?? [], present.addresses)
        : NO_COPIES
    const isOld = ageMs > COPY_PROOF_AGE_MAX_MS
    const add = wish.isAnew ? copies.add : []
    const { renew, remove } = copies
    await this.#carryOut(hold, isOld ? { ...NO_COPIES, remove } : { add, renew, remove }, wish)
    this.#state.renewals += hold?.renew.length ?? 0
  }

  /** False: a look at all is needed. */
  async renewCopies(addresses: readonly string[], seconds: number): Promise<boolean> {
    const commands = copyRenewals(addresses, seconds)
    return (await this.#options.table.apply(commands.map(({ line }) => line))) === null
  }

  /** Takes all away that we have added. */
  async release(): Promise<void> {
    const { table, announces } = this.#options
    const wish = { hold: [], isComplete: true, announce: [], isAnew: false, copySeconds: 0 }
    await this.settle(wish, this.#options.clock.monotonicMs())
    if (!announces || this.#state.linkTrouble !== null) return
    const complaint = await table.apply([LINK_REMOVAL])
    if (complaint !== null) throw new IpError(`cannot remove ${ANNOUNCE_LINK}: ${complaint}`)
  }

  async #read(): Promise<Present> {
    const { table, interface: device } = this.#options
    const present = await this.#withLink(await table.list())
    this.#state.see(present.addresses, device)
    return present
  }

  /** Makes the link of the copies where there is none. That it cannot be had is no reason not to hold addresses. */
  async #withLink(present: Present): Promise<Present> {
    if (!this.#options.announces) return present
    if (present.link !== null && !isOurLink(present.link)) return this.#foreign(present)
    const { table } = this.#options
    let found = present
    let complaint: string | null = null
    for (const kind of LINK_KINDS) {
      if (found.link?.isUp === true) break
      complaint = await table.apply(linkCommands(found.link, kind))
      found = await table.list()
    }
    this.#state.linkTrouble =
      found.link?.isUp === true
        ? null
        : { reason: 'LinkFailed', message: `cannot make ${ANNOUNCE_LINK}: ${complaint}` }
    return found
  }

  #foreign(present: Present): Present {
    const kind = present.link?.kind ?? 'physical'
    const message = `${ANNOUNCE_LINK} is there and not ours: its kind is ${kind}`
    this.#state.linkTrouble = { reason: 'LinkForeign', message }
    return present
  }

  #hold({ hold: wanted, isComplete }: Wish, { addresses: present }: Present): HoldPlan {
    const { pools, interface: device } = this.#options
    const question = { wanted: wanted ?? [], isComplete, present, pools, interface: device }
    const plan = planHold(question)
    this.#state.refused = plan.refused
    return plan
  }

  /** What became of the commands is read from the node: an address to be removed may have lapsed by itself. */
  async #carryOut(hold: HoldPlan | null, copies: CopyPlan, { copySeconds }: Wish): Promise<void> {
    const { table, interface: device } = this.#options
    const held = hold ?? NO_COPIES
    const commands = ipCommands({ hold: held, device, copies, copySeconds })
    if (commands.length === 0) return
    const complaint = await table.apply(commands.map(({ line }) => line))
    if (complaint === null) {
      this.#state.changed(held, copies)
      return
    }
    this.#state.changed({ add: [], remove: held.remove }, { ...NO_COPIES, remove: copies.remove })
    this.#state.see((await table.list()).addresses, device)
    const undone = commands.filter((one) => this.#state.isUndone(one))
    for (const { action } of undone) this.#state.failed(action)
    const [first] = undone
    if (first === undefined) return
    const { action, address, device: on } = first
    throw new IpError(`cannot ${action} ${address} on ${on}: ${complaint}`)
  }
}
