/** Datagrams to test ports with: made, received and looked at. */

import { DatagramBatch, type UdpPort } from '@sipcast/net'
import { ENDPOINT_WORDS, formatAddress, parseAddressText } from '@sipcast/sip'
import { expect } from 'vitest'

/** Long enough for any machine, short enough to see a hang. */
export const WAIT_MS = 2000

export function endpoint(address: string, port: number): Int32Array {
  const words = new Int32Array(ENDPOINT_WORDS)
  expect(parseAddressText(address, words, 0)).toBe(true)
  words[ENDPOINT_WORDS - 1] = port
  return words
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function smallSlots(capacity: number) {
  return { bytes: new Uint8Array(capacity * 2048), offset: 0, slotSize: 2048 }
}

/** A batch of "letter 0" … from `socket` to `target`. */
export function letters(socket: number, target: Int32Array, count: number) {
  const batch = new DatagramBatch(count, smallSlots(count))
  for (let index = 0; index < count; index++) {
    batch.append(socket, target, 0, bytes(`letter ${index}`))
  }
  return batch
}

export function texts(batch: DatagramBatch): string[] {
  return Array.from({ length: batch.count }, (_, index) =>
    Buffer.from(batch.payload(index)).toString(),
  )
}

export function peerOf(batch: DatagramBatch, index: number): string {
  const at = index * ENDPOINT_WORDS
  return `${formatAddress(batch.peer, at)} ${batch.peer[at + ENDPOINT_WORDS - 1]}`
}

/** Receives until the batch holds `count`, or time is up. */
export async function receive(port: UdpPort, count: number, batch = new DatagramBatch(100)) {
  const endMs = performance.now() + WAIT_MS
  while (batch.count < count && performance.now() < endMs) {
    await port.wait(50)
    port.receive(batch)
    // A blocking port leaves the event loop no time by itself.
    await pause(0)
  }
  expect(batch.count).toBeGreaterThanOrEqual(count)
  return batch
}

/** Receives what is still coming; all that the batch holds then. */
export async function settle(port: UdpPort, batch: DatagramBatch): Promise<number> {
  while (await port.wait(30)) if (port.receive(batch) === 0) break
  return batch.count
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < 20; turn++) {
    try {
      return await attempt()
    } catch {
      // The last attempt tells what is wrong.
      await pause(10)
    }
  }
  return await attempt()
}
