/** No socket starves another. */

import { DatagramBatch } from '@sipcast/net'
import { expect, it } from 'vitest'
import { bytes, pause, smallSlots, texts, WAIT_MS } from './datagrams.ts'
import type { Trial } from './trial.ts'

export function fairness(trial: Trial): void {
  it('gives every socket its share of a batch', async () => {
    const busy = await trial.openSocket(trial.port, { receiveBufferBytes: 4 << 20 })
    const quiet = [await trial.openSocket(), await trial.openSocket(), await trial.openSocket()]
    const sender = trial.openPort()
    const from = await trial.openSocket(sender)
    const flood = new DatagramBatch(400, smallSlots(400))
    const drops = new DatagramBatch(8)
    for (let index = 0; index < 400; index++) {
      flood.append(from, trial.endpointOf(trial.port, busy), 0, bytes('flood'))
    }
    for (const socket of quiet)
      drops.append(from, trial.endpointOf(trial.port, socket), 0, bytes('drop'))
    sender.send(flood)
    sender.send(drops)
    await pause(50)
    for (let turn = 0; turn < 3; turn++) {
      const batch = new DatagramBatch(16, smallSlots(16))
      await trial.port.wait(WAIT_MS)
      expect(trial.port.receive(batch)).toBe(16)
      const quietCount = texts(batch).filter((text) => text === 'drop').length
      expect(quietCount).toBe(turn === 0 ? 3 : 0)
    }
  })

  it('serves more sockets than a batch has room for, all in turn', async () => {
    const sockets: number[] = []
    for (let index = 0; index < 20; index++) sockets.push(await trial.openSocket())
    const sender = trial.openPort()
    const from = await trial.openSocket(sender)
    const batch = new DatagramBatch(200, smallSlots(200))
    for (let index = 0; index < 200; index++) {
      batch.append(from, trial.endpointOf(trial.port, sockets[index % 20]!), 0, bytes('x'))
    }
    sender.send(batch)
    await pause(50)
    const seen = new Set<number>()
    for (let turn = 0; turn < 6; turn++) {
      const part = new DatagramBatch(4, smallSlots(4))
      await trial.port.wait(WAIT_MS)
      expect(trial.port.receive(part)).toBe(4)
      for (const socket of part.socket) seen.add(socket)
    }
    expect(seen.size).toBe(20)
  })
}
