/**
 * Phones that register again and again and call each other all the time, and what came of it. They know
 * nothing of proxies that die: a user of a dead proxy can be called again once its phone has registered anew,
 * and until then the calls to it fail and count.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Phone } from '../phone/phone.ts'
import type { Lab } from '../start/lab.ts'

const REGISTER_EVERY_MS = 3_000
const EXPIRES_SECONDS = 60
const PAUSE_MS = 1_200
const TALK_MS = 300
/** How long a call may take to be answered or refused before the caller gives up. */
const PATIENCE_MS = 8_000
const GATEWAY_SHARE = 0.1

export interface Second {
  tried: number
  failed: number
}

interface Line {
  readonly phone: Phone
  /** The proxy that answered its last REGISTER. */
  registrar: string | null
  registeredAtMs: number
}

export class Traffic {
  /** By the second in which the call was placed. */
  readonly seconds: Second[] = []
  readonly #lines: readonly Line[]
  readonly #startedAtMs = performance.now()
  readonly #calls = new Set<Promise<void>>()
  #isCalling = true
  #isOpen = true

  static async start(lab: Lab, count: number): Promise<Traffic> {
    const names = Array.from({ length: count }, (_, index) => nameOf(index))
    const phones = await Promise.all(names.map((name) => lab.openPhone(name)))
    const traffic = new Traffic(phones)
    await traffic.#registerAll()
    for (const line of traffic.#lines) {
      void traffic.#keepRegistering(line)
      void traffic.#keepCalling(line)
    }
    return traffic
  }

  constructor(phones: readonly Phone[]) {
    this.#lines = phones.map((phone) => ({
      phone,
      registrar: null,
      registeredAtMs: Number.NEGATIVE_INFINITY,
    }))
  }

  get users(): string[] {
    return this.#lines.map(({ phone }) => phone.user)
  }

  /** How many phones each registrar answered last. */
  usersOf(registrar: string): number {
    return this.#lines.filter((line) => line.registrar === registrar).length
  }

  get totals(): Second {
    return sum(this.seconds)
  }

  /** Of the last full seconds. */
  recent(count: number): Second {
    return sum(this.seconds.slice(-count - 1, -1))
  }

  /** No new calls; waits for those that are under way. */
  async stopCalling(): Promise<void> {
    this.#isCalling = false
    await Promise.all(this.#calls)
  }

  /** The users whose phones nobody can call, even after they had time to register again. */
  async unreachable(caller: Phone): Promise<string[]> {
    const since = performance.now()
    const reached = await Promise.all(
      this.#lines.map((line) => this.#isReachable(line, caller, since)),
    )
    return this.users.filter((_user, index) => reached[index] !== true)
  }

  stop(): void {
    this.#isOpen = false
    this.#isCalling = false
  }

  async #isReachable(line: Line, caller: Phone, since: number): Promise<boolean> {
    for (let tries = 0; tries < REACH_TRIES; tries++) {
      while (line.registeredAtMs < since && performance.now() < since + REACH_WAIT_MS)
        await sleep(50)
      if (await this.#reach(caller, line.phone.user)) return true
      // Users may still be on their way back to a revived proxy.
      await sleep(REGISTER_EVERY_MS / 2)
    }
    return false
  }

  async #registerAll(): Promise<void> {
    await Promise.all(this.#lines.map((line) => this.#register(line)))
  }

  async #register(line: Line): Promise<void> {
    const { status, servedBy } = await line.phone.register(EXPIRES_SECONDS)
    if (status !== 200) return
    line.registrar = servedBy
    line.registeredAtMs = performance.now()
  }

  async #keepRegistering(line: Line): Promise<void> {
    while (this.#isOpen) {
      await sleep(REGISTER_EVERY_MS * (0.8 + 0.4 * Math.random()))
      if (this.#isOpen) await this.#register(line)
    }
  }

  async #keepCalling({ phone }: Line): Promise<void> {
    while (this.#isCalling) {
      await sleep(PAUSE_MS * (0.5 + Math.random()))
      if (!this.#isCalling) return
      const call = this.#callSomebody(phone)
      this.#calls.add(call)
      await call
      this.#calls.delete(call)
    }
  }

  async #callSomebody(caller: Phone): Promise<void> {
    const others = this.users.filter((user) => user !== caller.user)
    const user = others[Math.floor(Math.random() * others.length)] as string
    const second = this.#secondNow()
    second.tried++
    const isConnected = await this.#reach(
      caller,
      Math.random() < GATEWAY_SHARE ? '+4930123456' : user,
    )
    if (!isConnected) second.failed++
  }

  /** A whole call: answered, talked, hung up. */
  async #reach(caller: Phone, whom: string): Promise<boolean> {
    const call = caller.call(whom)
    const giveUp = setTimeout(() => void call.cancel(), PATIENCE_MS)
    const isAnswered = await Promise.race([
      call.final.then(({ status }) => status === 200),
      // A CANCEL may get lost with the proxy, too.
      sleep(PATIENCE_MS * 1.5, false, { ref: false }),
    ])
    clearTimeout(giveUp)
    if (!isAnswered) return false
    const session = await call.answered
    await sleep(TALK_MS)
    return (await session.hangUp()).status === 200
  }

  #secondNow(): Second {
    const index = Math.floor((performance.now() - this.#startedAtMs) / 1000)
    while (this.seconds.length <= index) this.seconds.push({ tried: 0, failed: 0 })
    return this.seconds[index] as Second
  }
}

const REACH_TRIES = 4
const REACH_WAIT_MS = 40_000

/** alfa, bravo, … zulu, alfa-2, … */
function nameOf(index: number): string {
  const round = Math.floor(index / NAMES.length) + 1
  return `${NAMES[index % NAMES.length]}${round === 1 ? '' : `-${round}`}`
}

const NAMES = (
  'alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo ' +
  'sierra tango uniform victor whiskey xray yankee zulu'
).split(' ')

function sum(seconds: readonly Second[]): Second {
  const total = { tried: 0, failed: 0 }
  for (const { tried, failed } of seconds) {
    total.tried += tried
    total.failed += failed
  }
  return total
}
