/** Proxies by the thousand in one thread: answers every OPTIONS to its port with 200, whatever the address. */

import { parentPort } from 'node:worker_threads'
import { DatagramBatch, openUdpPort } from '@sipcast/net'

const STATUS_LINE = Buffer.from('SIP/2.0 200 OK')
const CR = 13

const port = openUdpPort({ skin: 'ffi', blocking: true })
const socket = port.open({ address: '0.0.0.0', port: 0, receiveBufferBytes: 4 << 20 })
const batch = new DatagramBatch(64)
parentPort!.postMessage(port.localPort(socket))

for (;;) {
  if (!port.wait(50)) continue
  batch.clear()
  port.receive(batch)
  for (let index = 0; index < batch.count; index++) answer(index)
  port.send(batch)
}

/** Turns the request into its answer where it lies: the status line is shorter than the request line. */
function answer(index: number): void {
  const offset = batch.offset[index]!
  const saved = batch.bytes.indexOf(CR, offset) - STATUS_LINE.length - offset
  batch.bytes.set(STATUS_LINE, offset + saved)
  batch.offset[index] = offset + saved
  batch.length[index] = batch.length[index]! - saved
}
