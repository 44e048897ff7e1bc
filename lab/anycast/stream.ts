/**
 * A steady stream of requests to the shared addresses, from so many sources that every balancer gets some of them,
 * never repeated: which were answered, and when none of a source's were. Not here: phones, which repeat.
 */
import type { Socket } from 'node:dgram'
import { openSocket } from '../network/namespace-socket.ts'
import { formatEndpoint } from '../sip/uri.ts'
import { ANYCAST_DOMAIN, type AnycastSystem, SHARED } from './system.ts'

/** Of each data centre. */
const FLOWS = 12
const ASK_EVERY_MS = 60
/** An answer that takes longer is none. */
const ANSWER_MAX_MS = 1_000
/** At once, where the timer was late. */
const BURST_MAX = 20
/** What a trial looks back on, and more. */
const KEPT_MAX = 5_000
const SIP_PORT = 5060

interface Asked {
  readonly sentMs: number
  isAnswered: boolean
}

interface Flow {
  readonly socket: Socket
  readonly address: string
  readonly asked: Map<number, Asked>
}

export interface StreamLosses {
  readonly asked: number
  /** Their numbers. */
  readonly unanswered: readonly number[]
  /** The longest time in which a source got no answer to what it sent. */
  readonly outageMs: number
}

export class Stream {
  readonly #flows: readonly Flow[]
  readonly #timer: NodeJS.Timeout
  #sent = 0
  #dueMs = performance.now()

  static async start({ network }: AnycastSystem): Promise<Stream> {
    const flows: Flow[] = []
    for (let index = 0; index < FLOWS; index++) {
      for (const [centre, { trunk }] of network.centres.entries()) {
        // One data centre speaks IPv4, the other IPv6.
        const family = centre % 2 === 0 ? 'ipv4' : 'ipv6'
        const socket = await openSocket(trunk[family], 0, trunk.namespace)
        flows.push({ socket, address: SHARED[family], asked: new Map() })
      }
    }
    return new Stream(flows)
  }

  constructor(flows: readonly Flow[]) {
    this.#flows = flows
    for (const { socket, asked } of flows) {
      socket.on('message', (bytes) => {
        const one = asked.get(requestNumber(bytes.toString('latin1')) ?? -1)
        if (one !== undefined && performance.now() - one.sentMs <= ANSWER_MAX_MS) {
          one.isAnswered = true
        }
      })
      // A router without a route says so: then there is no answer, either.
      socket.on('error', () => {})
    }
    this.#timer = setInterval(() => this.#askDue(), ASK_EVERY_MS / flows.length)
  }

  /** Of what was sent in this time; ask when it is over for longer than an answer takes. */
  losses(sinceMs: number, untilMs: number): StreamLosses {
    let asked = 0
    const unanswered: number[] = []
    let outageMs = 0
    for (const flow of this.#flows) {
      let lostMs: number | null = null
      for (const [number, one] of flow.asked) {
        if (one.sentMs < sinceMs || one.sentMs > untilMs) continue
        asked++
        if (!one.isAnswered) {
          unanswered.push(number)
          lostMs ??= one.sentMs
        } else if (lostMs !== null) {
          outageMs = Math.max(outageMs, one.sentMs - lostMs)
          lostMs = null
        }
      }
      if (lostMs !== null) outageMs = Math.max(outageMs, untilMs - lostMs)
    }
    return { asked, unanswered, outageMs }
  }

  stop(): void {
    clearInterval(this.#timer)
    for (const { socket } of this.#flows) socket.close()
  }

  #askDue(): void {
    const everyMs = ASK_EVERY_MS / this.#flows.length
    const nowMs = performance.now()
    this.#dueMs = Math.max(this.#dueMs, nowMs - BURST_MAX * everyMs)
    for (; this.#dueMs <= nowMs; this.#dueMs += everyMs) this.#ask()
  }

  #ask(): void {
    const number = this.#sent++
    const flow = this.#flows[number % this.#flows.length]
    if (flow === undefined) return
    const { socket, address, asked } = flow
    if (asked.size >= KEPT_MAX) asked.delete(asked.keys().next().value as number)
    asked.set(number, { sentMs: performance.now(), isAnswered: false })
    socket.send(requestOf(number, socket), SIP_PORT, address, () => {})
  }
}

/** Null: it is none of the stream's. */
export function requestNumber(text: string): number | null {
  const number = /^Call-ID: stream-(\d+)\r?$/im.exec(text)?.[1]
  return number === undefined ? null : Number(number)
}

/** To users that need not exist: a proxy's refusal is an answer, too. */
function requestOf(number: number, socket: Socket): string {
  const source = formatEndpoint(socket.address())
  const whom = `sip:stream-${number}@${ANYCAST_DOMAIN}`
  return [
    `OPTIONS ${whom} SIP/2.0`,
    `Via: SIP/2.0/UDP ${source};rport;branch=z9hG4bKstream${number}`,
    'Max-Forwards: 70',
    `From: <sip:stream@${ANYCAST_DOMAIN}>;tag=stream${number}`,
    `To: <${whom}>`,
    `Call-ID: stream-${number}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n')
}
