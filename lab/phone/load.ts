/**
 * A small load on a system: phones that register again and again and call each other all the time, and what came of
 * every single try, with its cause. They know nothing of proxies that die.
 * Not here: which failures are excusable. Invariant: every call begun is in `calls` when `stop` resolves.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Timers } from '../sip/timers.ts'
import type { OutgoingCall } from './outgoing-call.ts'
import type { Phone } from './phone.ts'

/** Short, so that a call to a dead proxy is over soon; real phones repeat less often. */
export const QUICK_TIMERS: Timers = { t1Ms: 100, t2Ms: 800, t4Ms: 1_000 }
const REGISTER_EVERY_MS = 1_000
const PAUSE_MS = 500
const TALK_MS = 200
const PATIENCE_MS = 3_000
/** More than a REGISTER that is lost altogether takes, and the next one. */
const REGISTERED_MAX_MS = 30_000
const COMPLETED = 'completed'
const DEFAULTS: Required<LoadOptions> = {
  ringMs: 0,
  talkMs: TALK_MS,
  patienceMs: PATIENCE_MS,
  timers: QUICK_TIMERS,
  registerEveryMs: REGISTER_EVERY_MS,
  pauseMs: PAUSE_MS,
}

/** Who has phones: they come unregistered. */
export interface PhoneSource {
  phone(user: string, options: { readonly timers: Timers }): Promise<Phone>
}

export interface LoadOptions {
  /** Between 180 and 200. */
  readonly ringMs?: number
  readonly talkMs?: number
  /** How long a caller waits for an answer. */
  readonly patienceMs?: number
  readonly timers?: Timers
  readonly registerEveryMs?: number
  /** Between two calls of a phone. */
  readonly pauseMs?: number
}

/** What became of a call: `completed`, or why not. Times are performance.now(). */
export interface Call {
  readonly callee: string
  readonly beganMs: number
  readonly endedMs: number
  readonly outcome: string
}

export interface Registering {
  readonly user: string
  readonly beganMs: number
  readonly endedMs: number
  readonly status: number
  /** The registrar that answered last. */
  readonly servedBy: string | null
}

export class Load {
  readonly calls: Call[] = []
  readonly registrations: Registering[] = []
  readonly #phones: readonly Phone[]
  readonly #options: Required<LoadOptions>
  readonly #underWay: Promise<void>[] = []
  readonly #open = new Set<Promise<Call>>()
  #isOpen = true

  static async start(
    source: PhoneSource,
    users: readonly string[],
    options: LoadOptions = {},
  ): Promise<Load> {
    const manner = { ...DEFAULTS, ...options }
    const { timers, ringMs } = manner
    const phones = await Promise.all(users.map((user) => source.phone(user, { timers })))
    if (ringMs > 0) for (const phone of phones) ringsLong(phone, ringMs)
    const load = new Load(phones, manner)
    await Promise.all(phones.map((phone) => load.#register(phone)))
    for (const phone of phones) load.#underWay.push(load.#keepRegistering(phone))
    for (const phone of phones) load.#underWay.push(load.#keepCalling(phone))
    return load
  }

  constructor(phones: readonly Phone[], options: Required<LoadOptions>) {
    this.#phones = phones
    this.#options = options
  }

  get users(): readonly string[] {
    return this.#phones.map(({ user }) => user)
  }

  /** Everybody has registered, and began to after this time. */
  async untilRegistered(sinceMs: number): Promise<void> {
    const isDone = (user: string) =>
      this.registrations.some(
        (one) => one.user === user && one.beganMs >= sinceMs && one.status === 200,
      )
    const endsAtMs = performance.now() + REGISTERED_MAX_MS
    while (!this.users.every(isDone)) {
      const missing = this.users.filter((user) => !isDone(user))
      if (performance.now() > endsAtMs) throw new Error(`not registered: ${missing.join(', ')}`)
      await sleep(20)
    }
  }

  /** Calls everybody once; the calls that did not complete. */
  async unreachable(): Promise<readonly Call[]> {
    const calls = await Promise.all(
      this.#phones.map((callee, index) =>
        this.#callOnce(this.#phones[(index + 1) % this.#phones.length]!, callee.user),
      ),
    )
    this.calls.push(...calls)
    return calls.filter(isFailed)
  }

  /** The calls that are under way now have ended. */
  async untilEnded(): Promise<void> {
    await Promise.all(this.#open)
  }

  /** Nothing new begins; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#isOpen = false
    await Promise.all(this.#underWay)
  }

  async #register(phone: Phone): Promise<void> {
    const beganMs = performance.now()
    const { status, servedBy } = await phone.register()
    const endedMs = performance.now()
    this.registrations.push({ user: phone.user, beganMs, endedMs, status, servedBy })
  }

  async #keepRegistering(phone: Phone): Promise<void> {
    while (this.#isOpen) {
      await sleep(about(this.#options.registerEveryMs))
      if (this.#isOpen) await this.#register(phone)
    }
  }

  async #keepCalling(phone: Phone): Promise<void> {
    const others = this.users.filter((user) => user !== phone.user)
    while (this.#isOpen) {
      await sleep(about(this.#options.pauseMs))
      const callee = others[Math.floor(Math.random() * others.length)]!
      this.calls.push(await this.#callOnce(phone, callee))
    }
  }

  async #callOnce(caller: Phone, callee: string): Promise<Call> {
    const call = this.#placeCall(caller, callee)
    this.#open.add(call)
    return await call.finally(() => this.#open.delete(call))
  }

  async #placeCall(caller: Phone, callee: string): Promise<Call> {
    const beganMs = performance.now()
    const outcome = await outcomeOf(caller.call(callee), this.#options)
    return { callee, beganMs, endedMs: performance.now(), outcome }
  }
}

export function isFailed({ outcome }: Call): boolean {
  return outcome !== COMPLETED
}

/** How many calls came to what. */
export function byOutcome(calls: readonly Call[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of calls) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

function ringsLong(phone: Phone, ringMs: number): void {
  phone.onCall = (call) => {
    call.ring()
    const pickUp = setTimeout(() => phone.sessions.push(call.answer()), ringMs)
    void call.cancelled.then(() => clearTimeout(pickUp))
  }
}

async function outcomeOf(
  call: OutgoingCall,
  { talkMs, patienceMs }: Required<LoadOptions>,
): Promise<string> {
  const final = await Promise.race([call.final, sleep(patienceMs, null, { ref: false })])
  if (final === null) {
    void call.cancel()
    return 'no answer'
  }
  if (final.status !== 200) return `${final.status} ${final.reason}`
  const session = await call.answered
  await sleep(talkMs)
  const { status } = await session.hangUp()
  return status === 200 ? COMPLETED : `BYE got ${status}`
}

function about(ms: number): number {
  return ms * (0.8 + 0.4 * Math.random())
}
