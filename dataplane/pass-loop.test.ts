import { ManualClock } from '@sipcast/net'
import { expect, it } from 'vitest'
import { GATHER_MS, RESCAN_MS } from './limits.ts'
import { PassLoop } from './pass-loop.ts'

function loopOver(pass: (clock: ManualClock) => Promise<void>) {
  const manual = new ManualClock()
  const clock = {
    monotonicMs: () => manual.nowMs(),
    iso: () => '',
    after: (delayMs: number, callback: () => void) => manual.setTimer(delayMs, callback),
  }
  const startsMs: number[] = []
  const loop = new PassLoop(clock, () => {
    startsMs.push(manual.nowMs())
    return pass(manual)
  })
  const advance = async (ms: number): Promise<void> => {
    manual.advance(ms)
    await new Promise(setImmediate)
  }
  return { loop, startsMs, advance }
}

it('begins at once, then looks every RESCAN_MS', async () => {
  const { loop, startsMs, advance } = loopOver(async () => undefined)
  loop.start()
  for (const ms of [0, RESCAN_MS, RESCAN_MS]) await advance(ms)
  expect(startsMs).toEqual([0, RESCAN_MS, 2 * RESCAN_MS])
})

it('begins with the start, whatever was told before it, and never after the stop', async () => {
  const { loop, startsMs, advance } = loopOver(async () => undefined)
  loop.mark()
  await advance(RESCAN_MS)
  expect(startsMs).toEqual([])
  loop.start()
  await advance(0)
  expect(startsMs).toEqual([RESCAN_MS])
  await loop.stop()
  loop.start()
  await advance(RESCAN_MS)
  expect(startsMs).toHaveLength(1)
})

it('answers many marks with one pass', async () => {
  const { loop, startsMs, advance } = loopOver(async () => undefined)
  loop.start()
  await advance(0)
  for (let mark = 0; mark < 100; mark++) loop.mark()
  await advance(GATHER_MS)
  expect(startsMs).toEqual([0, GATHER_MS])
})

it('waits for no more marks where there is hurry', async () => {
  let isFirst = true
  const { loop, startsMs, advance } = loopOver(async () => {
    // During a pass.
    if (isFirst) loop.hurry()
    isFirst = false
  })
  loop.start()
  await advance(0)
  await advance(0)
  loop.mark()
  await advance(1)
  loop.hurry()
  loop.mark()
  await advance(0)
  await advance(GATHER_MS)
  expect(startsMs).toEqual([0, 0, 1])
})

it('never runs two passes at once, and runs another for a mark during one', async () => {
  let end: () => void = () => undefined
  const { loop, startsMs, advance } = loopOver(() => new Promise((resolve) => (end = resolve)))
  loop.start()
  await advance(0)
  loop.mark()
  await advance(10 * RESCAN_MS)
  expect(startsMs).toHaveLength(1)
  end()
  await advance(0)
  await advance(GATHER_MS)
  expect(startsMs).toHaveLength(2)
})

it('stops after the pass under way', async () => {
  let end: () => void = () => undefined
  const { loop, startsMs, advance } = loopOver(() => new Promise((resolve) => (end = resolve)))
  loop.start()
  await advance(0)
  let isStopped = false
  const stopped = loop.stop().then(() => (isStopped = true))
  await advance(0)
  expect(isStopped).toBe(false)
  end()
  await stopped
  loop.mark()
  await advance(10 * RESCAN_MS)
  expect(startsMs).toHaveLength(1)
})
