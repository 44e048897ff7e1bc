import { expect, it } from 'vitest'
import { ManualClock } from './clock.ts'

it('fires timers in order of their time, each at its time, those of one time in the order of their making', () => {
  const clock = new ManualClock(100)
  const fired: string[] = []
  const note = (name: string) => () => fired.push(`${name} ${clock.nowMs()}`)
  clock.setTimer(5.5, note('c'))
  clock.setTimer(2, note('a'))
  const stop = clock.setTimer(3, note('never'))
  clock.setTimer(2, note('b'))
  stop()
  clock.setTimer(4, () => clock.setTimer(1, note('nested')))
  expect(clock.nextTimerMs()).toBe(102)
  clock.advance(5)
  expect(fired).toEqual(['a 102', 'b 102', 'nested 105'])
  expect(clock.nowMs()).toBe(105)
  clock.advance(10)
  expect(fired.at(-1)).toBe('c 105.5')
  expect(clock.nextTimerMs()).toBe(undefined)
  expect(clock.nowMs()).toBe(115)
})
