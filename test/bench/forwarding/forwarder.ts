/**
 * The minimal forwarder on the FFI port: what forwarder.c does, in TypeScript.
 *
 *   node forwarder.ts LISTEN_ADDRESS LISTEN_PORT TARGET_ADDRESS TARGET_PORT
 *
 * Prints "ready", runs until killed.
 */
import { argv, stdout } from 'node:process'
import { DatagramBatch, openUdpPort } from '@sipcast/net'
import { ENDPOINT_WORDS, parseEndpointText } from '@sipcast/sip'

const [address = '', listenPort = '', targetAddress = '', targetPort = ''] = argv.slice(2)
const target = new Int32Array(ENDPOINT_WORDS)
parseEndpointText(`${targetAddress}:${targetPort}`, target, 0)
const port = openUdpPort({ skin: 'ffi', blocking: true })
port.open({ address, port: Number(listenPort), receiveBufferBytes: 4 << 20 })
const batch = new DatagramBatch(64)
stdout.write('ready\n')

// The pipe is written from the event loop, which the endless loop below would never get back to.
setImmediate(() => {
  for (;;) turn()
})

function turn(): void {
  if (!port.wait(50)) return
  batch.clear()
  const count = port.receive(batch)
  for (let index = 0; index < count; index++) {
    for (let word = 0; word < ENDPOINT_WORDS; word++) {
      batch.peer[index * ENDPOINT_WORDS + word] = target[word]!
    }
  }
  port.send(batch)
}
