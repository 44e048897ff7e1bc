/** ICMP errors, where the skin can tell. */

import { DatagramBatch, Errno, RefusalBatch } from '@sipcast/net'
import { ENDPOINT_WORDS } from '@sipcast/sip'
import { expect, it } from 'vitest'
import { bytes, endpoint, WAIT_MS } from './datagrams.ts'
import type { Trial } from './trial.ts'

export function refusals(trial: Trial): void {
  it('names the endpoint where nobody listens, once reported no more', async () => {
    if (!trial.port.capabilities.errorQueue) return
    const from = await trial.openSocket()
    const gone = await trial.openSocket()
    const deadEnd = trial.endpointOf(trial.port, gone)
    trial.port.close(gone)
    const batch = new DatagramBatch(1)
    batch.append(from, deadEnd, 0, bytes('anybody?'))
    trial.port.send(batch)
    expect(await trial.port.wait(WAIT_MS)).toBe(true)
    const refused = new RefusalBatch(8)
    expect(trial.port.refusals(refused)).toBe(1)
    expect(refused.errno[0]).toBe(Errno.refused)
    expect(refused.socket[0]).toBe(from)
    expect([...refused.peer.subarray(0, ENDPOINT_WORDS)]).toEqual([...deadEnd])
    expect(trial.port.refusals(refused)).toBe(0)
    expect(trial.port.receive(new DatagramBatch(1))).toBe(0)
    expect(await trial.port.wait(30)).toBe(false)
  })

  it('are none where the skin has no error queue', async () => {
    if (trial.port.capabilities.errorQueue) return
    const from = await trial.openSocket()
    const batch = new DatagramBatch(1)
    batch.append(from, endpoint(trial.loopback, 9), 0, bytes('anybody?'))
    trial.port.send(batch)
    expect(await trial.port.wait(50)).toBe(false)
    expect(trial.port.refusals(new RefusalBatch(1))).toBe(0)
  })
}
