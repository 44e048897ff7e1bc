import type { Table } from '@sipcast/mapping'
import { describe, expect, it } from 'vitest'
import { table } from './forward.fixture.ts'
import { Generations } from './generations.ts'
import { ServedPool } from './served-pool.ts'

const options = { workers: 2, inside: [{ address: '10.0.9.1', port: 5070 }], addresses: null }
const keys = [{ id: 1, secret: new Uint8Array(16) }]
const everybody = () => true
const pool = (change: Partial<Table> = {}) => new ServedPool('default.registrars', table(change))

const epochs = (tables: ReadonlyMap<string, Table>) =>
  [...tables.values()].map(({ epoch }) => epoch)

describe('a generation', () => {
  it('is made of anything, even of nothing, but once', () => {
    const generations = new Generations(options)
    expect(generations.next([], [])).toBe(true)
    expect(generations.next([], [])).toBe(false)
    expect(generations.current).toBe(1)
  })

  it('follows when a table, its addresses, a key or a secret changes', () => {
    const generations = new Generations(options)
    const one = pool()
    const changes = [
      () => generations.next([one], keys),
      () => generations.next([pool({ epoch: 2 })], keys),
      () => generations.next([pool({ epoch: 2, addresses: ['203.0.113.10'] })], keys),
      () => generations.next([], keys),
      () => generations.next([], [...keys, { id: 2, secret: new Uint8Array(16) }]),
      () => generations.next([], [{ id: 1, secret: new Uint8Array(16).fill(1) }]),
    ]
    expect(changes.map((change) => change())).toEqual(changes.map(() => true))
  })

  it('gives all workers the same dead marks, and each its own packet counters', () => {
    const generations = new Generations(options)
    const one = pool()
    generations.next([one], keys)
    const [a, b] = [generations.configOf(0), generations.configOf(1)]
    expect(a).toMatchObject({ generation: 1, keys, inside: options.inside, addresses: null })
    expect(a.pools[0]!.dead).toBe(one.dead)
    expect(b.pools[0]!.dead).toBe(one.dead)
    expect(a.pools[0]!.packets).not.toBe(b.pools[0]!.packets)
  })

  it('keeps the shared memory of a pool whose table did not change', () => {
    const generations = new Generations(options)
    const one = pool()
    generations.next([one], keys)
    const before = generations.configOf(0).pools[0]!
    generations.next([one], [])
    expect(generations.configOf(0).pools[0]).toMatchObject(before)
    expect(generations.configOf(0).pools[0]!.packets).toBe(before.packets)
  })
})

describe('a table', () => {
  it('is in use when every worker said so', () => {
    const generations = new Generations(options)
    generations.next([pool()], keys)
    expect(epochs(generations.inUse(everybody))).toEqual([])
    generations.acknowledge(0, 1)
    expect(epochs(generations.inUse(everybody))).toEqual([])
    generations.acknowledge(1, 1)
    expect(epochs(generations.inUse(everybody))).toEqual([1])
  })

  it('stays the one in use until the slowest worker has the next', () => {
    const generations = new Generations(options)
    generations.next([pool()], keys)
    for (const worker of [0, 1]) generations.acknowledge(worker, 1)
    generations.next([pool({ epoch: 2 })], keys)
    generations.next([pool({ epoch: 3 })], keys)
    generations.acknowledge(0, 3)
    expect(epochs(generations.inUse(everybody))).toEqual([1])
    generations.acknowledge(1, 2)
    expect(epochs(generations.inUse(everybody))).toEqual([2])
    generations.acknowledge(1, 3)
    expect(epochs(generations.inUse(everybody))).toEqual([3])
  })

  it('does not wait for a worker that is not running, but is used by nobody if none runs', () => {
    const generations = new Generations(options)
    generations.next([pool()], keys)
    generations.acknowledge(0, 1)
    expect(epochs(generations.inUse((worker) => worker === 0))).toEqual([1])
    expect(epochs(generations.inUse(() => false))).toEqual([])
  })
})
