import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Due, DueQueue } from './due-queue.ts'

interface Item extends Due {
  readonly name: number
}

it('gives back in order of due time what is in it, through sets, moves and deletes', () => {
  const change = fc.record({
    name: fc.nat(20),
    dueMs: fc.option(fc.nat(50), { nil: null, freq: 3 }),
  })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const queue = new DueQueue<Item>()
      const items = Array.from({ length: 21 }, (_, name) => ({ name, dueMs: 0, place: -1 }))
      const twin = new Map<number, number>()
      for (const { name, dueMs } of changes) {
        if (dueMs === null) {
          queue.delete(items[name]!)
          twin.delete(name)
        } else {
          queue.set(items[name]!, dueMs)
          twin.set(name, dueMs)
        }
        expect(queue.size).toBe(twin.size)
        expect(queue.first()?.dueMs).toBe(twin.size === 0 ? undefined : Math.min(...twin.values()))
      }
      const drained: Item[] = []
      for (let item = queue.first(); item !== undefined; item = queue.first()) {
        drained.push(item)
        queue.delete(item)
      }
      expect(drained.map(({ dueMs }) => dueMs)).toEqual([...twin.values()].sort((a, b) => a - b))
      expect(drained.map(({ name }) => name).sort((a, b) => a - b)).toEqual(
        [...twin.keys()].sort((a, b) => a - b),
      )
    }),
    { numRuns: 300 },
  )
})
