/** What a full receive queue drops is counted. */

import { DatagramBatch } from '@sipcast/net'
import { expect, it } from 'vitest'
import { receive, settle, smallSlots } from './datagrams.ts'
import type { Trial } from './trial.ts'

export function drops(trial: Trial): void {
  it('counts what a full queue drops', async () => {
    const socket = await trial.openSocket(trial.port, { receiveBufferBytes: 20_000 })
    const sender = trial.openPort()
    const from = await trial.openSocket(sender)
    expect(trial.port.drops(socket)).toBe(0)
    const batch = new DatagramBatch(400, smallSlots(400))
    for (let index = 0; index < 400; index++) {
      batch.append(from, trial.endpointOf(trial.port, socket), 0, new Uint8Array(1000))
    }
    sender.send(batch)
    const received = await receive(trial.port, 1, new DatagramBatch(400, smallSlots(400)))
    await settle(trial.port, received)
    expect(received.count).toBeLessThan(400)
    // Without kernel drops only what got past the kernel's queue counts.
    const isWhole = trial.port.capabilities.kernelDrops
    if (isWhole) expect(trial.port.drops(socket)).toBe(400 - received.count)
    else expect(trial.port.drops(socket)).toBeLessThanOrEqual(400 - received.count)
  })
}
