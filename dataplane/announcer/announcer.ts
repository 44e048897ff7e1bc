/**
 * The announcer's holding half: keeps the balancer's addresses on the loopback interface, under a kernel
 * lifetime that it renews while the balancer proves itself. `#look` is the whole story, twice a second. Not
 * here: which addresses may be held (`hold.ts`), `ip` and the socket (`io/`), announcing to routers (what is
 * held is not announced: design 5.7). Invariants: without a proof nothing is renewed, and nothing removed
 * either: the lifetime does that, unless the balancer comes back; nor is anything removed for a balancer that
 * does not know all its tables yet; the node is read before it is changed.
 */

import type { Clock, Tell } from '../ports.ts'
import { type Proof, STOPPING } from '../proof.ts'
import { type Trouble, type TroubleOf, Troubles } from '../troubles.ts'
import { type AddressPools, type HoldPlan, planHold } from './hold.ts'
import { HoldAction, type IpCommand, ipCommands } from './ip-commands.ts'
import {
  LOOK_HUNG_MS,
  LOOK_MS,
  PROOF_AGE_MAX_MS,
  RENEW_MS,
  STOP_LOOK_MS,
  STOP_PATIENCE_MS,
  STOP_SILENCE_MS,
  STOP_WAIT_MAX_MS,
} from './limits.ts'
import { type AddressTable, IpError, type ProofSource } from './ports.ts'
import { AnnouncerState, IpFailure } from './state.ts'

export interface AnnouncerOptions {
  readonly interface: string
  readonly pools: AddressPools
  readonly clock: Clock
  readonly proofs: ProofSource
  readonly table: AddressTable
  readonly tell: Tell
}

export class Announcer {
  readonly state = new AnnouncerState()
  readonly #options: AnnouncerOptions
  readonly #troubles: Troubles
  #failure: Trouble | null = null
  /** What the last renewal was for. */
  #wanted = ''
  #renewedMs = -Infinity
  /** Null: not started, as long as a predecessor is there. */
  #lookedMs: number | null = null
  #provedMs = -Infinity
  #stoppingMs: number | null = null
  #ended: Promise<void> = Promise.resolve()

  constructor(options: AnnouncerOptions) {
    this.#options = options
    this.#troubles = new Troubles(options.tell)
  }

  start(): void {
    this.#lookedMs = this.#provedMs = this.#options.clock.monotonicMs()
    this.#ended = this.#run()
  }

  /**
   * Ends with the balancer: holds on while that still serves, then removes what it added. A balancer that goes on
   * serving keeps its addresses for their lifetime, in which the next announcer finds them.
   */
  async stop(): Promise<void> {
    this.#stoppingMs = this.#options.clock.monotonicMs()
    await this.#ended
  }

  /** Null: it looks as often as it should. */
  healthProblem(): string | null {
    const silentMs = this.#lookedMs === null ? 0 : this.#sinceMs(this.#lookedMs)
    return silentMs > LOOK_HUNG_MS ? `no look has ended for ${Math.round(silentMs)} ms` : null
  }

  /** Null: what the balancer wants is held, but for what is refused. */
  readinessProblem(): string | null {
    if (this.#failure !== null) return this.#failure.message
    return this.state.isBalancerAlive ? null : 'NoProof: the balancer does not prove itself'
  }

  async #run(): Promise<void> {
    while (!(await this.#look())) {
      const pauseMs = this.#stoppingMs === null ? LOOK_MS : STOP_LOOK_MS
      await new Promise<void>((resolve) => this.#options.clock.after(pauseMs, resolve))
    }
  }

  /** True: it was the last one. */
  async #look(): Promise<boolean> {
    const { clock, proofs } = this.#options
    const askedMs = clock.monotonicMs()
    const proof = await proofs.prove()
    this.#lookedMs = clock.monotonicMs()
    const isAlive = proof?.isAlive === true
    this.state.isBalancerAlive = isAlive
    if (isAlive) this.#provedMs = askedMs
    // Whatever it wants when it is back is wanted anew: it may have lapsed.
    else this.#wanted = ''
    const isLast = this.#isLast(proof)
    await this.#attempt(async () => {
      if (isLast && !isAlive) await this.#release()
      else if (this.#isRenewalDue(proof, isLast)) await this.#renew(isAlive ? proof : null, askedMs)
    })
    this.#tellPeople(proof)
    return isLast
  }

