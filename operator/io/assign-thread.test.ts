import { assign, MemberRole } from '@sipcast/mapping'
import { expect, test } from 'vitest'
import { assignOnThread } from './assign-thread.ts'

const members = ['a', 'b', 'c'].map((id) => ({ id, weight: 1, role: MemberRole.eligible }))

test('another thread comes to the same assignment', async () => {
  const input = { slotCount: 1024, last: null, members, budgetSlots: Number.POSITIVE_INFINITY }
  expect(await assignOnThread(input)).toEqual(assign(input))
})

test('what is wrong with the question is heard here', async () => {
  const input = { slotCount: 0, last: null, members, budgetSlots: 0 }
  await expect(assignOnThread(input)).rejects.toThrow('the slot count is in range')
})
