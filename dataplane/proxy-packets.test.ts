import { expect, it } from 'vitest'
import { ProxyPackets } from './proxy-packets.ts'

function count(buffer: SharedArrayBuffer | undefined, ...packets: readonly number[]): void {
  const array = new Float64Array(buffer!)
  packets.forEach((number, index) => {
    array[index]! += number
  })
}

const totals = (packets: ProxyPackets) =>
  Object.fromEntries([...packets.totals()].map(([id, counts]) => [id, Object.fromEntries(counts)]))

it('sums over workers', () => {
  const packets = new ProxyPackets(2)
  const buffers = packets.begin('p', ['a', 'b'], 1)
  count(buffers[0], 1, 2)
  count(buffers[1], 10, 20)
  expect(totals(packets)).toEqual({ p: { a: 11, b: 22 } })
})

it('goes on counting over tables that number the members anew, also while workers still use the old one', () => {
  const packets = new ProxyPackets(2)
  const old = packets.begin('p', ['a', 'b'], 1)
  count(old[0], 1, 2)
  const now = packets.begin('p', ['b', 'a'], 2)
  count(old[1], 10, 20)
  count(now[0], 100, 1000)
  expect(totals(packets)).toEqual({ p: { a: 1011, b: 122 } })
  packets.acknowledge(0, 2)
  packets.acknowledge(1, 1)
  count(old[1], 5, 5)
  expect(totals(packets)).toEqual({ p: { a: 1016, b: 127 } })
  packets.acknowledge(1, 2)
  expect(totals(packets)).toEqual({ p: { a: 1016, b: 127 } })
})

it('forgets proxies that left, and counts them from nothing if they return', () => {
  const packets = new ProxyPackets(1)
  count(packets.begin('p', ['a', 'b'], 1)[0], 1, 2)
  packets.begin('p', ['a'], 2)
  packets.acknowledge(0, 2)
  expect(totals(packets)).toEqual({ p: { a: 1 } })
  packets.begin('p', ['a', 'b'], 3)
  expect(totals(packets)).toEqual({ p: { a: 1, b: 0 } })
})

it('forgets SipProxies that are served no more', () => {
  const packets = new ProxyPackets(1)
  count(packets.begin('p', ['a'], 1)[0], 1)
  packets.end('p', 2)
  packets.acknowledge(0, 2)
  expect(totals(packets)).toEqual({})
  packets.begin('p', ['a'], 3)
  expect(totals(packets)).toEqual({ p: { a: 0 } })
})
