import { ManualClock } from '@sipcast/net'
import { beforeEach, expect, it } from 'vitest'
import { LastGood } from './last-good.ts'
import { UNSAVED_MAX, WRITE_RETRY_MS } from './limits.ts'
import { StoreError, StoreErrorCode } from './ports.ts'

let time: ManualClock
let disk: Map<string, string>
let isFull: boolean
let lastGood: LastGood

beforeEach(() => {
  time = new ManualClock()
  disk = new Map()
  isFull = false
  const write = (change: () => void) => {
    if (isFull) throw new StoreError(StoreErrorCode.full, 'no space')
    change()
  }
  lastGood = new LastGood(
    {
      list: async () => [],
      read: async () => undefined,
      save: async (id, text) => write(() => disk.set(id, text)),
      remove: async (id) => write(() => disk.delete(id)),
    },
    { monotonicMs: () => time.nowMs(), iso: () => '', after: () => () => undefined },
  )
})

it('writes only the newest text of each SipProxy', async () => {
  lastGood.keep('a', 'one')
  lastGood.keep('a', 'two')
  lastGood.keep('b', 'three')
  lastGood.forget('b')
  expect(await lastGood.save()).toBe(true)
  expect([...disk]).toEqual([['a', 'two']])
})

it('tries again after WRITE_RETRY_MS, not before, and then writes everything', async () => {
  isFull = true
  lastGood.keep('a', 'one')
  await expect(lastGood.save()).rejects.toThrow('no space')
  isFull = false
  lastGood.keep('b', 'two')
  expect(await lastGood.save()).toBe(false)
  time.advance(WRITE_RETRY_MS)
  expect(await lastGood.save()).toBe(true)
  expect([...disk.keys()]).toEqual(['a', 'b'])
})

it('holds no more than UNSAVED_MAX texts for a disk that stays full', async () => {
  for (let index = 0; index < UNSAVED_MAX + 3; index++) lastGood.keep(`p${index}`, '')
  await lastGood.save()
  expect(disk.size).toBe(UNSAVED_MAX)
  expect(disk.has('p2')).toBe(false)
  expect(disk.has('p3')).toBe(true)
})
