/**
 * Keeps BIRD as it is wanted, and knows how its sessions are: one level-triggered pass at a time, apart from the loop
 * that renews addresses, so that a BIRD that hangs delays no renewal. Not here: what the configuration says
 * (`render.ts`), how BIRD is spoken to (`io/`), where orders and passwords come from (`inputs.ts`).
 *
 * Invariants: as long as not all is known that a configuration is made of, BIRD stays as it is; a configuration that
 * BIRD refuses changes nothing, is told in BIRD's words, and is not offered again before something changes; after BIRD
 * was away, it is told again.
 */

import { PassLoop } from '../../pass-loop.ts'
import type { Tell } from '../../ports.ts'
import type { Proof } from '../../proof.ts'
import type { TroubleOf } from '../../troubles.ts'
import type { Routers } from '../ports.ts'
import { Inputs, type InputsOptions } from './inputs.ts'
import { ENABLE_MS, KEEP_FAST_FOR_MS, KEEP_FAST_MS, KEEP_HUNG_MS } from './limits.ts'
import { type BirdDaemon, BirdError, BirdErrorCode, type ConfigurationStore } from './ports.ts'
import { type BirdConfiguration, type BirdQuestion, renderBird } from './render.ts'
import { routerIdOf } from './router-id.ts'
import type { BgpSession } from './sessions.ts'
import type { SessionChange } from './session-watch.ts'
import { BirdState, Outcome } from './state.ts'

export interface BirdKeeperOptions extends Omit<InputsOptions, 'changed' | 'maintenanceChanged'> {
  readonly bird: BirdDaemon
  readonly file: ConfigurationStore
  /** Networks of which host routes may be announced; null: of all. */
  readonly pools: readonly string[] | null
  readonly tell: Tell
}

/** Where this node is among routers. */
type Place = Pick<BirdQuestion, 'nodeName' | 'nodeAddresses' | 'routerId'>

export class BirdKeeper implements Routers {
  readonly state = new BirdState()
  readonly #options: BirdKeeperOptions
  readonly #inputs: Inputs
  readonly #loop: PassLoop
  #place: Place | null = null
  #isShuttingDown = false
  #peerProblems: readonly TroubleOf[] = []
  /** What BIRD has taken up for certain; null: that is not known. */
  #inUse: string | null = null
  #refused: { readonly text: string; readonly error: BirdError } | null = null
  #passedMs: number
  #changedMs: number
  /** When sessions that BIRD has given up were last begun again. */
  #begunMs = new Map<string, number>()
  #maintenanceChanged: () => void = () => undefined

