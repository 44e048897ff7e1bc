/**
 * One packet worker: the loop of wait → receive → forward each → send, and what it does that with.
 * Not here: what a datagram deserves (`forward.ts`), threads (`io/packet-thread.ts`).
 * Invariants: a new config takes effect between two bursts, whole; a socket that stays is never closed, so no datagram
 * queued on it is lost to a new table.
 */

import { type DatagramBatch, RefusalBatch, type UdpPort } from '@sipcast/net'
import { ENDPOINT_WORDS, formatAddress, KeyRing } from '@sipcast/sip'
import type { Counters } from './counters.ts'
import { forward } from './forward.ts'
import { Forwarder } from './forwarder.ts'
import { REFUSALS_MAX, WAIT_MS } from './limits.ts'
import { Pool } from './pool.ts'
import type { PoolConfig, SocketReport, WorkerConfig } from './worker-config.ts'
import { isServed } from './verdict.ts'
import { WorkerSockets } from './worker-sockets.ts'

export interface PacketWorkerOptions {
  readonly port: UdpPort
  readonly received: DatagramBatch
  /** At least as large as `received`; in the same arena for speed. */
  readonly sending: DatagramBatch
  readonly counters: Counters
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: () => number
}

export class PacketWorker {
  readonly forwarder: Forwarder = new Forwarder()
  readonly #options: PacketWorkerOptions
  readonly #sockets: WorkerSockets
  readonly #refusals = new RefusalBatch(REFUSALS_MAX)
  #pools: readonly Pool[] = []
  #configs: readonly PoolConfig[] = []
  #keys = new KeyRing()

  constructor(options: PacketWorkerOptions) {
    this.#options = options
    this.#sockets = new WorkerSockets(options.port)
  }

  /** Replaces tables, keys and sockets; returns when they are in use. */
  async configure(config: WorkerConfig): Promise<void> {
    this.#pools = config.pools.map((pool) => this.#compiled(pool))
    this.#configs = config.pools
    const keys = new KeyRing()
    for (const { id, secret } of config.keys) keys.add(id, secret)
    this.#keys = keys
    await this.#sockets.want(config, this.#options.nowMs())
    this.#use()
  }

  /** One turn of the loop: waits up to WAIT_MS, then handles what came. Returns the number of datagrams. */
  turn(): number | Promise<number> {
    const { port, nowMs } = this.#options
    if (this.#sockets.isRetryDue(nowMs())) return this.#retryThenTurn()
    const ready = port.wait(WAIT_MS)
    return typeof ready === 'boolean' ? this.#burst() : ready.then(() => this.#burst())
  }

  sockets(): SocketReport[] {
    return this.#sockets.report()
  }

  /** Grows whenever `sockets()` has something new to say. */
  get socketsRevision(): number {
    return this.#sockets.revision
  }

  /** Hands over the ICMP refusals since the last call. */
  takeRefusals(take: (address: string, port: number, errno: number) => void): void {
    const refusals = this.#refusals
    refusals.clear()
    this.#options.port.refusals(refusals)
    for (let index = 0; index < refusals.count; index++) {
      const at = index * ENDPOINT_WORDS
      take(formatAddress(refusals.peer, at), refusals.peer[at + 4]!, refusals.errno[index]!)
    }
  }

  #burst(): number {
    const { port, received, sending, counters, nowMs } = this.#options
    const forwarder = this.forwarder
    forwarder.nowMs = nowMs()
    received.clear()
    sending.clear()
    const count = port.receive(received)
    for (let index = 0; index < count; index++) {
      const sentBefore = sending.count
      const verdict = forward(forwarder, received, index, sending)
      counters.decided(verdict)
      if (isServed(verdict)) forwarder.arrival.tally.served++
      counters.received(forwarder.isFromInside, forwarder.packetKind)
      if (sending.count > sentBefore) counters.sent(forwarder.packetKind)
    }
    if (sending.count > 0 && port.send(sending) < sending.count) this.#countSendErrors()
    counters.turn()
    return count
  }

  #countSendErrors(): void {
    const { sending, counters } = this.#options
    for (let index = 0; index < sending.count; index++) {
      if (sending.error[index] !== 0) counters.sendFailed()
    }
  }

  async #retryThenTurn(): Promise<number> {
    const revision = this.#sockets.revision
    await this.#sockets.retry(this.#options.nowMs())
    if (this.#sockets.revision !== revision) this.#use()
    return 0
  }

  #use(): void {
    const sockets = this.#sockets.open(this.#pools)
    this.forwarder.use({ pools: this.#pools, keys: this.#keys, sockets })
  }

  /** The pool of the same table is kept: compiling 65536 slots again would be work for nothing. */
  #compiled(config: PoolConfig): Pool {
    const index = this.#configs.findIndex(({ table }) => table.sha256 === config.table.sha256)
    return index < 0 ? new Pool(config) : this.#pools[index]!
  }
}
