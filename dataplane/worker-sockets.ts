/**
 * The sockets of one packet worker: those that the config asks for are opened, those it no longer names are closed.
 * Not here: datagrams. Invariants: a socket that stays wanted is never reopened; one that cannot be bound is reported,
 * tried again every BIND_RETRY_MS, and in nobody's way.
 */

import { UdpError, UdpErrorCode, type UdpPort } from '@sipcast/net'
import { ENDPOINT_WORDS, parseAddressText } from '@sipcast/sip'
import { OpenSocket, type SocketTally } from './forwarder.ts'
import { BIND_RETRY_MS, RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES } from './limits.ts'
import type { Pool } from './pool.ts'
import { type SocketReport, SocketState, type WorkerConfig } from './worker-config.ts'

interface Held {
  readonly role: 'outside' | 'inside'
  readonly address: string
  readonly port: number
  /** Id at the UDP port; -1 while not bound. */
  id: number
  state: SocketState
  message: string
  readonly tally: SocketTally
}

export class WorkerSockets {
  /** Grows whenever `report` would say something new. */
  revision = 0
  readonly #port: UdpPort
  #held = new Map<string, Held>()
  #triedMs = 0

  constructor(port: UdpPort) {
    this.#port = port
  }

  /** Opens what `config` wants and closes the rest. */
  async want(config: WorkerConfig, nowMs: number): Promise<void> {
    const wanted = new Map(wantedSockets(config).map((held) => [nameOf(held), held]))
    for (const [name, held] of this.#held) {
      if (wanted.has(name)) continue
      if (held.id >= 0) this.#port.close(held.id)
      this.revision++
    }
    this.#held = new Map([...wanted].map(([name, held]) => [name, this.#held.get(name) ?? held]))
    await this.#openMissing(nowMs)
  }

  /** Whether sockets are missing and it is time to try them again. */
  isRetryDue(nowMs: number): boolean {
    // Also where the clock was set back.
    if (Math.abs(nowMs - this.#triedMs) < BIND_RETRY_MS) return false
    for (const held of this.#held.values()) if (held.id < 0) return true
    return false
  }

  async retry(nowMs: number): Promise<void> {
    await this.#openMissing(nowMs)
  }

  /** The bound sockets as the packet path sees them; each outside socket with the SipProxy that has its address. */
  open(pools: readonly Pool[]): OpenSocket[] {
    const open: OpenSocket[] = []
    for (const held of this.#held.values()) {
      if (held.id < 0) continue
      const words = new Int32Array(ENDPOINT_WORDS)
      parseAddressText(held.address, words, 0)
      words[4] = held.port
      const pool = held.role === 'inside' ? null : poolWith(pools, held)
      if (pool !== undefined) open.push(new OpenSocket(held.id, pool, words, held.tally))
    }
    return open
  }

  report(): SocketReport[] {
    return Array.from(this.#held.values(), ({ id, tally, ...socket }) => ({
      ...socket,
      kernelDrops: id < 0 ? 0 : this.#port.drops(id),
      served: tally.served,
    }))
  }

  async #openMissing(nowMs: number): Promise<void> {
    this.#triedMs = nowMs
    for (const held of this.#held.values()) {
      if (held.id >= 0) continue
      const { state, message } = held
      await this.#open(held)
      if (held.state !== state || held.message !== message) this.revision++
    }
  }

  async #open(held: Held): Promise<void> {
    try {
      held.id = await this.#port.open({
        address: held.address,
        port: held.port,
        reusePort: true,
        receiveBufferBytes: RECEIVE_BUFFER_BYTES,
        sendBufferBytes: SEND_BUFFER_BYTES,
      })
      held.state = SocketState.bound
      held.message = ''
    } catch (error) {
      // Only what the system says about this socket: anything else is a defect of ours and must be seen.
      if (!(error instanceof UdpError)) throw error
      held.state = stateOf(error)
      held.message = error.message
    }
  }
}

function wantedSockets(config: WorkerConfig): Held[] {
  const isServed = (address: string): boolean => config.addresses?.includes(address) ?? true
  const outside = config.pools.flatMap(({ table }) =>
    table.addresses
      .filter(isServed)
      .map((address) => ({ role: 'outside' as const, address, port: table.port })),
  )
  const inside = config.inside.map(({ address, port }) => ({
    role: 'inside' as const,
    address,
    port,
  }))
  return [...outside, ...inside].map((socket) => ({
    ...socket,
    id: -1,
    state: SocketState.failed,
    message: 'not tried yet',
    tally: { served: 0 },
  }))
}

function nameOf({ role, address, port }: Held): string {
  return `${role} ${address} ${port}`
}

function poolWith(pools: readonly Pool[], { address, port }: Held): Pool | undefined {
  return pools.find(({ table }) => table.port === port && table.addresses.includes(address))
}

function stateOf(error: UdpError): SocketState {
  if (error.code === UdpErrorCode.addressInUse) return SocketState.portInUse
  if (error.code === UdpErrorCode.addressAbsent) return SocketState.addressAbsent
  return SocketState.failed
}
