/**
 * The announcer: keeps the balancer's addresses on the loopback interface, and copies of those that it is ready to
 * serve on the link that BIRD looks at, both under kernel lifetimes that it renews while the balancer proves itself.
 * `#look` is the whole story, five times a second. Not here: changing addresses (`node-addresses.ts`), how a node
 * leaves and an announcer ends (`departure.ts`), BIRD (`bird/`), `ip` and the socket (`io/`).
 *
 * Invariants: without a proof nothing is renewed, and nothing removed either: the lifetimes do that, unless the
 * balancer comes back. Copies only are removed at once where it is certain that nobody serves: the balancer says so,
 * or nobody is behind its socket. No held address is removed for a balancer that does not know all its tables yet.
 * BIRD, whatever it does, delays no renewal.
 */

import type { Tell } from '../ports.ts'
import { type Proof, STOPPING } from '../proof.ts'
import { type Trouble, type TroubleOf, Troubles } from '../troubles.ts'
import { announcementOf } from './announcement.ts'
import { Departure, Ending, endingOf, Stage } from './departure.ts'
import { ExportCheck } from './export-check.ts'
import {
  COPY_BLIND_MAX_MS,
  COPY_LIFETIME_SECONDS,
  COPY_PROOF_AGE_MAX_MS,
  COPY_RENEW_MS,
  HANDOVER_LIFETIME_SECONDS,
  LOOK_HUNG_MS,
  LOOK_MS,
  RENEW_MS,
  STOP_LOOK_MS,
  STOP_WAIT_LOOK_MS,
} from './limits.ts'
import { NodeAddresses, type NodeAddressesOptions, type Wish } from './node-addresses.ts'
import { IpError, type ProofSource, type Routers, Silence } from './ports.ts'
import { AnnouncerState, IpFailure } from './state.ts'

export interface AnnouncerOptions extends Omit<NodeAddressesOptions, 'announces'> {
  readonly proofs: ProofSource
  /** Null: addresses are held only. */
  readonly routers: Routers | null
  readonly tell: Tell
}

/** A copy is renewed with the look that is nearest to its time. */
const COPY_DUE_MS = COPY_RENEW_MS - LOOK_MS / 2

export class Announcer {
  readonly state = new AnnouncerState()
  readonly #options: AnnouncerOptions
  readonly #addresses: NodeAddresses
  readonly #troubles: Troubles
  readonly #departure = new Departure()
  readonly #exportCheck = new ExportCheck()
  #failure: Trouble | null = null
  /** What the node was last settled for. */
  #settled = ''
  #settledMs = -Infinity
  #renewedMs = -Infinity
  /** Null: not started, as long as a predecessor is there. */
  #lookedMs: number | null = null
  #provedMs = -Infinity
  /** What the balancer was ready to serve when it last said so. */
  #ready: readonly string[] = []
  #isBalancerEnding = false
  /** What is not announced may be. */
  #isAnew = false
  #stoppingMs: number | null = null
  #wake: () => void = () => undefined
  /** The next look is due now. */
  #isHurried = false
  #ended: Promise<void> = Promise.resolve()

