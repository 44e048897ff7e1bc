import { expect, it } from 'vitest'
import { Standstill } from './standstill.ts'

it('tells for how long a count has stood still, as far as somebody looked', () => {
  const still = new Standstill(400)
  expect(still.look(0, 0)).toBe(Infinity)
  expect(still.look(3, 100)).toBe(0)
  expect(still.look(3, 300)).toBe(200)
  expect(still.look(3, 500)).toBe(400)
  expect(still.look(4, 600)).toBe(0)
  expect(still.look(4, 60_000)).toBe(400)
})
