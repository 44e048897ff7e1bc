/**
 * The least that passes for a SIP proxy: a UDP socket that answers what it is asked, or does not, as it is told.
 * Not here: anything else a proxy does. Invariant: a killed one has no socket, so that its host answers with ICMP.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

export const Manner = {
  answers: 'SIP/2.0 200 OK\r\n',
  refusesWork: 'SIP/2.0 503 Service Unavailable\r\nRetry-After: 5\r\n',
  failing: 'SIP/2.0 500 Server Internal Error\r\n',
  silent: '',
} as const
export type Manner = (typeof Manner)[keyof typeof Manner]

export class SipResponder {
  readonly address: string
  readonly port: number
  manner: Manner = Manner.answers
  asked = 0
  #socket: Socket | null = null

  constructor(address: string, port = 5060) {
    this.address = address
    this.port = port
  }

  async start(): Promise<this> {
    const socket = createSocket(this.address.includes(':') ? 'udp6' : 'udp4')
    socket.bind(this.port, this.address)
    await once(socket, 'listening')
    socket.on('message', (datagram, peer) => {
      this.asked++
      if (this.manner === Manner.silent) return
      const answer = datagram.toString('latin1').replace(/^.*\r\n/, this.manner)
      socket.send(answer, peer.port, peer.address)
    })
    this.#socket = socket
    return this
  }

  kill(): void {
    this.#socket?.close()
    this.#socket = null
  }
}
