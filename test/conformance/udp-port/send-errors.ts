/** What a failing datagram may cost: itself. */

import { DatagramBatch, Errno } from '@sipcast/net'
import { expect, it } from 'vitest'
import { bytes, endpoint, letters, pause, receive, texts } from './datagrams.ts'
import type { Trial } from './trial.ts'

export function sendErrors(trial: Trial): void {
  it('names the datagrams that could not go and sends the others', async () => {
    const socket = await trial.openSocket()
    const closed = await trial.openSocket()
    trial.port.close(closed)
    const here = trial.endpointOf(trial.port, socket)
    const portless = endpoint(trial.loopback, 0)
    const otherFamily = endpoint(trial.isIPv4 ? '::1' : '127.0.0.1', 9)
    const batch = new DatagramBatch(8)
    batch.append(socket, here, 0, bytes('first'))
    batch.append(socket, portless, 0, bytes('no port'))
    batch.append(closed, here, 0, bytes('closed socket'))
    batch.append(socket, otherFamily, 0, bytes('other family'))
    batch.append(12345, here, 0, bytes('unknown socket'))
    batch.append(socket, here, 0, bytes('last'))
    expect(trial.port.send(batch)).toBe(2)
    expect([...batch.error.subarray(0, 6)]).toEqual([
      0,
      Errno.invalid,
      Errno.badSocket,
      Errno.familyUnsupported,
      Errno.badSocket,
      0,
    ])
    expect(texts(await receive(trial.port, 2))).toEqual(['first', 'last'])
  })

  it('never reads beyond the arena', async () => {
    const socket = await trial.openSocket()
    const batch = letters(socket, trial.endpointOf(trial.port, socket), 3)
    batch.offset[0] = batch.bytes.length - 4
    batch.length[0] = 5
    batch.offset[1] = -1
    expect(trial.port.send(batch)).toBe(1)
    expect([...batch.error.subarray(0, 3)]).toEqual([Errno.invalid, Errno.invalid, 0])
  })

  it('lets no refusal of one peer cost another its datagrams', async () => {
    const from = await trial.openSocket()
    const gone = await trial.openSocket()
    const deadEnd = trial.endpointOf(trial.port, gone)
    trial.port.close(gone)
    const receiver = trial.openPort()
    const healthy = trial.endpointOf(receiver, await trial.openSocket(receiver))
    await pause(20)
    for (let turn = 0; turn < 20; turn++) {
      const batch = new DatagramBatch(3)
      batch.append(from, deadEnd, 0, bytes('to nobody'))
      batch.append(from, healthy, 0, bytes(`healthy ${turn}`))
      batch.append(from, deadEnd, 0, bytes('to nobody'))
      expect(trial.port.send(batch)).toBe(3)
    }
    const batch = await receive(receiver, 20)
    expect(texts(batch)).toEqual(Array.from({ length: 20 }, (_, turn) => `healthy ${turn}`))
  })
}
