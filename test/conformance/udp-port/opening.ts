/** Opening sockets: conflicts, absent addresses, sharing. */

import { DatagramBatch, type UdpError } from '@sipcast/net'
import { expect, it } from 'vitest'
import { bytes, eventually, receive, settle } from './datagrams.ts'
import type { Trial } from './trial.ts'

export function opening(trial: Trial): void {
  it('refuses an address and port that is taken', async () => {
    const taken = trial.port.localPort(await trial.openSocket())
    const again = async () => await trial.openPort().open({ address: trial.loopback, port: taken })
    await expect(again()).rejects.toMatchObject({ code: 'EADDRINUSE', transient: true })
  })

  it('takes it once the other has closed it', async () => {
    const socket = await trial.openSocket()
    const taken = trial.port.localPort(socket)
    trial.port.close(socket)
    const again = await eventually(async () =>
      trial.openPort().open({ address: trial.loopback, port: taken }),
    )
    expect(again).toBeGreaterThanOrEqual(0)
  })

  it('refuses an address that the machine does not have', async () => {
    const open = async () => await trial.port.open({ address: trial.absent, port: 0 })
    await expect(open()).rejects.toMatchObject({ code: 'EADDRNOTAVAIL', transient: true })
  })

  it.each(['', 'localhost', '127.0.0.1.1', '127.1', '[::1]', '::g'])(
    'refuses "%s" as an address',
    async (address) => {
      const open = async () => await trial.port.open({ address, port: 0 })
      await expect(open()).rejects.toMatchObject({ code: 'EINVAL', transient: false })
    },
  )

  it('fails with a UdpError that names the endpoint', async () => {
    const error = await Promise.resolve()
      .then(() => trial.port.open({ address: trial.absent, port: 5060 }))
      .catch((caught: UdpError) => caught)
    expect(error).toMatchObject({
      name: 'UdpError',
      message: expect.stringContaining('5060'),
    })
  })

  it('fails after a shutdown', async () => {
    trial.port.shutdown()
    await expect(trial.openSocket()).rejects.toMatchObject({ code: 'EBADF' })
  })

  it('shares an address and port among sockets that all say so', async () => {
    const first = await trial.port.open({ address: trial.loopback, port: 0, reusePort: true })
    const options = { address: trial.loopback, port: trial.port.localPort(first), reusePort: true }
    const other = trial.openPort()
    await other.open(options)
    const greedy = async () => await trial.openPort().open({ ...options, reusePort: false })
    await expect(greedy()).rejects.toMatchObject({ code: 'EADDRINUSE' })

    const senders = trial.openPort()
    const target = trial.endpointOf(trial.port, first)
    const batch = new DatagramBatch(64)
    for (let flow = 0; flow < 64; flow++) {
      batch.append(await trial.openSocket(senders), target, 0, bytes(`flow ${flow}`))
    }
    expect(senders.send(batch)).toBe(64)
    const [here, there] = [await receive(trial.port, 1), await receive(other, 1)]
    await expect
      .poll(async () => (await settle(trial.port, here)) + (await settle(other, there)))
      .toBe(64)
    expect(here.count).toBeGreaterThan(8)
    expect(there.count).toBeGreaterThan(8)
  })
}
