/**
 * The minimal forwarder on the FFI port: what forwarder.c does, in TypeScript.
 *
 *   node forwarder.ts TARGET_PORT
 */

import { argv, cpuUsage, exit, stdout } from 'node:process'
import { DatagramBatch, openUdpPort } from '@sipcast/net'
import { ENDPOINT_WORDS, parseEndpointText } from '@sipcast/sip'

const WARM_UP_PACKETS = 50_000
const STOP_LENGTH = 4

const target = new Int32Array(ENDPOINT_WORDS)
parseEndpointText(`127.0.0.1:${argv[2]}`, target, 0)
const port = openUdpPort({ skin: 'ffi', blocking: true })
const socket = port.open({ address: '127.0.0.1', port: 0, receiveBufferBytes: 4 << 20 })
const batch = new DatagramBatch(64)
stdout.write(`${port.localPort(socket)}\n`)

let packets = 0
let countedFrom = 0
let began = cpuUsage()
let isWarm = false
while (turn()) {
  if (isWarm || packets <= WARM_UP_PACKETS) continue
  isWarm = true
  began = cpuUsage()
  countedFrom = packets
}
const { user, system } = cpuUsage(began)
stdout.write(`${packets - countedFrom} ${user + system}\n`, () => exit(0))

function turn(): boolean {
  if (!port.wait(50)) return true
  batch.clear()
  const count = port.receive(batch)
  for (let index = 0; index < count; index++) {
    if (batch.length[index] === STOP_LENGTH) return false
    for (let word = 0; word < ENDPOINT_WORDS; word++) {
      batch.peer[index * ENDPOINT_WORDS + word] = target[word]!
    }
  }
  port.send(batch)
  packets += count
  return true
}
