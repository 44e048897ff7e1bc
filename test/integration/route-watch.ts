/**
 * Where balancers really send a proxy's users: from each place, every 20 ms, an OPTIONS to one of these users, never
 * repeated, and who answered it. Failover is over with the first OPTIONS from which on all are answered by somebody
 * else.
 * Not here: phones, and the places: on the balancers' own nodes, or as many outside that every balancer has some.
 */
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, openSocket, parseMessage, servedBy } from '@sipcast/lab'

const ASK_EVERY_MS = 20
/** An answer that takes longer is none. */
const ANSWER_MAX_MS = 300
/** So long without a loss, and it is over. */
const QUIET_MS = 700

export interface WatchedRoute {
  /** Whence; each place asks by itself. */
  readonly places: readonly { readonly address: string; readonly namespace: string }[]
  readonly target: Endpoint
  readonly domain: string
  readonly askEveryMs?: number
}

interface Asked {
  readonly sentMs: number
  /** Null while nobody did. */
  answeredBy: string | null
}

export class RouteWatch {
  readonly #route: WatchedRoute
  readonly #users: readonly string[]
  readonly #sockets: Socket[] = []
  /** One list per place. */
  readonly #asked: Asked[][] = []
  /** Nobody shall take its requests for those of another watch. */
  readonly #name = randomUUID()
  readonly #timer: NodeJS.Timeout

  static async start(route: WatchedRoute, users: readonly string[]): Promise<RouteWatch> {
    const sockets = await Promise.all(
      route.places.map(({ address, namespace }) => openSocket(address, 0, namespace)),
    )
    return new RouteWatch(route, users, sockets)
  }

  constructor(route: WatchedRoute, users: readonly string[], sockets: readonly Socket[]) {
    this.#route = route
    this.#users = users
    for (const [index, socket] of sockets.entries()) {
      this.#sockets.push(socket)
      this.#asked.push([])
      socket.on('message', (bytes) => this.#answered(index, bytes.toString()))
    }
    this.#timer = setInterval(() => this.#ask(), route.askEveryMs ?? ASK_EVERY_MS)
  }

  /**
   * Waits until no balancer sends any of the users to this proxy any more.
   * @returns milliseconds from `sinceMs`, of the slowest place
   */
  async untilAvoided(proxy: string, sinceMs: number, waitMs = 15_000): Promise<number> {
    const deadlineMs = performance.now() + waitMs
    for (;;) {
      const times = this.#asked.map((asked) => avoidedSinceMs(asked, proxy))
      if (times.every((time) => time !== null)) return Math.max(...times, sinceMs) - sinceMs
      if (performance.now() > deadlineMs) {
        throw new Error(`after ${waitMs} ms users still go to ${proxy}, or nowhere`)
      }
      await sleep(ASK_EVERY_MS)
    }
  }

  /** Who answered lately, of each place's. */
  recently(): readonly (string | null)[] {
    const sinceMs = performance.now() - QUIET_MS
    return this.#asked.flatMap((asked) =>
      asked.filter((one) => isDue(one) && one.sentMs > sinceMs).map((one) => one.answeredBy),
    )
  }

  stop(): void {
    clearInterval(this.#timer)
    for (const socket of this.#sockets) socket.close()
  }

  #ask(): void {
    const { target, domain } = this.#route
    for (const [index, socket] of this.#sockets.entries()) {
      const asked = this.#asked[index]!
      const user = this.#users[asked.length % this.#users.length]!
      const id = `${this.#name}-${index}-${asked.length}`
      socket.send(optionsTo(`${user}@${domain}`, socket, id), target.port, target.address)
      asked.push({ sentMs: performance.now(), answeredBy: null })
    }
  }

  #answered(index: number, text: string): void {
    const number = /^Call-ID: \S+-(\d+)$/im.exec(text)?.[1]
    const asked = this.#asked[index]![Number(number)]
    const message = parseMessage(text)
    if (asked === undefined || performance.now() - asked.sentMs > ANSWER_MAX_MS) return
    // Without a Server it is the balancer's own refusal.
    asked.answeredBy = servedBy(message)[0] ?? null
  }
}

/** When the first request went out from which on all were answered by others; null if it is too early to say. */
function avoidedSinceMs(asked: readonly Asked[], proxy: string): number | null {
  const due = asked.filter(isDue)
  const lastLost = due.findLastIndex(
    ({ answeredBy }) => answeredBy === null || answeredBy === proxy,
  )
  const first = due[lastLost + 1]
  const last = due.at(-1)
  if (first === undefined || last === undefined) return null
  return last.sentMs - first.sentMs < QUIET_MS ? null : first.sentMs
}

function isDue({ sentMs }: Asked): boolean {
  return performance.now() - sentMs > ANSWER_MAX_MS
}

/** To any of a domain's users, who need not exist: a proxy's challenge is an answer, too. */
export function optionsTo(whom: string, socket: Socket, id: string): string {
  const { address, port } = socket.address()
  return [
    `OPTIONS sip:${whom} SIP/2.0`,
    `Via: SIP/2.0/UDP ${address}:${port};rport;branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <sip:watch@${address}>;tag=${id}`,
    `To: <sip:${whom}>`,
    `Call-ID: ${id}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n')
}
