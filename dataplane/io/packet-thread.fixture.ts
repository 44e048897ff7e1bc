/**
 * A packet worker's thread for tests: turns and acknowledges like the real one, and does what its config's first
 * address tells it: `crash`, `hang`. A second one is PORT: a socket there, which it never closes.
 */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { OpenDescriptors, openUdpPort } from '@sipcast/net'
import { Counters } from '../counters.ts'
import type { WorkerOrder, WorkerReport } from '../worker-config.ts'
import type { PacketThreadData } from './packet-thread.ts'

const data: PacketThreadData = workerData
const counters = new Counters(data.counters)
const nobody = new Int32Array(new SharedArrayBuffer(4))

for (;;) {
  const received: { readonly message: WorkerOrder } | undefined = receiveMessageOnPort(data.orders)
  const order = received?.message
  if (order?.kind === 'stop') {
    counters.turn()
    break
  }
  if (order?.kind === 'configure') {
    const { generation, addresses } = order.config
    if (addresses?.[1] !== undefined) openSocket(Number(addresses[1]))
    if (addresses?.[0] === 'crash') throw new Error('told to crash')
    counters.turn()
    say({ kind: 'sockets', generation, sockets: [] })
    say({ kind: 'refused', address: '10.0.0.1', port: 5060 })
    if (addresses?.[0] === 'hang') for (;;) Atomics.wait(nobody, 0, 0, 5)
  }
  counters.turn()
  Atomics.wait(nobody, 0, 0, 5)
}
say({ kind: 'stopped' })
data.orders.close()

function say(report: WorkerReport): void {
  parentPort?.postMessage(report)
}

function openSocket(port: number): void {
  const descriptors = new OpenDescriptors(data.descriptors)
  const udp = openUdpPort({ skin: 'ffi', blocking: true, descriptors })
  udp.open({ address: '127.0.0.1', port })
}