  constructor(options: AnnouncerOptions) {
    this.#options = options
    this.#addresses = new NodeAddresses(
      { ...options, announces: options.routers !== null },
      this.state,
    )
    this.#troubles = new Troubles(options.tell)
  }

  start(): void {
    this.#lookedMs = this.#provedMs = this.#options.clock.monotonicMs()
    this.#ended = this.#run()
  }

  /**
   * Ends with the balancer: goes on while that still serves, then removes what it added, and BIRD ends, too. A balancer
   * that goes on serving keeps its addresses for a last lifetime, in which the next announcer finds them.
   */
  async stop(): Promise<void> {
    this.#stoppingMs = this.#options.clock.monotonicMs()
    this.#hurry()
    await this.#ended
  }

  /** Null: it looks as often as it should. */
  healthProblem(): string | null {
    const silentMs = this.#lookedMs === null ? 0 : this.#sinceMs(this.#lookedMs)
    if (silentMs > LOOK_HUNG_MS) return `no look has ended for ${Math.round(silentMs)} ms`
    return this.#options.routers?.healthProblem() ?? null
  }

  /** Null: what the balancer wants is held, but for what is refused, and a router is told of what it is ready for. */
  readinessProblem(): string | null {
    const { routers } = this.#options
    if (this.#failure !== null) return this.#failure.message
    if (!this.state.isBalancerAlive) return 'NoProof: the balancer does not prove itself'
    if (routers === null || this.#departure.stage !== Stage.serving) return null
    const { held, announced } = this.state
    const missing = this.#ready.find((address) => held.has(address) && !announced.has(address))
    // One router is enough: a single BgpPeer that is wrong must not keep all nodes from being ready.
    const isMute = this.#ready.length > 0 && !routers.hasSession && routers.sessionsWanted !== 0
    if (missing === undefined && !isMute) return null
    const [problem] = [this.state.linkTrouble ?? [], routers.problems].flat()
    if (problem !== undefined) return `${problem.reason}: ${problem.message}`
    return missing === undefined ? 'NoSession: no router listens' : `NotAnnounced: ${missing}`
  }

  async #run(): Promise<void> {
    const { routers } = this.#options
    let ending = await this.#look()
    // Not before: what they load takes longer than copies of a predecessor may have left.
    if (ending === null) routers?.start(() => this.#hurry())
    while (ending === null) {
      await this.#pause()
      ending = await this.#look()
    }
    await routers?.stop(ending === Ending.together)
  }

  #hurry(): void {
    this.#isHurried = true
    this.#wake()
  }

  async #pause(): Promise<void> {
    if (!this.#isHurried) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.clock.after(this.#pauseMs(), resolve)
        this.#wake = () => {
          cancel()
          resolve()
        }
      })
    }
    this.#isHurried = false
  }

  #pauseMs(): number {
    if (this.#stoppingMs === null) return LOOK_MS
    return this.#isBalancerEnding ? STOP_WAIT_LOOK_MS : STOP_LOOK_MS
  }

  /** Not null: it was the last one. */
  async #look(): Promise<Ending | null> {
    const { clock, proofs, routers } = this.#options
    const askedMs = clock.monotonicMs()
    const answer = await proofs.prove(announcementOf(this.state, this.#failure, routers))
    this.#lookedMs = clock.monotonicMs()
    const proof = typeof answer !== 'string' && answer.isAlive ? answer : null
    this.state.isBalancerAlive = proof !== null
    if (proof === null) this.state.isUnproven = true
    else this.#heed(proof, askedMs)
    const ending = this.#endingOf(answer)
    await this.#attempt(async () => {
      if (ending === Ending.together) await this.#addresses.release()
      else await this.#carryOut(this.#wishOf(answer, ending), askedMs, ending !== null)
    })
    this.#checkExports()
    this.#tellPeople(answer)
    return ending
  }

  #heed(proof: Proof, askedMs: number): void {
    const { clock, routers } = this.#options
    this.#provedMs = askedMs
    this.#ready = proof.ready
    this.#isBalancerEnding = proof.reason === STOPPING
    if (routers === null) return
    const isLeaving = proof.isLeaving === true || routers.isInMaintenance === true
    // Whether this node is to be out of service may still have to be heard: until then what is announced stays so.
    this.#isAnew = proof.isLeaving !== null && routers.isInMaintenance !== null
    this.#departure.step(isLeaving, routers.hasSession, clock.monotonicMs())
    routers.heard(proof)
    routers.setShuttingDown(this.#departure.stage !== Stage.serving)
  }

  #endingOf(answer: Proof | Silence): Ending | null {
    if (this.#stoppingMs === null) return null
    const nowMs = this.#options.clock.monotonicMs()
    return endingOf({ answer, nowMs, stoppingMs: this.#stoppingMs, provedMs: this.#provedMs })
  }

  #wishOf(answer: Proof | Silence, ending: Ending | null): Wish {
    const copySeconds = ending === null ? COPY_LIFETIME_SECONDS : HANDOVER_LIFETIME_SECONDS
    const nothing = { hold: null, isComplete: false, isAnew: this.#isAnew, copySeconds }
    if (answer === Silence.silent) return { ...nothing, announce: null }
    if (answer === Silence.absent || !answer.isAlive) return { ...nothing, announce: [] }
    const { addresses: hold, isComplete, ready } = answer
    const { stage } = this.#departure
    const isAnnounced = stage === Stage.serving || (stage === Stage.leaving && ending === null)
    return { ...nothing, hold, isComplete, announce: isAnnounced ? ready : [] }
  }

  async #carryOut(wish: Wish, askedMs: number, isLast: boolean): Promise<void> {
    const copies = [...this.state.announced].filter((one) => wish.announce?.includes(one))
    const isUnproven = wish.announce === null && this.state.announced.size > 0
    const settleEveryMs = isUnproven ? COPY_DUE_MS : RENEW_MS
    const isSettled = JSON.stringify(wish) === this.#settled
    if (isLast || !isSettled || this.#sinceMs(this.#settledMs) >= settleEveryMs) {
      return await this.#settle(wish, askedMs)
    }
    const pauseMs = this.#sinceMs(this.#renewedMs)
    if (copies.length === 0 || pauseMs < COPY_DUE_MS) return
    const isOld = this.#sinceMs(askedMs) > COPY_PROOF_AGE_MAX_MS
    if (isOld || pauseMs > COPY_BLIND_MAX_MS) return await this.#settle(wish, askedMs)
    this.#renewedMs = this.#options.clock.monotonicMs()
    const isDone = await this.#addresses.renewCopies(copies, wish.copySeconds)
    if (isDone) this.state.isUnproven = false
    else await this.#settle(wish, askedMs)
  }

  async #settle(wish: Wish, askedMs: number): Promise<void> {
    this.#settledMs = this.#renewedMs = this.#options.clock.monotonicMs()
    // Known from now on: what the node refuses is tried again with the next renewal, not with the next look.
    this.#settled = JSON.stringify(wish)
    await this.#addresses.settle(wish, askedMs)
    if (this.#sinceMs(askedMs) > COPY_PROOF_AGE_MAX_MS) this.#tooOldFor(wish)
    if (wish.hold === null) return
    this.state.isUnproven = false
    this.#failure = null
  }

  /** Copies that were just seen are renewed with the next proof, without a listing that takes as long; then others. */
  #tooOldFor({ announce }: Wish): void {
    const nowMs = this.#options.clock.monotonicMs()
    this.#renewedMs = nowMs - COPY_DUE_MS
    const areThere = announce?.every((address) => this.state.announced.has(address)) ?? true
    if (!areThere) this.#settledMs = nowMs - RENEW_MS + 1.5 * LOOK_MS
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

  #checkExports(): void {
    const { clock, routers } = this.#options
    if (routers === null) return
    const { announced } = this.state
    this.state.exportTrouble = this.#exportCheck.look(announced, routers, clock.monotonicMs())
  }

  #tellPeople(answer: Proof | Silence): void {
    const { tell, interface: device, routers } = this.#options
    for (const address of this.state.takeLapsed()) {
      const message = `${address}: its lifetime ended, and the kernel has withdrawn it`
      tell({ level: 'warn', event: 'AnnouncementLapsed', message })
    }
    for (const { address, event } of this.state.takeNews()) {
      const isAbout = event === 'AddressHeld' || event === 'AddressReleased' ? ` on ${device}` : ''
      tell({ level: 'info', event, message: `${address}${isAbout}: ${WORDS[event]}` })
    }
    const { linkTrouble, exportTrouble, refused } = this.state
    const own = [
      ...(exportTrouble === null ? [] : [{ subject: 'export', ...exportTrouble }]),
      ...(linkTrouble === null ? [] : [{ subject: 'link', ...linkTrouble }]),
      ...(this.#failure === null ? [] : [{ subject: 'ip', ...this.#failure }]),
      ...refused.map(({ address, reason }) => ({ subject: address, reason, message: address })),
    ]
    this.#troubles.state([...own, ...(routers?.problems ?? []), ...this.#silenceOf(answer)])
  }

  /** One proof that is late is no news: a renewal that was missed for it is. */
  #silenceOf(answer: Proof | Silence): readonly TroubleOf[] {
    if (this.#sinceMs(this.#provedMs) <= RENEW_MS) return []
    return [
      { subject: 'balancer', reason: 'NoProof', message: `${why(answer)}: nothing is renewed` },
    ]
  }

  #sinceMs(thenMs: number): number {
    return this.#options.clock.monotonicMs() - thenMs
  }
}

const WORDS = {
  AddressHeld: 'held',
  AddressReleased: 'held no longer',
  AddressAnnounced: 'announced',
  AddressWithdrawn: 'announced no longer',
} as const

function why(answer: Proof | Silence): string {
  if (answer === Silence.absent) return 'nobody is behind the socket'
  return answer === Silence.silent ? 'no answer' : `the balancer says ${answer.reason}`
}
