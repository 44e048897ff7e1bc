import { expect, it } from 'vitest'
import { SOCKETS_MAX, SocketTable } from './socket-table.ts'

it('never takes an old id for the socket that has its slot now', () => {
  const table = new SocketTable()
  const slot = table.add({ fd: 7, family: 2, localPort: 5060 })
  const id = table.idAt(slot)
  expect([table.slotOf(id), table.fdAt(slot), table.familyAt(slot)]).toEqual([slot, 7, 2])
  table.remove(slot)
  expect(table.slotOf(id)).toBe(-1)
  expect(table.add({ fd: 8, family: 10, localPort: 0 })).toBe(slot)
  expect(table.slotOf(id)).toBe(-1)
  for (const stranger of [-1, 0, 1, slot, 2 ** 31 - 1, -(2 ** 31)]) {
    expect(table.slotOf(stranger)).toBe(-1)
  }
})

it('has room for so many and no more', () => {
  const table = new SocketTable()
  for (let index = 0; index < SOCKETS_MAX; index++) {
    expect(table.add({ fd: index, family: 2, localPort: 0 })).toBeGreaterThanOrEqual(0)
  }
  expect(table.add({ fd: 1, family: 2, localPort: 0 })).toBe(-1)
  table.remove(table.slots[500]!)
  expect(table.add({ fd: 1, family: 2, localPort: 0 })).toBe(500)
  expect(new Set(table.slots).size).toBe(SOCKETS_MAX)
})
