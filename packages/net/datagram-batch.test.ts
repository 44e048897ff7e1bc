import { expect, it } from 'vitest'
import { DatagramBatch } from './datagram-batch.ts'

it('keeps its slots inside the arena', () => {
  const bytes = new Uint8Array(1000)
  expect(() => new DatagramBatch(10, { bytes, offset: 1, slotSize: 100 })).toThrow(RangeError)
  const batch = new DatagramBatch(9, { bytes, offset: 100, slotSize: 100 })
  expect(batch.slotOffset(0)).toBe(100)
  expect(batch.slotOffset(8)).toBe(900)
})

it('takes what fits a slot, until it is full', () => {
  const bytes = new Uint8Array(30)
  const batch = new DatagramBatch(2, { bytes, offset: 10, slotSize: 10 })
  const peer = Int32Array.of(0, 1, 2, 3, 4, 5)
  expect(batch.append(7, peer, 1, new Uint8Array(11))).toBe(false)
  expect(batch.append(7, peer, 1, new Uint8Array(10).fill(1))).toBe(true)
  expect(batch.append(8, peer, 0, Uint8Array.of(2))).toBe(true)
  expect(batch.append(9, peer, 0, new Uint8Array(0))).toBe(false)
  expect([...batch.peer]).toEqual([1, 2, 3, 4, 5, 0, 1, 2, 3, 4])
  expect([...bytes.subarray(10, 22)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 0])
  expect([...batch.payload(1)]).toEqual([2])
  batch.clear()
  expect(batch.append(9, peer, 0, new Uint8Array(0))).toBe(true)
})

it('knows which datagrams a port may read', () => {
  const batch = new DatagramBatch(1, { bytes: new Uint8Array(100), offset: 0, slotSize: 10 })
  const rows: [number, number, boolean][] = [
    [0, 100, true],
    [100, 0, true],
    [0, 101, false],
    [99, 2, false],
    [-1, 5, false],
    [5, -1, false],
    [2 ** 31 - 1, 2 ** 31 - 1, false],
  ]
  for (const [offset, length, isReadable] of rows) {
    batch.offset[0] = offset
    batch.length[0] = length
    expect(batch.isInArena(0)).toBe(isReadable)
  }
})