  constructor(options: BirdKeeperOptions) {
    this.#options = options
    this.#inputs = new Inputs({
      ...options,
      changed: () => this.#loop.mark(),
      maintenanceChanged: () => this.#maintenanceChanged(),
    })
    this.#loop = new PassLoop(options.clock, () => this.#pass())
    this.#passedMs = this.#changedMs = options.clock.monotonicMs()
  }

  start(maintenanceChanged: () => void): void {
    this.#maintenanceChanged = maintenanceChanged
    this.#passedMs = this.#changedMs = this.#options.clock.monotonicMs()
    this.#inputs.start()
    this.#loop.start()
  }

  heard({ name, inside, orders }: Proof): void {
    this.#inputs.heard(orders)
    const place = { nodeName: name, nodeAddresses: inside, routerId: routerIdOf(name, inside) }
    if (JSON.stringify(place) === JSON.stringify(this.#place)) return
    this.#place = place
    this.#loop.mark()
  }

  setShuttingDown(isShuttingDown: boolean): void {
    if (isShuttingDown === this.#isShuttingDown) return
    this.#isShuttingDown = isShuttingDown
    this.#loop.hurry()
  }

  get isInMaintenance(): boolean | null {
    return this.#inputs.isInMaintenance
  }

  get hasSession(): boolean {
    return this.state.hasSession
  }

  get exported(): Routers['exported'] {
    return this.state.exported
  }

  get sessions(): Routers['sessions'] {
    return this.state.statuses()
  }

  get sessionsWanted(): number | null {
    return this.state.wanted
  }

  get problems(): readonly TroubleOf[] {
    const { trouble } = this.state
    return [...(trouble === null ? [] : [trouble]), ...this.#inputs.unknown, ...this.#peerProblems]
  }

  healthProblem(): string | null {
    const silentMs = this.#options.clock.monotonicMs() - this.#passedMs
    return silentMs > KEEP_HUNG_MS ? `BIRD was not looked at for ${Math.round(silentMs)} ms` : null
  }

  async stop(isBirdToEnd: boolean): Promise<void> {
    // What is under way ends by itself, in a bounded time; nobody needs to wait for it.
    void this.#inputs.stop()
    void this.#loop.stop()
    if (!isBirdToEnd) return
    try {
      await this.#options.bird.down()
      this.#options.tell({ level: 'info', event: 'BirdEnded', message: 'as it was told' })
    } catch (error) {
      if (!(error instanceof BirdError)) throw error
      const message = `BIRD could not be told to end: ${error.message}`
      this.#options.tell({ level: 'info', event: 'BirdNotEnded', message })
    }
  }

  async #pass(): Promise<void> {
    const { clock } = this.#options
    const question = this.#question()
    const refusal = question === null ? null : await attempt(() => this.#configure(question))
    const isAway = refusal !== null && !isItsWord(refusal)
    const failure = isAway ? refusal : await attempt(() => this.#look())
    const trouble = failure ?? refusal
    this.state.trouble = trouble === null ? null : troubleOf(trouble)
    if (failure !== null) this.#away(failure)
    this.#passedMs = clock.monotonicMs()
    const isFast = this.#passedMs - this.#changedMs < KEEP_FAST_FOR_MS
    if (isFast) clock.after(KEEP_FAST_MS, () => this.#loop.mark())
  }

  /** Null: not all is known. */
  #question(): BirdQuestion | null {
    const { inForce } = this.#inputs
    if (this.#place === null || inForce === null) return null
    const { pools, passwords } = this.#options
    return {
      ...this.#place,
      peers: inForce.peers,
      nodeLabels: inForce.nodeLabels,
      passwords: inForce.passwords,
      passwordRemedy: passwords.remedy,
      pools,
      isShuttingDown: this.#isShuttingDown,
    }
  }

  async #configure(question: BirdQuestion): Promise<void> {
    const configuration = renderBird(question)
    this.#note(configuration, question)
    const { text } = configuration
    this.state.isConfigured = text === this.#inUse
    if (this.state.isConfigured) return
    if (text === this.#refused?.text) throw this.#refused.error
    try {
      await this.#options.file.prepare(renderBird({ ...question, peers: [] }).text)
      await this.#options.file.apply(text)
    } catch (error) {
      this.#notApplied(text, error)
      throw error
    }
    this.#inUse = text
    this.#refused = null
    this.#changed()
    this.state.isConfigured = true
    this.state.counted(Outcome.applied)
    const peers = configuration.peers.join(', ') || 'no router'
    this.#options.tell({ level: 'info', event: 'BirdConfigured', message: peers })
  }

  #note({ peers, refused }: BirdConfiguration, question: BirdQuestion): void {
    const addresses = new Map(question.peers.map(({ name, spec }) => [name, spec.peerAddress]))
    this.state.known = peers.map((peer) => ({ peer, peerAddress: addresses.get(peer) ?? '' }))
    this.state.wanted = peers.length + refused.length
    this.#peerProblems = [
      ...refused.map(({ peer, reason, message }) => {
        return { subject: peer, reason, message: `BgpPeer ${peer}: ${message}` }
      }),
      ...(this.#inputs.inForce?.problems ?? []),
    ]
  }

  #notApplied(text: string, error: unknown): void {
    const isRefused = error instanceof BirdError && error.code === BirdErrorCode.refused
    this.state.counted(isRefused ? Outcome.refused : Outcome.failed)
    if (isRefused) this.#refused = { text, error }
  }

  async #look(): Promise<void> {
    const { bird, clock } = this.#options
    const sessions = await bird.sessions()
    this.state.isAnswering = true
    this.state.sessions = sessions
    for (const change of this.state.watch.observe(sessions, clock.iso())) this.#tell(change)
    await this.#begin(sessions)
  }

  /** One at a time, those first that were tried longest ago: each may have to be waited for. */
  async #begin(sessions: readonly BgpSession[]): Promise<void> {
    const { bird, clock } = this.#options
    const nowMs = clock.monotonicMs()
    const givenUp = sessions.filter(({ isGivenUp }) => isGivenUp).map(({ peer }) => peer)
    const triedMs = (peer: string): number => this.#begunMs.get(peer) ?? -Infinity
    const [peer] = givenUp.toSorted((a, b) => triedMs(a) - triedMs(b))
    this.#begunMs = new Map(givenUp.map((one) => [one, triedMs(one)]))
    if (peer === undefined || nowMs - triedMs(peer) < ENABLE_MS) return
    this.#begunMs.set(peer, nowMs)
    try {
      await bird.enable(peer)
    } catch (error) {
      // BIRD has ended or was configured anew meanwhile: the next look will say what there is.
      if (!(error instanceof BirdError)) throw error
    }
  }

  /** What it has in use is not known any more; whether its sessions have ended, only where it does not run. */
  #away({ code, message }: BirdError): void {
    this.state.isAnswering = this.state.isConfigured = false
    this.state.sessions = []
    this.#inUse = this.#refused = null
    if (code !== BirdErrorCode.absent) return
    for (const change of this.state.watch.lose(message)) this.#tell(change)
  }

  #tell({ peer, protocol, isUp, isFirst, message }: SessionChange): void {
    if (!isFirst) this.#changed()
    const level = isUp ? 'info' : 'warn'
    const event = EVENTS[protocol][isUp ? 'up' : 'down']
    this.#options.tell({ level, event, message, details: { peer } })
  }

  #changed(): void {
    this.#changedMs = this.#options.clock.monotonicMs()
  }
}

