import { expect, test } from 'vitest'
import { Claims } from './claims.ts'

const EARLY = '2026-01-01T00:00:00.000Z'
const LATE = '2026-01-02T00:00:00.000Z'

test('of two that want one endpoint the older one gets it, whoever asked first', () => {
  const claims = new Claims()
  claims.set('ns/young', ['203.0.113.1 5060'], [], LATE)
  claims.set('ns/old', ['203.0.113.1 5060'], [], EARLY)
  expect(claims.conflict('ns/young', ['203.0.113.1 5060'])).toEqual({
    endpoint: '203.0.113.1 5060',
    holder: 'ns/old',
  })
  expect(claims.conflict('ns/old', ['203.0.113.1 5060'])).toBeNull()
})

test('names break ties', () => {
  const claims = new Claims()
  claims.set('ns/b', ['203.0.113.1 5060'], [], EARLY)
  claims.set('ns/a', ['203.0.113.1 5060'], [], EARLY)
  expect(claims.conflict('ns/b', ['203.0.113.1 5060'])?.holder).toBe('ns/a')
})

test('one address on two ports is no conflict', () => {
  const claims = new Claims()
  claims.set('ns/a', ['203.0.113.1 5060'], [], EARLY)
  claims.set('ns/b', ['203.0.113.1 5070'], [], EARLY)
  expect(claims.conflict('ns/b', ['203.0.113.1 5070'])).toBeNull()
})

test('an older object cannot take by an edit what a younger one serves', () => {
  const claims = new Claims()
  claims.set('ns/young', ['203.0.113.2 5060'], ['203.0.113.2 5060'], LATE)
  claims.set('ns/old', ['203.0.113.1 5060', '203.0.113.2 5060'], ['203.0.113.1 5060'], EARLY)
  expect(claims.conflict('ns/old', ['203.0.113.1 5060', '203.0.113.2 5060'])?.holder).toBe(
    'ns/young',
  )
})

test('whoever waits for an endpoint is named when it is set free', () => {
  const claims = new Claims()
  claims.set('ns/a', ['203.0.113.1 5060'], ['203.0.113.1 5060'], EARLY)
  expect(claims.set('ns/b', ['203.0.113.1 5060'], [], LATE)).toEqual(['ns/a'])
  expect(claims.set('ns/b', ['203.0.113.1 5060'], [], LATE)).toEqual([])
  expect(claims.delete('ns/a')).toEqual(['ns/b'])
  expect(claims.conflict('ns/b', ['203.0.113.1 5060'])).toBeNull()
})
