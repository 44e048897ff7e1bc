import { ENDPOINT_WORDS } from '@sipcast/sip'
import { beforeEach, expect, it } from 'vitest'
import { DatagramBatch } from '../datagram-batch.ts'
import { Errno } from '../errno.ts'
import { endpointWords } from '../prober.fixture.ts'
import { type Libc, loadLibc } from './libc.ts'
import { Sender } from './sender.ts'
import { SocketTable } from './socket-table.ts'

/** Stands in for the kernel: the answer to each sendmmsg in turn, a count or a negative errno. */
let answers: number[]
/** What was asked of it. */
let calls: string[]
let isWritable: boolean
let sender: Sender
let sockets: SocketTable

beforeEach(() => {
  answers = []
  calls = []
  isWritable = false
  sockets = new SocketTable()
  let failed = 0
  const libc: Libc = {
    ...loadLibc(),
    sendmmsg(fd, _headers, count) {
      const answer = answers.shift() ?? count
      calls.push(`${fd}: ${count} → ${answer}`)
      failed = answer < 0 ? -answer : 0
      return answer < 0 ? -1 : answer
    },
    poll(_fds, _count, timeoutMs) {
      calls.push(`wait ${timeoutMs}`)
      return isWritable ? 1 : 0
    },
    errno: () => failed,
  }
  sender = new Sender(libc, sockets, 2)
})

it('sends one group per socket', () => {
  const [a, b] = [openSocket(5), openSocket(6)]
  const batch = batchOf([a, a, b, a, b])
  expect(sender.send(batch)).toBe(5)
  expect(calls).toEqual(['5: 3 → 3', '6: 2 → 2'])
})

it('goes on behind what the kernel took', () => {
  const batch = batchOf(Array(5).fill(openSocket(5)))
  answers = [2]
  expect(sender.send(batch)).toBe(5)
  expect(calls).toEqual(['5: 5 → 2', '5: 3 → 3'])
})

it('tries a failing datagram once more: the error may have been another’s', () => {
  const batch = batchOf(Array(3).fill(openSocket(5)))
  answers = [1, -Errno.refused, 2]
  expect(sender.send(batch)).toBe(3)
  expect([...batch.error]).toEqual([0, 0, 0])
})

it('then gives it up and sends the others', () => {
  const batch = batchOf(Array(4).fill(openSocket(5)))
  answers = [1, -Errno.messageSize, -Errno.messageSize, 2]
  expect(sender.send(batch)).toBe(3)
  expect([...batch.error]).toEqual([0, Errno.messageSize, 0, 0])
})

it('tries each of several failing ones once more', () => {
  const batch = batchOf(Array(2).fill(openSocket(5)))
  answers = [-1, -1, -1, -1]
  expect(sender.send(batch)).toBe(0)
  expect([...batch.error]).toEqual([1, 1])
  expect(calls.length).toBe(4)
})

it('does not load a full device queue with second tries', () => {
  const batch = batchOf(Array(3).fill(openSocket(5)))
  answers = [-Errno.noBuffers, 2]
  expect(sender.send(batch)).toBe(2)
  expect([...batch.error]).toEqual([Errno.noBuffers, 0, 0])
})

it('waits for a full send buffer once per batch, then drops the rest of the group', () => {
  const [a, b] = [openSocket(5), openSocket(6)]
  const batch = batchOf([a, a, a, b])
  isWritable = true
  answers = [-Errno.again, 1, -Errno.again]
  expect(sender.send(batch)).toBe(2)
  expect([...batch.error]).toEqual([0, Errno.again, Errno.again, 0])
  expect(calls).toEqual(['5: 3 → -11', 'wait 2', '5: 3 → 1', '5: 2 → -11', '6: 1 → 1'])
})

it('does not wait where it must not block', () => {
  const libc = { ...loadLibc(), sendmmsg: () => -1, errno: () => Errno.again }
  const batch = batchOf([openSocket(5)])
  expect(new Sender(libc, sockets, 0).send(batch)).toBe(0)
  expect(batch.error[0]).toBe(Errno.again)
})

it('sends batches larger than a call', () => {
  const [a, b] = [openSocket(5), openSocket(6)]
  const batch = batchOf(Array.from({ length: 600 }, (_, index) => (index % 3 === 0 ? a : b)))
  expect(sender.send(batch)).toBe(600)
  expect(calls).toEqual([
    '5: 86 → 86',
    '6: 170 → 170',
    '6: 171 → 171',
    '5: 85 → 85',
    '6: 59 → 59',
    '5: 29 → 29',
  ])
})

function openSocket(fd: number): number {
  return sockets.idAt(sockets.add({ fd, family: 2, localPort: 5060 }))
}

function batchOf(ids: readonly number[]): DatagramBatch {
  const arena = { bytes: new Uint8Array(ids.length * 64), offset: 0, slotSize: 64 }
  const batch = new DatagramBatch(ids.length, arena)
  for (const id of ids) batch.append(id, endpointWords('192.0.2.1:5060'), 0, new Uint8Array(10))
  expect(batch.peer.length).toBe(ids.length * ENDPOINT_WORDS)
  return batch
}
