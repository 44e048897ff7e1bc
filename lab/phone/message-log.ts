/**
 * Every message a phone sent or received, for assertions: what was repeated, which proxy served it, who it talked to.
 * Bounded: the oldest half goes when it is full.
 */
import { type SipMessage, cseqOf, header, headerValues } from '../sip/message.ts'
import type { Direction } from '../sip/transport.ts'
import { type Endpoint, formatEndpoint } from '../sip/uri.ts'

export interface LogEntry {
  readonly atMs: number
  readonly direction: Direction
  readonly peer: Endpoint
  readonly message: SipMessage
  readonly text: string
  /** The same message went the same way before (over whichever balancer). */
  readonly isRetransmission: boolean
}

const ENTRIES_MAX = 20_000

export class MessageLog {
  entries: LogEntry[] = []
  readonly #seen = new Set<string>()

  add(direction: Direction, message: SipMessage, peer: Endpoint, text: string): void {
    if (this.entries.length >= ENTRIES_MAX) this.clear(ENTRIES_MAX / 2)
    const identity = `${direction} ${identityOf(message)}`
    const isRetransmission = this.#seen.has(identity)
    this.#seen.add(identity)
    this.entries.push({ atMs: performance.now(), direction, peer, message, text, isRetransmission })
  }

  /** Keeps the last `count` entries only. */
  clear(count = 0): void {
    this.entries = count === 0 ? [] : this.entries.slice(-count)
    this.#seen.clear()
  }

  retransmissions(direction?: Direction): LogEntry[] {
    return this.entries.filter(
      (entry) => entry.isRetransmission && (direction ?? entry.direction) === entry.direction,
    )
  }

  requests(direction: Direction, method?: string): LogEntry[] {
    return this.entries.filter(
      ({ direction: way, message }) =>
        way === direction &&
        message.kind === 'request' &&
        (method ?? message.method) === message.method,
    )
  }

  responses(direction: Direction, method?: string): LogEntry[] {
    return this.entries.filter(
      ({ direction: way, message }) =>
        way === direction &&
        message.kind === 'response' &&
        (method ?? cseqOf(message).method) === cseqOf(message).method,
    )
  }

  /** The addresses it talked to, in either direction. */
  peers(direction?: Direction): Set<string> {
    const entries = this.entries.filter(
      (entry) => (direction ?? entry.direction) === entry.direction,
    )
    return new Set(entries.map(({ peer }) => formatEndpoint(peer)))
  }

  /** One line per message, for a failing test's output. */
  toString(): string {
    return this.entries.map(describe).join('\n')
  }
}

/**
 * The proxies a message went through, as they wrote it into X-Proxy (lab only), nearest first; Server for
 * local answers.
 */
export function servedBy(message: SipMessage): string[] {
  const traced = headerValues(message, 'x-proxy')
  const server = header(message, 'server')
  return traced.length > 0 || server === null ? traced : [server]
}

function identityOf(message: SipMessage): string {
  const branch = /branch\s*=\s*([^;,\s]+)/i.exec(headerValues(message, 'via')[0] ?? '')?.[1] ?? ''
  const start =
    message.kind === 'request' ? message.method : `${message.status} ${header(message, 'to')}`
  return `${start} ${branch} ${header(message, 'call-id')} ${header(message, 'cseq')}`
}

function describe({ atMs, direction, peer, message, isRetransmission }: LogEntry): string {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri}`
      : `${message.status} ${message.reason}`
  const arrow = direction === 'in' ? '<-' : '->'
  const again = isRetransmission ? ' (again)' : ''
  return `${atMs.toFixed(1)} ${arrow} ${formatEndpoint(peer)} ${start} [${header(message, 'cseq')}]${again}`
}
