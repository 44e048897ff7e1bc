/** Waiting, and sockets that come and go. */

import { DatagramBatch } from '@sipcast/net'
import { expect, it } from 'vitest'
import { letters, pause, receive, WAIT_MS } from './datagrams.ts'
import type { Trial } from './trial.ts'

export function waiting(trial: Trial): void {
  it('gives up when the time is up', async () => {
    await trial.openSocket()
    const beganAt = performance.now()
    expect(await trial.port.wait(40)).toBe(false)
    const tookMs = performance.now() - beganAt
    expect(tookMs).toBeGreaterThanOrEqual(38)
    expect(tookMs).toBeLessThan(1000)
  })

  it('wakes at once for what is already there, again and again until it is read', async () => {
    const socket = await trial.openSocket()
    trial.port.send(letters(socket, trial.endpointOf(trial.port, socket), 1))
    await pause(20)
    for (let turn = 0; turn < 3; turn++) expect(await trial.port.wait(WAIT_MS)).toBe(true)
    expect(trial.port.receive(new DatagramBatch(1))).toBe(1)
    expect(await trial.port.wait(20)).toBe(false)
  })

  it('hears sockets that are opened later', async () => {
    await trial.openSocket()
    await trial.port.wait(1)
    const late = await trial.openSocket()
    trial.port.send(letters(late, trial.endpointOf(trial.port, late), 1))
    expect(await trial.port.wait(WAIT_MS)).toBe(true)
    expect(trial.port.receive(new DatagramBatch(1))).toBe(1)
  })

  it('loses what waits at a socket that is closed, and nothing else', async () => {
    const closing = await trial.openSocket()
    const staying = await trial.openSocket()
    trial.port.send(letters(closing, trial.endpointOf(trial.port, closing), 5))
    trial.port.send(letters(staying, trial.endpointOf(trial.port, staying), 2))
    await pause(20)
    await trial.port.wait(WAIT_MS)
    trial.port.close(closing)
    const batch = await receive(trial.port, 2)
    expect([...batch.socket.subarray(0, 2)]).toEqual([staying, staying])
    expect(await trial.port.wait(20)).toBe(false)
    trial.port.close(closing)
    expect(() => trial.port.localPort(closing)).toThrow()
  })

  it('never gives a new socket the id of a closed one', async () => {
    const ids = new Set<number>()
    for (let turn = 0; turn < 10; turn++) {
      const socket = await trial.openSocket()
      ids.add(socket)
      trial.port.close(socket)
    }
    expect(ids.size).toBe(10)
  })

  it('survives a shutdown, twice, with a wait pending', async () => {
    await trial.openSocket()
    const waiting = trial.port.wait(60)
    trial.port.shutdown()
    trial.port.shutdown()
    expect(await waiting).toBe(false)
    expect(trial.port.receive(new DatagramBatch(1))).toBe(0)
    expect(await trial.port.wait(10)).toBe(false)
  })
}
