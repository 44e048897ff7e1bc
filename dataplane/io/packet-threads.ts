/**
 * The packet workers as threads: started, told, watched by their turns, started again when they crash or hang.
 * Not here: what they do (`packet-thread.ts`), what they are told (`generations.ts`).
 * Invariants: counters live on over restarts; a worker that comes back gets the newest config; restarts back off up to
 * WORKER_RESTART_MAX_MS; a process that was frozen as a whole finds no worker guilty of it; no socket outlives its
 * worker, however that ended.
 */

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { OpenDescriptors } from '@sipcast/net'
import { Counters } from '../counters.ts'
import {
  STOP_LOADING_MS,
  STOP_MS,
  WORKER_CHECK_MS,
  WORKER_HUNG_MS,
  WORKER_RESTART_MAX_MS,
  WORKER_RESTART_MIN_MS,
  WORKER_START_MS,
} from '../limits.ts'
import type { Clock, PacketWorkers, Tell, WorkerEvents } from '../ports.ts'
import type { WorkerConfig, WorkerOrder, WorkerReport } from '../worker-config.ts'

export interface PacketThreadsOptions {
  readonly count: number
  readonly clock: Clock
  readonly tell: Tell
  /** The module that a thread runs; `packet-thread.ts` but in tests. */
  readonly entry?: URL
}

interface Seat {
  readonly index: number
  readonly counters: Counters
  readonly descriptors: OpenDescriptors
  worker: Worker | null
  orders: MessagePort | null
  config: WorkerConfig | null
  turns: number
  /** When `turns` last grew, or the thread was started. */
  turnedMs: number
  hasTurned: boolean
  /** Its end is under way: said once, however long it takes. */
  isCutOff: boolean
  startedMs: number
  backOffMs: number
}

export class PacketThreads implements PacketWorkers {
  readonly counters: readonly Counters[]
  readonly #options: PacketThreadsOptions
  readonly #seats: readonly Seat[]
  #events: WorkerEvents | null = null
  #restarts = 0
  #isStopping = false
  #checkedMs = 0
  #callOffCheck: () => void = () => undefined

  constructor(options: PacketThreadsOptions) {
    this.#options = options
    this.#seats = Array.from({ length: options.count }, (_, index) => newSeat(index))
    this.counters = this.#seats.map((seat) => seat.counters)
  }

  get count(): number {
    return this.#seats.length
  }

  get restarts(): number {
    return this.#restarts
  }

