/**
 * A node and a balancer in memory, for tests of the announcer: addresses lapse as the kernel lets them. Not here: `ip`
 * and BIRD.
 */

import { ManualClock } from '@sipcast/net'
import type { Announcement } from '../announcement.ts'
import type { Notice } from '../ports.ts'
import type { Proof } from '../proof.ts'
import { Announcer } from './announcer.ts'
import { ANNOUNCE_LINK } from './bird/limits.ts'
import type { PresentLink } from './copies.ts'
import { AddressPools, type PresentAddress } from './hold.ts'
import { LOOK_MS } from './limits.ts'
import { IpError, type Routers, type Silence } from './ports.ts'

export const A = '203.0.113.10'
export const B = '2001:db8:53::10'

export class FakeRouters implements Routers {
  isInMaintenance: boolean | null = false
  maintenanceChanged: () => void = () => undefined
  hasSession = true
  exported = { ipv4: 1, ipv6: 1 }
  sessions = []
  sessionsWanted: number | null = 1
  problems: Routers['problems'] = []
  isShuttingDown = false
  /** Whether BIRD was told to end; null: the announcer has not ended. */
  isBirdEnded: boolean | null = null
  heard(): void {
    // What is in the proof is not for the look loop.
  }
  start(maintenanceChanged: () => void): void {
    this.maintenanceChanged = maintenanceChanged
  }
  setShuttingDown(isShuttingDown: boolean): void {
    this.isShuttingDown = isShuttingDown
  }
  healthProblem(): null {
    return null
  }
  async stop(isBirdToEnd: boolean): Promise<void> {
    this.isBirdEnded = isBirdToEnd
  }
}

export class FakeNode {
  readonly time = new ManualClock()
  readonly notices: Notice[] = []
  /** Lines of `ip -batch`. */
  readonly lines: string[] = []
  /** When ours lapse, by `DEVICE ADDRESS`. */
  readonly lapses = new Map<string, number>()
  foreign: PresentAddress[] = []
  link: PresentLink | null = null
  /** What the kernel can make. */
  linkKinds: readonly string[] = ['dummy', 'bridge']
  answer: Proof | Silence = {
    name: 'a',
    at: '',
    isAlive: true,
    addresses: [A, B],
    isComplete: true,
    ready: [],
    isLeaving: false,
    reason: '',
    inside: [],
    orders: null,
  }
  /** What the balancer was told last. */
  told: Announcement | null = null
  isBroken = false
  /** What the kernel does not take: IPv6 where it is off. */
  readonly refused = new Set<string>()
  /** How long listing takes, and what happens meanwhile. */
  listMs = 0
  listing: () => void = () => undefined
  readonly routers: FakeRouters | null
  readonly announcer: Announcer

  constructor(routers: FakeRouters | null = null) {
    this.routers = routers
    this.announcer = new Announcer({
      interface: 'lo',
      pools: new AddressPools(['203.0.113.0/24', '2001:db8::/32']),
      clock: {
        monotonicMs: () => this.time.nowMs(),
        iso: () => '',
        after: (delayMs, callback) => this.time.setTimer(delayMs, callback),
      },
      proofs: {
        prove: async (announcement) => {
          this.told = announcement
          return this.answer
        },
      },
      table: {
        list: async () => this.#list(),
        apply: async (lines) => this.#apply(lines),
      },
      routers,
      tell: (notice) => void this.notices.push(notice),
    })
  }

  get held(): readonly string[] {
    return this.#on('lo')
  }

  get announced(): readonly string[] {
    return this.#on(ANNOUNCE_LINK)
  }

  /** What the balancer says, but for this. */
  become(change: Partial<Proof>): void {
    if (typeof this.answer === 'string') throw new Error('there is no proof')
    this.answer = { ...this.answer, ...change }
  }

  async pass(ms: number, stepMs: number = LOOK_MS): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.time.advance(Math.min(left, stepMs))
      await this.settle()
    }
  }

  async start(): Promise<void> {
    this.announcer.start()
    await this.pass(LOOK_MS)
  }

  /** Lets what has been begun go on, as far as it can without time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
  }

  events(): readonly string[] {
    return this.notices.splice(0).map(({ event }) => event)
  }

  /** As a predecessor or a stranger put it there. */
  put(device: string, address: string, seconds: number): void {
    this.lapses.set(`${device} ${address}`, this.time.nowMs() + seconds * 1000)
  }

  #on(device: string): readonly string[] {
    const there = [...this.lapses].filter(([, at]) => at > this.time.nowMs())
    return there.flatMap(([key]) =>
      key.startsWith(`${device} `) ? [key.slice(device.length + 1)] : [],
    )
  }

  #list() {
    if (this.isBroken) throw new IpError('ip: not permitted')
    this.listing()
    this.time.advance(this.listMs)
    const ours = ['lo', ANNOUNCE_LINK].flatMap((device) =>
      this.#on(device).map((address) => ({ interface: device, address, isOurs: true })),
    )
    return { addresses: [...ours, ...this.foreign], link: this.link }
  }

  #apply(lines: readonly string[]): string | null {
    this.lines.push(...lines)
    const complaints = lines.map((line) => this.#obey(line.split(' '))).filter(Boolean)
    return complaints[0] ?? null
  }

  #obey(words: readonly string[]): string | null {
    const [object, verb, name = ''] = words
    if (object === 'link') return this.#obeyLink(verb ?? '', words)
    const address = name.split('/')[0] ?? ''
    const device = words[words.indexOf('dev') + 1] ?? ''
    if (this.refused.has(address)) return 'RTNETLINK answers: no'
    if (device === ANNOUNCE_LINK && this.link === null) return `Cannot find device "${device}"`
    if (verb === 'del') this.lapses.delete(`${device} ${address}`)
    else this.put(device, address, Number(words[words.indexOf('valid_lft') + 1]))
    return null
  }

  #obeyLink(verb: string, words: readonly string[]): string | null {
    const kind = words.at(-1) ?? ''
    if (verb === 'add' && !this.linkKinds.includes(kind)) return 'Error: Unknown device type.'
    if (verb === 'add') this.link = { kind, isUp: false }
    else if (this.link === null) return `Cannot find device "${ANNOUNCE_LINK}"`
    else if (verb === 'del') this.link = null
    else if (words.at(-1) === 'up') this.link = { ...this.link, isUp: true }
    return null
  }
}
