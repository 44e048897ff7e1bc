/**
 * The entry of a packet worker's thread: turns of the loop, and between two bursts the main thread's orders.
 * Not here: the loop's turn itself (`worker.ts`), starting and watching threads (`packet-threads.ts`).
 * Invariants: only the newest config is taken; what is said to the main thread is bounded, however much the
 * network says; an unexpected error ends the thread, and its host starts another one.
 */

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import {
  DatagramBatch,
  isAboutPeer,
  OpenDescriptors,
  openUdpPort,
  SLOT_SIZE_DEFAULT,
  UdpError,
  type UdpPort,
} from '@sipcast/net'
import { Counters } from '../counters.ts'
import {
  BATCH_SIZE,
  FAST_PROBE_MS,
  REFUSED_ENDPOINTS_MAX,
  SOCKET_REPORT_MS,
  STOP_TURNS_MAX,
} from '../limits.ts'
import { PacketWorker } from '../worker.ts'
import type { WorkerConfig, WorkerOrder, WorkerReport } from '../worker-config.ts'

/** What the host hands to a new thread. */
export interface PacketThreadData {
  readonly orders: MessagePort
  /** Of `Counters`. */
  readonly counters: SharedArrayBuffer
  /** Of `OpenDescriptors`. */
  readonly descriptors: SharedArrayBuffer
}

const data: PacketThreadData = workerData
const port = openPort()
const worker = new PacketWorker({
  port,
  ...batches(),
  counters: new Counters(data.counters),
  nowMs: () => Date.now(),
})
/** Endpoint → when it was last reported as refusing. */
const refusedMs = new Map<string, number>()
let generation = 0
let reportedRevision = -1
let reportedMs = 0
let reportedCounts = ''

await run()

async function run(): Promise<void> {
  for (;;) {
    const { config, isStopping } = takeOrders()
    if (isStopping) break
    if (config !== null) await configure(config)
    const turn = worker.turn()
    if (typeof turn !== 'number') await turn
    worker.takeRefusals(reportRefusal)
    reportSockets()
  }
  await forwardTheRest()
  port.shutdown()
  say({ kind: 'stopped' })
  data.orders.close()
}

/** Everything the main thread said since the last turn; of several configs the newest. */
function takeOrders(): { readonly config: WorkerConfig | null; readonly isStopping: boolean } {
  let config: WorkerConfig | null = null
  for (;;) {
    const received: { readonly message: WorkerOrder } | undefined = receiveMessageOnPort(
      data.orders,
    )
    if (received === undefined) return { config, isStopping: false }
    if (received.message.kind === 'stop') return { config, isStopping: true }
    config = received.message.config
  }
}

async function configure(config: WorkerConfig): Promise<void> {
  await worker.configure(config)
  generation = config.generation
  reportedRevision = -1
}

/** What the kernel has queued for us is served before the sockets close. */
async function forwardTheRest(): Promise<void> {
  for (let turns = 0; turns < STOP_TURNS_MAX; turns++) {
    if ((await worker.turn()) === 0) return
  }
}

/** At once when a socket's state changed, now and then when only its counts did. */
function reportSockets(): void {
  const isNews = worker.socketsRevision !== reportedRevision
  const nowMs = performance.now()
  if (generation === 0 || (!isNews && nowMs - reportedMs < SOCKET_REPORT_MS)) return
  reportedMs = nowMs
  const sockets = worker.sockets()
  const counts = sockets.map(({ kernelDrops, served }) => `${kernelDrops} ${served}`).join()
  if (!isNews && counts === reportedCounts) return
  reportedRevision = worker.socketsRevision
  reportedCounts = counts
  say({ kind: 'sockets', generation, sockets })
}

function reportRefusal(address: string, port: number, errno: number): void {
  if (!isAboutPeer(errno)) return
  const endpoint = `${address} ${port}`
  const nowMs = performance.now()
  if (nowMs - (refusedMs.get(endpoint) ?? -Infinity) < FAST_PROBE_MS) return
  if (refusedMs.size >= REFUSED_ENDPOINTS_MAX) refusedMs.clear()
  refusedMs.set(endpoint, nowMs)
  say({ kind: 'refused', address, port })
}

function say(report: WorkerReport): void {
  parentPort?.postMessage(report)
}

function openPort(): UdpPort {
  try {
    const descriptors = new OpenDescriptors(data.descriptors)
    return openUdpPort({ skin: 'ffi', blocking: true, descriptors })
  } catch (error) {
    // No FFI on this machine: slower, but it serves.
    if (!(error instanceof UdpError)) throw error
    return openUdpPort({ skin: 'dgram', blocking: false })
  }
}

/** One arena for both, so that forwarding moves bytes inside it. */
function batches(): { readonly received: DatagramBatch; readonly sending: DatagramBatch } {
  const half = BATCH_SIZE * SLOT_SIZE_DEFAULT
  const bytes = new Uint8Array(new ArrayBuffer(2 * half))
  return {
    received: new DatagramBatch(BATCH_SIZE, { bytes, offset: 0 }),
    sending: new DatagramBatch(BATCH_SIZE, { bytes, offset: half }),
  }
}
