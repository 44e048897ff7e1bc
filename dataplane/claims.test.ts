import type { Table } from '@sipcast/mapping'
import { expect, it } from 'vitest'
import { settleClaims } from './claims.ts'
import { table } from './forward.fixture.ts'

const claims = (tables: Readonly<Record<string, Table>>) =>
  settleClaims(new Map(Object.entries(tables)), null)

const older = table({ addresses: ['203.0.113.1'], objectCreated: '2026-01-01T00:00:00.000Z' })
const younger = table({
  addresses: ['203.0.113.1', '2001:db8::1'],
  objectCreated: '2026-01-02T00:00:00.000Z',
})

it('lets tables without a common address be', () => {
  const other = { ...younger, addresses: ['203.0.113.2'] }
  const { tables, lost } = claims({ b: other, a: older })
  expect(tables.get('a')).toBe(older)
  expect(tables.get('b')).toBe(other)
  expect(lost.size).toBe(0)
})

it('leaves a common address to the older object, and the rest to the younger', () => {
  const { tables, lost } = claims({ b: younger, a: older })
  expect(tables.get('a')).toBe(older)
  expect(tables.get('b')!.addresses).toEqual(['2001:db8::1'])
  expect(tables.get('b')!.sha256).not.toBe(younger.sha256)
  expect(lost.get('b')).toEqual([{ address: '203.0.113.1', port: 5060, to: 'a' }])
})

it('leaves a common address to a published table, if the older one is not published any more', () => {
  const tables = new Map([
    ['a', older],
    ['b', younger],
  ])
  const settled = settleClaims(tables, new Set(['b']))
  expect([...settled.tables]).toEqual([['b', younger]])
  expect(settled.lost.get('a')).toEqual([{ address: '203.0.113.1', port: 5060, to: 'b' }])
  for (const listed of [null, new Set<string>(), new Set(['a', 'b'])]) {
    expect(settleClaims(tables, listed).tables.get('a')).toBe(older)
  }
})

it('sees the same address in another spelling', () => {
  const spelt = { ...older, addresses: ['2001:DB8:0::1'] }
  expect(claims({ a: spelt, b: younger }).tables.get('b')!.addresses).toEqual(['203.0.113.1'])
})

it('leaves out a table that lost all its addresses', () => {
  const { tables, lost } = claims({ a: older, b: { ...younger, addresses: ['203.0.113.1'] } })
  expect([...tables.keys()]).toEqual(['a'])
  expect(lost.has('b')).toBe(true)
})

it('lets two SipProxies share an address on different ports', () => {
  expect(claims({ a: older, b: { ...younger, port: 5080 } }).lost.size).toBe(0)
})

it('decides between objects of the same age by their names, whatever the order', () => {
  const twin = { ...older }
  expect([...claims({ b: twin, a: older }).lost.keys()]).toEqual(['b'])
  expect([...claims({ a: older, b: twin }).lost.keys()]).toEqual(['b'])
})
