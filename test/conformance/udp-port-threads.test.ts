/** The FFI port where packet workers use it: in several threads at once, under garbage collection. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { DatagramBatch, openUdpPort } from '@sipcast/net'
import { expect, it } from 'vitest'
import { bytes, endpoint, receive, settle, smallSlots, texts } from './udp-port/datagrams.ts'

it('works in threads side by side', async () => {
  const workers = [1, 2, 3].map(() => {
    const url = new URL('udp-port/echo-worker.ts', import.meta.url)
    return new Worker(url, { execArgv: [] })
  })
  const port = openUdpPort({ skin: 'ffi', blocking: false })
  const socket = await port.open({ address: '127.0.0.1', port: 0 })
  const targets = await Promise.all(
    workers.map(
      (worker) =>
        new Promise<Int32Array>((resolve, reject) => {
          worker.once('message', (at: number) => resolve(endpoint('127.0.0.1', at)))
          worker.once('error', reject)
        }),
    ),
  )
  const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
  for (const text of ['one', 'two', 'end']) {
    const batch = new DatagramBatch(3)
    for (const target of targets) batch.append(socket, target, 0, bytes(text))
    expect(port.send(batch)).toBe(3)
    expect(texts(await receive(port, 3))).toEqual([text, text, text])
  }
  expect(await Promise.all(ended)).toEqual([0, 0, 0])
  port.shutdown()
})

it('keeps its buffers through garbage collection', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const port = openUdpPort({ skin: 'ffi', blocking: true })
  const socket = port.open({ address: '127.0.0.1', port: 0, receiveBufferBytes: 1 << 20 })
  const target = endpoint('127.0.0.1', port.localPort(socket))
  for (let turn = 0; turn < 30; turn++) {
    const sent = new DatagramBatch(20, smallSlots(20))
    const expected = Array.from({ length: 20 }, (_, index) => `${turn} ${index} `.repeat(100))
    for (const text of expected) sent.append(socket, target, 0, bytes(text))
    collect()
    expect(port.send(sent)).toBe(20)
    collect()
    const received = new DatagramBatch(20, smallSlots(20))
    await settle(port, received)
    collect()
    expect(texts(received)).toEqual(expected)
  }
  port.shutdown()
})
