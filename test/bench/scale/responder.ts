/**
 * Proxies by the thousand in one thread, as test/bench/probing has them, which also notes how long each of them waited
 * for its next OPTIONS. Not here: what that should have been.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { DatagramBatch, openUdpPort } from '@sipcast/net'
import { GAPS, GAP_GRAIN_MS } from './gaps.ts'

const STATUS_LINE = Buffer.from('SIP/2.0 200 OK')
const CR = 13
const DOT = 46
const COLON = 58
const ADDRESS_AT = 'OPTIONS sip:'.length

/** How often each gap was met. */
const gaps = workerData as Int32Array
/** Milliseconds, by the last three bytes of the address. */
const asked = new Float64Array(1 << 18)
const port = openUdpPort({ skin: 'ffi', blocking: true })
const socket = port.open({ address: '0.0.0.0', port: 0, receiveBufferBytes: 4 << 20 })
const batch = new DatagramBatch(64)
parentPort!.postMessage(port.localPort(socket))

for (;;) {
  if (!port.wait(50)) continue
  batch.clear()
  port.receive(batch)
  const nowMs = performance.now()
  for (let index = 0; index < batch.count; index++) {
    noteGap(proxyAt(batch.offset[index]! + ADDRESS_AT), nowMs)
    answer(index)
  }
  port.send(batch)
}

function noteGap(proxy: number, nowMs: number): void {
  const lastMs = asked[proxy]!
  asked[proxy] = nowMs
  if (lastMs === 0) return
  const grain = Math.min(GAPS - 1, Math.floor((nowMs - lastMs) / GAP_GRAIN_MS))
  Atomics.add(gaps, grain, 1)
}

/** The Request-URI names the address that was asked. */
function proxyAt(offset: number): number {
  const { bytes } = batch
  let number = 0
  let part = 0
  for (let at = offset; bytes[at] !== COLON; at++) {
    if (bytes[at] === DOT) {
      number = ((number << 8) | part) & 0x3ffff
      part = 0
    } else part = part * 10 + bytes[at]! - 48
  }
  return ((number << 8) | part) & 0x3ffff
}

/** Turns the request into its answer where it lies: the status line is shorter than the request line. */
function answer(index: number): void {
  const offset = batch.offset[index]!
  const saved = batch.bytes.indexOf(CR, offset) - STATUS_LINE.length - offset
  batch.bytes.set(STATUS_LINE, offset + saved)
  batch.offset[index] = offset + saved
  batch.length[index] = batch.length[index]! - saved
}
