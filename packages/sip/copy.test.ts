import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyBytes } from './copy.ts'

const LENGTH_MAX = 100

test('copies the range and not a byte more, whatever its length and place', () => {
  const places = fc.tuple(
    fc.nat(LENGTH_MAX),
    fc.nat(20),
    fc.nat(20),
    fc.uint8Array({ minLength: 120, maxLength: 120 }),
  )
  fc.assert(
    fc.property(places, ([length, start, at, source]) => {
      const target = new Uint8Array(140).fill(0xee)
      const expected = target.slice()
      expected.set(source.subarray(start, start + length), at)
      copyBytes(
        new DataView(source.slice().buffer),
        start,
        start + length,
        new DataView(target.buffer),
        at,
      )
      expect(target).toEqual(expected)
    }),
  )
})

test('copies inside one array', () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, index) => index)
  const view = new DataView(bytes.buffer)
  copyBytes(view, 3, 22, view, 40)
  expect(bytes.subarray(40, 59)).toEqual(bytes.subarray(3, 22))
  expect(bytes[59]).toBe(59)
})
