import { expect, test } from 'vitest'
import { isRefusal, takeReply } from './reply.ts'

const STATUS = '1011-Router ID is 192.0.2.1\n Hostname is node-a\n0013 Daemon is up\n'

test('codes and the mark of continuation go, the indentation stays', () => {
  expect(takeReply('1002-a\n1006-  b\n     c\n \n0000 \n')?.reply).toEqual({
    code: 0,
    lines: ['a', '  b', '    c', '', ''],
  })
})

test.each(Array.from(STATUS.slice(0, -1), (_, length) => length))(
  'cut off after %i bytes: no reply yet',
  (length) => {
    expect(takeReply(STATUS.slice(0, length))).toBeNull()
  },
)

test('what comes after it is left', () => {
  const taken = takeReply(`0001 BIRD ready.\n${STATUS}`)
  expect(taken?.reply.lines).toEqual(['BIRD ready.'])
  expect(taken?.rest).toBe(STATUS)
})

test('four digits within a line are no code', () => {
  expect(takeReply(' 0000 \n2002-1234 x\n')).toBeNull()
})

test.each([
  [3, false],
  [20, false],
  [8002, true],
  [9001, true],
])('%i', (code, refused) => {
  expect(isRefusal({ code, lines: [] })).toBe(refused)
})
