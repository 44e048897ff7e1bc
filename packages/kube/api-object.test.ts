import { expect, it, test } from 'vitest'
import { idOf, isOlder } from './api-object.ts'

test.each([
  ['9', '10', true],
  ['10', '9', false],
  ['10', '10', false],
  ['99999999999999999998', '99999999999999999999', true],
  ['0', '1', true],
])('version %s is older than %s: %s', (a, b, expected) => {
  expect(isOlder(a, b)).toBe(expected)
})

test.each([
  ['abc', '1'],
  ['1', 'abc'],
  ['01', '2'],
  ['', '1'],
  [undefined, '1'],
  ['1', undefined],
])('versions %s and %s are not compared', (a, b) => {
  expect(isOlder(a, b)).toBeNull()
})

it('names an object by its namespace, where it has one', () => {
  expect(idOf({ metadata: { name: 'a', namespace: 'n' } })).toBe('n/a')
  expect(idOf({ metadata: { name: 'a' } })).toBe('a')
})
