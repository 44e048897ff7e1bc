/** Datagrams from one socket to another: order, sizes, arenas, batches. */

import { DatagramBatch, Errno } from '@sipcast/net'
import { ENDPOINT_WORDS } from '@sipcast/sip'
import { expect, it } from 'vitest'
import { bytes, letters, peerOf, receive, smallSlots, texts } from './datagrams.ts'
import type { Trial } from './trial.ts'

/** The most that an IPv4 datagram holds beside its headers. */
const PAYLOAD_BYTES_MAX = 65507

export function transfer(trial: Trial): void {
  it('delivers datagrams in order, with their source and socket', async () => {
    const from = await trial.openSocket()
    const receiver = trial.openPort()
    const to = await trial.openSocket(receiver)
    expect(trial.port.send(letters(from, trial.endpointOf(receiver, to), 10))).toBe(10)

    const batch = await receive(receiver, 10)
    expect(texts(batch)).toEqual(Array.from({ length: 10 }, (_, index) => `letter ${index}`))
    for (let index = 0; index < 10; index++) {
      expect(batch.socket[index]).toBe(to)
      expect(batch.error[index]).toBe(0)
      expect(peerOf(batch, index)).toBe(`${trial.loopback} ${trial.port.localPort(from)}`)
    }
  })

  it('answers from the socket a datagram came in on, in place', async () => {
    const from = await trial.openSocket()
    const echo = trial.openPort()
    const target = trial.endpointOf(echo, await trial.openSocket(echo))
    trial.port.send(letters(from, target, 3))
    echo.send(await receive(echo, 3))
    const answers = await receive(trial.port, 3)
    expect(texts(answers)).toEqual(['letter 0', 'letter 1', 'letter 2'])
    expect(peerOf(answers, 0)).toBe(`${trial.loopback} ${target[ENDPOINT_WORDS - 1]}`)
  })

  it('sends from anywhere in an arena shared with the received ones', async () => {
    const arena = { bytes: new Uint8Array(8 * 2048), offset: 0, slotSize: 2048 }
    const received = new DatagramBatch(4, arena)
    const sent = new DatagramBatch(4, { ...arena, offset: 4 * 2048 })
    const socket = await trial.openSocket()
    const target = trial.endpointOf(trial.port, socket)
    trial.port.send(letters(socket, target, 2))
    await receive(trial.port, 2, received)
    for (let index = 0; index < 2; index++) {
      const from = received.offset[index]!
      sent.append(socket, target, 0, new Uint8Array(0))
      sent.length[index] = received.length[index]! - 1
      sent.offset[index] = sent.slotOffset(index) + 100
      arena.bytes.copyWithin(sent.offset[index]!, from + 1, from + received.length[index]!)
    }
    expect(trial.port.send(sent)).toBe(2)
    expect(texts(await receive(trial.port, 2))).toEqual(['etter 0', 'etter 1'])
  })

  it.each([0, 1, 1472, 1473, 9000, PAYLOAD_BYTES_MAX])(
    'delivers a datagram of %i bytes',
    async (length) => {
      const socket = await trial.openSocket()
      const payload = Uint8Array.from({ length }, (_, index) => (index * 31) & 0xff)
      const batch = new DatagramBatch(1)
      batch.append(socket, trial.endpointOf(trial.port, socket), 0, payload)
      expect(trial.port.send(batch)).toBe(1)
      const received = await receive(trial.port, 1)
      expect(Buffer.compare(received.payload(0), payload)).toBe(0)
    },
  )

  it('marks a datagram that was cut to its slot', async () => {
    const socket = await trial.openSocket()
    const batch = new DatagramBatch(3)
    for (const length of [100, 101, 99]) {
      batch.append(socket, trial.endpointOf(trial.port, socket), 0, new Uint8Array(length).fill(7))
    }
    trial.port.send(batch)
    const arena = { bytes: new Uint8Array(400), offset: 0, slotSize: 100 }
    const received = await receive(trial.port, 3, new DatagramBatch(3, arena))
    expect([...received.length]).toEqual([100, 100, 99])
    expect([...received.error]).toEqual([0, Errno.messageSize, 0])
    expect(arena.bytes.subarray(300).every((byte) => byte === 0)).toBe(true)
  })

  it('receives what does not fit the batch with the next one', async () => {
    const socket = await trial.openSocket()
    trial.port.send(letters(socket, trial.endpointOf(trial.port, socket), 50))
    const all: string[] = []
    const batch = new DatagramBatch(8)
    while (all.length < 50) {
      batch.clear()
      await receive(trial.port, 1, batch)
      expect(batch.count).toBeLessThanOrEqual(8)
      all.push(...texts(batch))
    }
    expect(all).toEqual(Array.from({ length: 50 }, (_, index) => `letter ${index}`))
  })

  it('appends to what a batch already holds and leaves a full one alone', async () => {
    const socket = await trial.openSocket()
    const batch = new DatagramBatch(3)
    batch.append(socket, trial.endpointOf(trial.port, socket), 0, bytes('mine'))
    trial.port.send(letters(socket, trial.endpointOf(trial.port, socket), 5))
    await receive(trial.port, 3, batch)
    expect(texts(batch)).toEqual(['mine', 'letter 0', 'letter 1'])
    expect(trial.port.receive(batch)).toBe(0)
  })

  it('sends batches of any size', async () => {
    const from = await trial.openSocket()
    const to = await trial.openSocket(trial.port, { receiveBufferBytes: 4 << 20 })
    expect(trial.port.send(letters(from, trial.endpointOf(trial.port, to), 700))).toBe(700)
    const batch = await receive(trial.port, 700, new DatagramBatch(1000, smallSlots(1000)))
    expect(texts(batch)).toEqual(Array.from({ length: 700 }, (_, index) => `letter ${index}`))
  })

  it('keeps the order per socket where a batch mixes sockets', async () => {
    const senders = [await trial.openSocket(), await trial.openSocket(), await trial.openSocket()]
    const receiver = trial.openPort()
    const target = trial.endpointOf(receiver, await trial.openSocket(receiver))
    const batch = new DatagramBatch(60)
    for (let index = 0; index < 60; index++) {
      batch.append(senders[(index * 7) % 3]!, target, 0, bytes(`${index}`))
    }
    expect(trial.port.send(batch)).toBe(60)
    const received = await receive(receiver, 60)
    for (const sender of senders) {
      const source = `${trial.loopback} ${trial.port.localPort(sender)}`
      const own = texts(received).filter((_, index) => peerOf(received, index) === source)
      expect(own).toHaveLength(20)
      expect(own.map(Number)).toEqual(own.map(Number).toSorted((a, b) => a - b))
    }
  })
}
