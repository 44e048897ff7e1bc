/**
 * A UDP socket that speaks SIP: text in and out, messages parsed, keep-alives answered by silence, everything
 * shown to an observer. Not here: retransmissions and matching (transactions.ts).
 */
import type { Socket } from 'node:dgram'
import { openSocket } from '../network/namespace-socket.ts'
import { type SipMessage, formatMessage, parseMessage } from './message.ts'
import type { Endpoint } from './uri.ts'

export const Direction = { in: 'in', out: 'out' } as const
export type Direction = (typeof Direction)[keyof typeof Direction]

export interface TransportOptions {
  readonly address: string
  /** 0 or absent: any free one. */
  readonly port?: number
  readonly namespace?: string
  /** Which of several doors a datagram to `to` goes through; the same for all by default. */
  readonly spread?: (to: Endpoint) => Endpoint
  /** Sees every message as it is sent or has come in. */
  readonly observe?: (
    direction: Direction,
    message: SipMessage,
    peer: Endpoint,
    text: string,
  ) => void
  /** False loses the message, in either direction, after it was observed. */
  readonly passes?: (direction: Direction, message: SipMessage) => boolean
}

export class Transport {
  readonly local: Endpoint
  onMessage: (message: SipMessage, source: Endpoint) => void = () => {}
  /** Datagrams that were neither SIP nor keep-alives. */
  readonly garbage: string[] = []
  readonly #socket: Socket
  readonly #options: TransportOptions
  #isOpen = true

  static async open(options: TransportOptions): Promise<Transport> {
    const socket = await openSocket(options.address, options.port ?? 0, options.namespace)
    return new Transport(socket, options)
  }

  constructor(socket: Socket, options: TransportOptions) {
    this.#socket = socket
    this.#options = options
    this.local = { address: options.address, port: socket.address().port }
    socket.on('message', (bytes, peer) =>
      this.#receive(bytes, { address: peer.address, port: peer.port }),
    )
    // ICMP errors of an unconnected socket do not come here; what does is a send to nowhere, which timers find out.
    socket.on('error', () => {})
  }

  send(message: SipMessage, target: Endpoint): void {
    const to = this.#options.spread?.(target) ?? target
    const text = formatMessage(message)
    this.#options.observe?.('out', message, to, text)
    if (this.#options.passes?.('out', message) === false) return
    // Somebody may name port 0, or a host by name; node:dgram throws at the one and reports the other.
    if (to.port === 0 || !this.#isOpen) return
    this.#socket.send(text, to.port, to.address, () => {})
  }

  /** May be called again. */
  close(): void {
    if (this.#isOpen) this.#socket.close()
    this.#isOpen = false
  }

  #receive(bytes: Buffer, source: Endpoint): void {
    const text = bytes.toString('utf8')
    // Keep-alives (RFC 5626 §4.4.1) are no messages.
    if (text.trim() === '') return
    let message: SipMessage
    try {
      message = parseMessage(text)
    } catch {
      // Tests look at it and expect none.
      this.garbage.push(text.slice(0, 200))
      return
    }
    this.#options.observe?.('in', message, source, text)
    if (this.#options.passes?.('in', message) === false) return
    this.onMessage(message, source)
  }
}
