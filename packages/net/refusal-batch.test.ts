import { expect, it } from 'vitest'
import { RefusalBatch } from './refusal-batch.ts'

it('moves what fits, oldest first, and keeps the rest', () => {
  const from = new RefusalBatch(4)
  for (let index = 1; index <= 4; index++) {
    expect(from.append(index, index * 10, Int32Array.of(9, 0, 0, 0, index, index), 1)).toBe(true)
  }
  expect(from.append(5, 50, new Int32Array(5), 0)).toBe(false)
  const into = new RefusalBatch(3)
  expect(from.moveTo(into)).toBe(3)
  expect([...into.errno, ...into.socket]).toEqual([1, 2, 3, 10, 20, 30])
  expect([...into.peer.subarray(10)]).toEqual([0, 0, 0, 3, 3])
  expect(from.moveTo(into)).toBe(0)
  into.clear()
  expect(from.moveTo(into)).toBe(1)
  expect([into.errno[0], into.socket[0], into.peer[4], from.count]).toEqual([4, 40, 4, 0])
})
