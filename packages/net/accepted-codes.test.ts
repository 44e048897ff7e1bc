import { expect, it } from 'vitest'
import { acceptedCodes } from './accepted-codes.ts'

it.each([
  [['2xx'], [200, 202, 299], [199, 300]],
  [
    ['404', '483'],
    [404, 483],
    [400, 403, 405, 482],
  ],
  [
    ['2xx', '6xx'],
    [200, 600, 699],
    [500, 700],
  ],
  [[], [], [200, 404]],
  [['xx', '20x', '7xx', '0xx', '2XX', ' 2xx', '4040', ''], [], [0, 20, 200, 404, 700]],
])('%j accepts %j and not %j', (patterns, accepted, others) => {
  const codes = acceptedCodes(patterns)
  expect(accepted.filter((code) => !codes.has(code))).toEqual([])
  expect(others.filter((code) => codes.has(code))).toEqual([])
})
