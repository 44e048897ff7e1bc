/**
 * The `node:dgram` skin of the UDP port: works wherever Node does, datagram by datagram.
 *
 * What it can't do: report ICMP errors, see kernel drops, keep DF off datagrams, or know a send's
 * fate before `send` returns (`batch.error` holds what was known by then). Datagrams wait in a
 * bounded inbox per socket; what does not fit is dropped and counted.
 */

import { createSocket, type Socket } from 'node:dgram'
import { ENDPOINT_WORDS, formatAddress, isIPv4, parseAddressText } from '@sipcast/sip'
import { systemClock } from './clock.ts'
import type { DatagramBatch } from './datagram-batch.ts'
import { Errno } from './errno.ts'
import { Inbox, InboxRound } from './inbox.ts'
import { localEndpoint } from './local-endpoint.ts'
import type { RefusalBatch } from './refusal-batch.ts'
import {
  type SocketOptions,
  type UdpCapabilities,
  UdpError,
  UdpErrorCode,
  type UdpPort,
} from './udp-port.ts'
import { Wakeup } from './wakeup.ts'

/** Bytes that Node may hold back per socket before we count sends as dropped. */
const SEND_QUEUE_BYTES_MAX = 1 << 20

interface OpenDgram {
  readonly socket: Socket
  readonly isIPv4: boolean
  readonly inbox: Inbox
}

export function openDgramPort(): UdpPort {
  return new DgramPort()
}

class DgramPort implements UdpPort {
  readonly capabilities: UdpCapabilities = {
    batched: false,
    errorQueue: false,
    kernelDrops: false,
    reusePort: true,
  }
  readonly #sockets = new Map<number, OpenDgram>()
  readonly #inboxes = new InboxRound()
  #nextId = 1
  #isShut = false
  readonly #wakeup = new Wakeup(systemClock)

  async open(options: SocketOptions): Promise<number> {
    if (this.#isShut) throw new UdpError(UdpErrorCode.closed, 'the port is shut down')
    const socket = await bindSocket(options)
    const id = this.#nextId++
    const inbox = new Inbox(id, options.receiveBufferBytes)
    this.#sockets.set(id, { socket, isIPv4: !options.address.includes(':'), inbox })
    this.#inboxes.add(inbox)
    socket.on('message', (payload, source) => {
      const peer = new Int32Array(ENDPOINT_WORDS)
      peer[ENDPOINT_WORDS - 1] = source.port
      // A peer with a zone id can't be written as endpoint words.
      if (!parseAddressText(source.address, peer, 0)) inbox.drops++
      else if (inbox.put(payload, peer)) this.#wakeup.wake()
    })
    return id
  }

  localPort(socket: number): number {
    const open = this.#sockets.get(socket)
    if (open === undefined) throw new UdpError(UdpErrorCode.closed, `no socket ${socket}`)
    return open.socket.address().port
  }

  close(socket: number): void {
    const open = this.#sockets.get(socket)
    if (open === undefined) return
    this.#sockets.delete(socket)
    this.#inboxes.remove(open.inbox)
    open.socket.removeAllListeners('message')
    open.socket.close()
  }

  wait(timeoutMs: number): Promise<boolean> {
    if (this.#isShut) return Promise.resolve(false)
    return this.#wakeup.wait(timeoutMs, () => this.#inboxes.hasAny())
  }

  receive(batch: DatagramBatch): number {
    return this.#inboxes.take(batch)
  }

  send(batch: DatagramBatch): number {
    let sent = 0
    for (let index = 0; index < batch.count; index++) {
      batch.error[index] = this.#sendOne(batch, index)
      if (batch.error[index] === 0) sent++
    }
    return sent
  }

  refusals(_into: RefusalBatch): number {
    return 0
  }

  drops(socket: number): number {
    return (this.#sockets.get(socket)?.inbox.drops ?? 0) >>> 0
  }

  shutdown(): void {
    this.#isShut = true
    for (const id of this.#sockets.keys()) this.close(id)
    this.#wakeup.wake()
  }

  #sendOne(batch: DatagramBatch, index: number): number {
    const id = batch.socket[index]!
    const open = this.#sockets.get(id)
    if (open === undefined) return Errno.badSocket
    if (!batch.isInArena(index)) return Errno.invalid
    const peerAt = index * ENDPOINT_WORDS
    if (isIPv4(batch.peer, peerAt) !== open.isIPv4) return Errno.familyUnsupported
    const port = batch.peer[peerAt + ENDPOINT_WORDS - 1]!
    if (port === 0) return Errno.invalid
    if (open.socket.getSendQueueSize() > SEND_QUEUE_BYTES_MAX) return Errno.again
    const payload = batch.payload(index).slice()
    const address = formatAddress(batch.peer, peerAt)
    open.socket.send(payload, port, address, (error) => {
      if (error === null || !this.#sockets.has(id)) return
      // The second try: what fails now stays unsent, as any datagram may.
      open.socket.send(payload, port, address, ignoreOutcome)
    })
    return 0
  }
}

function ignoreOutcome(): void {}

function bindSocket(options: SocketOptions): Promise<Socket> {
  const { address, port, reusePort, receiveBufferBytes, sendBufferBytes } = options
  const isIPv6 = !isIPv4(localEndpoint(address, port), 0)
  const socket = createSocket({
    type: isIPv6 ? 'udp6' : 'udp4',
    ipv6Only: isIPv6,
    reusePort: reusePort ?? false,
    ...(receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }),
    ...(sendBufferBytes === undefined ? {} : { sendBufferSize: sendBufferBytes }),
    // Only literals come here: no resolver, so that a send happens in the call that asks for it.
    lookup: (host, _options, callback) => callback(null, host, isIPv6 ? 6 : 4),
  })
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close()
      reject(openError(error, `bind ${address} port ${port}`))
    })
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      // Errors of single datagrams, which the send's callback has told or nobody asked for.
      socket.on('error', ignoreOutcome)
      resolve(socket)
    })
  })
}

function openError(error: NodeJS.ErrnoException, what: string): UdpError {
  const known = Object.values(UdpErrorCode).find((code) => code === error.code)
  return new UdpError(known ?? UdpErrorCode.other, what, { cause: error })
}
