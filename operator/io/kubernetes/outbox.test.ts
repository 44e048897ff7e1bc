import { ApiError, ApiErrorCode } from '@sipcast/kube'
import { expect, test } from 'vitest'
import type { Notice } from '../../ports.ts'
import { MemoryClock, memoryRandom } from '../memory-clock.ts'
import { Outbox } from './outbox.ts'
import { WriteRank, WriteRate } from './write-rate.ts'

function opened(mayWrite = () => true) {
  const clock = new MemoryClock()
  const notices: Notice[] = []
  const failures: string[] = []
  const written: string[] = []
  const outbox = new Outbox({
    clock,
    random: memoryRandom(),
    tell: (notice) => notices.push(notice),
    rate: new WriteRate(clock),
    mayWrite,
    onFailure: ({ code }) => failures.push(code),
  })
  /** @param fail the error of its writes, as long as it gives one */
  const put = (id: string, text = id, fail: () => ApiErrorCode | null = () => null) =>
    outbox.put({
      id,
      rank: WriteRank.status,
      name: `status of ${id}`,
      key: id,
      write: async () => {
        await new Promise((resolve) => clock.after(5, () => resolve(undefined)))
        const code = fail()
        if (code !== null) throw new ApiError(`${id}: ${code}`, { code })
        written.push(text)
      },
    })
  const events = () => notices.map(({ event }) => event)
  return { clock, outbox, put, written, failures, notices, events }
}

test('of several letters about one thing only the first, under way already, and the last are written', async () => {
  const { clock, put, written } = opened()
  put('a', 'one')
  await clock.advance(1)
  put('a', 'two')
  put('a', 'three')
  await clock.advance(20)
  expect(written).toEqual(['one', 'three'])
})

test('what fails is tried again, and told once when it begins and when it ends', async () => {
  const { clock, put, written, failures, events } = opened()
  let isDown = true
  const fail = () => (isDown ? ApiErrorCode.unavailable : null)
  put('a', 'a', fail)
  put('b', 'b', fail)
  await clock.advance(60_000)
  expect(events()).toEqual(['StoreFailed'])
  expect(failures.length).toBeGreaterThan(10)
  isDown = false
  await clock.advance(10_000)
  expect(written.toSorted()).toEqual(['a', 'b'])
  expect(events()).toEqual(['StoreFailed', 'StoreRecovered'])
})

test('what waits for its retry is tried at once when asked, in its latest words', async () => {
  const { clock, outbox, put, written } = opened()
  let isDown = true
  put('a', 'old', () => (isDown ? ApiErrorCode.unavailable : null))
  await clock.advance(60_000)
  isDown = false
  put('a', 'new')
  outbox.retryNow()
  await clock.advance(5)
  expect(written).toEqual(['new'])
})

test('what is gone ends it without a word', async () => {
  const { clock, put, written, failures, notices } = opened()
  put('a', 'a', () => ApiErrorCode.notFound)
  await clock.advance(60_000)
  expect({ written, failures, notices }).toEqual({ written: [], failures: [], notices: [] })
})

test('what only one thing suffers from is told of that thing', async () => {
  const { clock, put, notices, written } = opened()
  put('a', 'a', () => ApiErrorCode.invalid)
  put('b')
  await clock.advance(30_000)
  expect(written).toEqual(['b'])
  expect(notices).toEqual([
    {
      level: 'error',
      event: 'StoreFailed',
      key: 'a',
      message: 'status of a cannot be written: a: invalid',
    },
  ])
})

test('a conflict is asked again, quietly, unless another object has the name now', async () => {
  const { clock, put, written, events } = opened()
  const conflicts: ApiErrorCode[] = [ApiErrorCode.conflict]
  put('a', 'a', () => conflicts.pop() ?? null)
  put('Precondition failed: UID in precondition', 'b', () => ApiErrorCode.conflict)
  await clock.advance(10_000)
  expect(written).toEqual(['a'])
  expect(events()).toEqual([])
  // It does not wait for anything any more.
  put('Precondition failed: UID in precondition', 'c')
  await clock.advance(10)
  expect(written).toEqual(['a', 'c'])
})

test('nothing is written by whoever may not lead any more', async () => {
  let isLeader = false
  const { clock, put, written } = opened(() => isLeader)
  put('a')
  await clock.advance(60_000)
  expect(written).toEqual([])
  isLeader = true
  await clock.advance(10_000)
  expect(written).toEqual(['a'])
})

test('stopping waits for what is under way, and for nothing else', async () => {
  const { clock, outbox, put, written } = opened()
  for (let n = 0; n < 20; n++) put(`${n}`)
  await clock.advance(0)
  const stopped = outbox.stop()
  await clock.advance(5)
  await stopped
  await clock.advance(60_000)
  expect(written).toHaveLength(8)
})

test('writes are held to a rate, and tables never wait for status', async () => {
  const clock = new MemoryClock()
  const rate = new WriteRate(clock, 10, 2)
  const got: string[] = []
  const want = (name: string, rank: WriteRank) => void rate.token(rank).then(() => got.push(name))
  for (const name of ['s1', 's2', 's3', 's4']) want(name, WriteRank.status)
  want('table', WriteRank.table)
  await clock.advance(0)
  expect(got).toEqual(['s1', 's2'])
  await clock.advance(100)
  expect(got).toEqual(['s1', 's2', 'table'])
  await clock.advance(200)
  expect(got).toEqual(['s1', 's2', 'table', 's3', 's4'])
  await clock.advance(10_000)
  for (let n = 0; n < 5; n++) want(`t${n}`, WriteRank.table)
  await clock.advance(0)
  expect(got.slice(5)).toEqual(['t0', 't1'])
})