  start(events: WorkerEvents): void {
    this.#events = events
    for (const seat of this.#seats) this.#launch(seat)
    this.#checkedMs = this.#options.clock.monotonicMs()
    this.#scheduleCheck()
  }

  configure(index: number, config: WorkerConfig): void {
    const seat = this.#seats[index]!
    seat.config = config
    order(seat, { kind: 'configure', config })
  }

  isRunning(index: number): boolean {
    const seat = this.#seats[index]!
    return seat.worker !== null && seat.hasTurned
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#callOffCheck()
    for (const seat of this.#seats) order(seat, { kind: 'stop' })
    await Promise.all(this.#seats.map((seat) => this.#untilEnded(seat)))
  }

  /** Cut off where it takes too long; not while it still loads native code, which would abort the process. */
  async #untilEnded(seat: Seat): Promise<void> {
    const { worker } = seat
    if (worker === null) return
    const hasBegun = seat.hasTurned || seat.counters.turns !== seat.turns
    const allowedMs = hasBegun ? STOP_MS : STOP_LOADING_MS
    const callOff = this.#options.clock.after(allowedMs, () => void worker.terminate())
    await new Promise((resolve) => worker.once('exit', resolve))
    callOff()
  }

  #launch(seat: Seat): void {
    const { port1, port2 } = new MessageChannel()
    const worker = new Worker(
      this.#options.entry ?? new URL('./packet-thread.ts', import.meta.url),
      {
        name: `packets-${seat.index}`,
        workerData: {
          orders: port2,
          counters: seat.counters.memory,
          descriptors: seat.descriptors.memory,
        },
        transferList: [port2],
      },
    )
    seat.worker = worker
    seat.orders = port1
    seat.turns = seat.counters.turns
    seat.startedMs = this.#options.clock.monotonicMs()
    seat.turnedMs = seat.startedMs
    seat.hasTurned = false
    seat.isCutOff = false
    if (seat.config !== null) order(seat, { kind: 'configure', config: seat.config })
    worker.on('message', (report: WorkerReport) => this.#heard(seat, report))
    worker.on('error', (error) => this.#say(seat, 'WorkerFailed', String(error)))
    worker.on('exit', () => this.#ended(seat))
  }

  #heard(seat: Seat, report: WorkerReport): void {
    if (report.kind === 'sockets') {
      this.#turned(seat, this.#options.clock.monotonicMs())
      this.#events?.sockets(seat.index, report.generation, report.sockets)
    } else if (report.kind === 'refused') {
      this.#events?.refused(report.address, report.port)
    }
  }

  #ended(seat: Seat): void {
    seat.worker = null
    seat.orders?.close()
    seat.orders = null
    seat.descriptors.closeAll()
    if (this.#isStopping) return
    this.#say(seat, 'WorkerEnded', `started again in ${seat.backOffMs} ms`)
    this.#events?.changed()
    this.#options.clock.after(seat.backOffMs, () => {
      if (this.#isStopping) return
      this.#restarts++
      this.#launch(seat)
    })
    seat.backOffMs = Math.min(seat.backOffMs * 2, WORKER_RESTART_MAX_MS)
  }

  #scheduleCheck(): void {
    this.#callOffCheck = this.#options.clock.after(WORKER_CHECK_MS, () => {
      this.#check()
      this.#scheduleCheck()
    })
  }

  #check(): void {
    const nowMs = this.#options.clock.monotonicMs()
    // A check this late means that the whole process stood still, workers and all.
    const wasFrozen = nowMs - this.#checkedMs > 2 * WORKER_CHECK_MS
    this.#checkedMs = nowMs
    for (const seat of this.#seats) {
      if (seat.worker === null || seat.isCutOff) continue
      if (seat.counters.turns !== seat.turns) this.#turned(seat, nowMs)
      else if (wasFrozen) seat.turnedMs = nowMs
      else if (this.#isHung(seat)) {
        this.#say(seat, 'WorkerHung', 'no turn of its loop ended: it is cut off')
        seat.isCutOff = true
        void seat.worker.terminate()
      }
    }
  }

  #turned(seat: Seat, nowMs: number): void {
    const isFirst = !seat.hasTurned
    seat.turns = seat.counters.turns
    seat.turnedMs = nowMs
    seat.hasTurned = true
    if (isFirst) this.#events?.changed()
    // So long without a crash: the next one is another story.
    if (nowMs - seat.startedMs > WORKER_RESTART_MAX_MS) seat.backOffMs = WORKER_RESTART_MIN_MS
  }

  #isHung({ hasTurned, turnedMs }: Seat): boolean {
    const allowedMs = hasTurned ? WORKER_HUNG_MS : WORKER_START_MS
    return this.#options.clock.monotonicMs() - turnedMs > allowedMs
  }

  #say({ index }: Seat, event: string, message: string): void {
    this.#options.tell({ level: 'error', event, message, details: { worker: index } })
  }
}

function order(seat: Seat, message: WorkerOrder): void {
  seat.orders?.postMessage(message)
}

function newSeat(index: number): Seat {
  return {
    index,
    counters: new Counters(),
    descriptors: new OpenDescriptors(),
    worker: null,
    orders: null,
    config: null,
    turns: 0,
    turnedMs: 0,
    hasTurned: false,
    isCutOff: false,
    startedMs: 0,
    backOffMs: WORKER_RESTART_MIN_MS,
  }
}