const EVENTS = {
  BGP: { up: 'BgpSessionUp', down: 'BgpSessionDown' },
  BFD: { up: 'BfdSessionUp', down: 'BfdSessionDown' },
} as const

/** Null: it went well. Anything but BIRD's word or silence is a defect of ours and must be seen. */
async function attempt(action: () => Promise<void>): Promise<BirdError | null> {
  try {
    await action()
    return null
  } catch (error) {
    if (error instanceof BirdError) return error
    throw error
  }
}

/** It says no, or was not asked: either way it may be well. */
function isItsWord({ code }: BirdError): boolean {
  return code === BirdErrorCode.refused || code === BirdErrorCode.unwritable
}

function troubleOf({ code, message }: BirdError): TroubleOf {
  return { subject: 'bird', reason: BirdTrouble[code], message: `${WORDS[code]}: ${message}` }
}

/** Why BIRD is not as it should be. */
export const BirdTrouble: Readonly<Record<BirdErrorCode, string>> = {
  absent: 'BirdAbsent',
  silent: 'BirdSilent',
  refused: 'BirdRefused',
  garbled: 'BirdGarbled',
  unwritable: 'BirdUnwritable',
}

const WORDS: Readonly<Record<BirdErrorCode, string>> = {
  absent: 'BIRD does not run',
  silent: 'BIRD does not answer',
  refused: 'BIRD refuses its configuration, and goes on with the last good one',
  garbled: 'BIRD does not speak its own language',
  unwritable: 'the configuration of BIRD cannot be written',
}