  #isLast(proof: Proof | null): boolean {
    if (this.#stoppingMs === null) return false
    if (proof?.isAlive !== true) return this.#sinceMs(this.#provedMs) > STOP_SILENCE_MS
    return (
      this.#sinceMs(this.#stoppingMs) >
      (proof.reason === STOPPING ? STOP_WAIT_MAX_MS : STOP_PATIENCE_MS)
    )
  }

  #isRenewalDue(proof: Proof | null, isLast: boolean): boolean {
    const isOther = proof?.isAlive === true && wishOf(proof) !== this.#wanted
    return isLast || isOther || this.#sinceMs(this.#renewedMs) >= RENEW_MS
  }

  /** @param proof null: only sees what is left */
  async #renew(proof: Proof | null, askedMs: number): Promise<void> {
    const { clock, pools, interface: device, table } = this.#options
    this.#renewedMs = clock.monotonicMs()
    const present = await table.list()
    const isOld = clock.monotonicMs() - askedMs > PROOF_AGE_MAX_MS
    if (proof === null || isOld) {
      this.state.see(present, device, null)
      return
    }
    const { addresses: wanted, isComplete } = proof
    const plan = planHold({ wanted, isComplete, present, pools, interface: device })
    this.state.see(present, device, plan)
    // Known from now on: what the node refuses is tried again with the next renewal, not with the next look.
    this.#wanted = wishOf(proof)
    await this.#apply(plan)
    this.#failure = null
    this.state.renewals += plan.renew.length
  }

  async #release(): Promise<void> {
    const { pools, interface: device, table } = this.#options
    const present = await table.list()
    const plan = planHold({ wanted: [], isComplete: true, present, pools, interface: device })
    this.state.see(present, device, plan)
    await this.#apply(plan)
  }

  /** What became of the commands is read from the node: an address to be removed may have lapsed by itself. */
  async #apply(plan: HoldPlan): Promise<void> {
    const { interface: device, table } = this.#options
    const commands = ipCommands(plan, device)
    if (commands.length === 0) return
    const complaint = await table.apply(commands)
    if (complaint === null) {
      this.state.changed(plan)
      return
    }
    this.state.see(await table.list(), device, plan)
    const undone = commands.filter((command) => this.#isUndone(command))
    if (undone.length === 0) return
    for (const { action } of undone) this.state.failed(action)
    const [{ action, address }] = undone as [IpCommand]
    throw new IpError(`cannot ${action} ${address}: ${complaint}`)
  }

  #isUndone({ action, address }: IpCommand): boolean {
    return this.state.held.has(address) === (action === HoldAction.remove)
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      // Anything but the node's refusal is a defect of ours and must be seen.
      if (!(error instanceof IpError)) throw error
      this.state.failed(IpFailure.run)
      this.#failure = { reason: 'IpFailed', message: error.message }
    }
  }

  #tellPeople(proof: Proof | null): void {
    const { tell, interface: device } = this.#options
    for (const { address, isHeld } of this.state.takeNews()) {
      const message = `${address} is ${isHeld ? 'held' : 'held no longer'} on ${device}`
      tell({ level: 'info', event: isHeld ? 'AddressHeld' : 'AddressReleased', message })
    }
    const refused = this.state.refused.map(
      ({ address, reason }): TroubleOf => ({ subject: address, reason, message: address }),
    )
    this.#troubles.state([...refused, ...this.#failureOf('ip'), ...this.#silenceOf(proof)])
  }

  /** One proof that is late is no news: a renewal that was missed for it is. */
  #silenceOf(proof: Proof | null): readonly TroubleOf[] {
    if (this.#sinceMs(this.#provedMs) <= RENEW_MS) return []
    const why = proof === null ? 'no answer' : `the balancer says ${proof.reason}`
    return [{ subject: 'balancer', reason: 'NoProof', message: `${why}: nothing is renewed` }]
  }

  #sinceMs(thenMs: number): number {
    return this.#options.clock.monotonicMs() - thenMs
  }

  #failureOf(subject: string): readonly TroubleOf[] {
    return this.#failure === null ? [] : [{ subject, ...this.#failure }]
  }
}

/** Two proofs that differ in this want other addresses held. */
function wishOf({ addresses, isComplete }: Proof): string {
  return `${isComplete} ${addresses.join()}`
}
