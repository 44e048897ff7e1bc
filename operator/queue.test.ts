import { expect, test } from 'vitest'
import { MemoryClock, memoryRandom } from './io/memory-clock.ts'
import { type PassEnd, Queue } from './queue.ts'

const DONE: PassEnd = { failed: false, againMs: null }

function makeQueue(run: (key: string) => PassEnd | Promise<PassEnd>) {
  const clock = new MemoryClock()
  const passes: string[] = []
  const queue = new Queue({
    clock,
    random: memoryRandom(),
    run: async (key) => {
      passes.push(`${key}@${clock.monotonicMs() - startMs}`)
      return await run(key)
    },
  })
  const startMs = clock.monotonicMs()
  return { clock, queue, passes }
}

test('marks coalesce into one pass', async () => {
  const { clock, queue, passes } = makeQueue(() => DONE)
  queue.mark('a')
  queue.mark('a')
  queue.mark('b')
  await clock.advance(0)
  expect(passes).toEqual(['a@0', 'b@0'])
})

test('a mark during the pass runs it again, once', async () => {
  const { clock, queue, passes } = makeQueue(() => {
    if (passes.length === 1) {
      queue.mark('a')
      queue.mark('a')
    }
    return DONE
  })
  queue.mark('a')
  await clock.advance(0)
  expect(passes).toEqual(['a@0', 'a@0'])
})

test('a pass comes back when it said, or earlier when marked', async () => {
  const { clock, queue, passes } = makeQueue(() => ({ failed: false, againMs: 1_000 }))
  queue.mark('a')
  await clock.advance(400)
  queue.mark('a')
  await clock.advance(1_200)
  expect(passes).toEqual(['a@0', 'a@400', 'a@1400'])
})

test('a failed pass is tried again, later each time, until it succeeds', async () => {
  const { clock, queue, passes } = makeQueue(() => ({ failed: passes.length < 4, againMs: null }))
  queue.mark('a')
  await clock.advance(60_000)
  expect(passes).toEqual(['a@0', 'a@75', 'a@225', 'a@525'])
})

test('who is patient lets everybody else go first, and has one pass all the same', async () => {
  const { clock, queue, passes } = makeQueue(async () => {
    await new Promise((resolve) => clock.after(10, () => resolve(undefined)))
    return DONE
  })
  const crowd = Array.from({ length: 20 }, (_, n) => `p${n}`)
  for (const key of crowd) queue.markPatient(key)
  queue.mark('p19')
  queue.mark('urgent')
  await clock.advance(100)
  expect(passes.slice(8, 10)).toEqual(['p19@10', 'urgent@10'])
  expect(new Set(passes.map((pass) => pass.split('@')[0]))).toEqual(new Set([...crowd, 'urgent']))
  expect(passes).toHaveLength(crowd.length + 1)
})

test('stopping waits for the pass under way and starts no other', async () => {
  let finish = (_end: PassEnd): void => {}
  const { clock, queue, passes } = makeQueue(
    () =>
      new Promise((resolve) => {
        finish = resolve
      }),
  )
  queue.mark('a')
  await clock.advance(0)
  queue.mark('b')
  const stopped = queue.stop()
  finish(DONE)
  await stopped
  await clock.advance(1_000)
  expect(passes).toEqual(['a@0'])
})
