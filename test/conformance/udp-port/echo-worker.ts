/** A packet worker that sends everything back, blocking its thread as they do; ends with a datagram "end". */

import { parentPort } from 'node:worker_threads'
import { DatagramBatch, openUdpPort } from '@sipcast/net'

const port = openUdpPort({ skin: 'ffi', blocking: true })
const socket = port.open({ address: '127.0.0.1', port: 0 })
const batch = new DatagramBatch(64)
parentPort!.postMessage(port.localPort(socket))

let isEnding = false
while (!isEnding) {
  port.wait(50)
  batch.clear()
  port.receive(batch)
  for (let index = 0; index < batch.count; index++) {
    isEnding ||= Buffer.from(batch.payload(index)).toString() === 'end'
  }
  port.send(batch)
}
port.shutdown()
