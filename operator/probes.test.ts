import type { ProbeTarget } from '@sipcast/net'
import { beforeEach, expect, test } from 'vitest'
import { MemoryClock } from './io/memory-clock.ts'
import { PROBE_NOW_MAX } from './limits.ts'
import type { Notice } from './ports.ts'
import { Probes } from './probes.ts'
import type { Candidate } from './snapshot.ts'

/** A prober with room for so many; it only notes what it is told. */
class Notebook {
  room = 100_000
  readonly targets = new Map<string, ProbeTarget>()
  readonly told: string[] = []

  setTarget(target: ProbeTarget): boolean {
    this.told.push(`set ${target.id}`)
    if (!this.targets.has(target.id) && this.targets.size >= this.room) return false
    this.targets.set(target.id, target)
    return true
  }

  dropTarget(id: string): void {
    this.told.push(`drop ${id}`)
    this.targets.delete(id)
  }

  probeNow(id: string): void {
    this.told.push(`now ${id}`)
  }
}

const PROBE = {
  intervalMs: 1000,
  timeoutMs: 800,
  fall: 2,
  rise: 3,
  acceptedCodes: ['2xx'],
  requestUri: null,
  from: null,
}

let clock: MemoryClock
let prober: Notebook
let notices: Notice[]
let probes: Probes

beforeEach(() => {
  clock = new MemoryClock()
  prober = new Notebook()
  notices = []
  probes = new Probes({
    prober,
    clock,
    tell: (notice) => notices.push(notice),
    onNews: () => undefined,
    onResult: () => undefined,
  })
})

async function set(key: string, ids: readonly string[], probe = PROBE): Promise<void> {
  const candidates = ids.map((id) => ({ id, address: '192.0.2.1', port: 5060 }) as Candidate)
  probes.setPool(key, candidates, probe, () => ({ state: null, sinceMs: 0 }))
  await clock.advance(1)
}

async function toldBy(change: () => Promise<void>): Promise<readonly string[]> {
  prober.told.length = 0
  await change()
  return prober.told
}

test('the prober is told of what changed, however many others there are', async () => {
  for (let pool = 0; pool < 100; pool++) await set(`default/pool-${pool}`, ['a', 'b'])
  expect(prober.targets.size).toBe(200)
  expect(await toldBy(() => set('default/pool-7', ['a', 'b']))).toEqual([])
  expect(await toldBy(() => set('default/pool-7', ['b', 'c']))).toEqual([
    'set default/pool-7 c',
    'drop default/pool-7 a',
    'now default/pool-7 c',
  ])
  const slower = { ...PROBE, intervalMs: 2000 }
  expect(await toldBy(() => set('default/pool-7', ['b'], slower))).toEqual([
    'set default/pool-7 b',
    'drop default/pool-7 c',
  ])
  expect(await toldBy(async () => probes.deletePool('default/pool-7'))).toEqual([
    'drop default/pool-7 b',
  ])
})

test('a crowd of new proxies is not asked all at once', async () => {
  const ids = Array.from({ length: PROBE_NOW_MAX + 10 }, (_, index) => `proxy-${index}`)
  const told = await toldBy(() => set('default/large', ids))
  expect(told.filter((text) => text.startsWith('now')).length).toBe(PROBE_NOW_MAX)
})

test('whom the prober has no room for is told once, and probed when another has gone', async () => {
  prober.room = 2
  await set('default/a', ['one', 'two'])
  await set('default/b', ['three'])
  await set('default/b', ['three', 'four'])
  await set('default/b', ['three'])
  expect(notices.map(({ event, message }) => `${event}: ${message}`)).toEqual([
    'TargetsRefused: 1 proxies cannot be probed, the first is default/b three: too many targets',
    'TargetsRefused: 2 proxies cannot be probed, the first is default/b three: too many targets',
    'TargetsRefused: 1 proxies cannot be probed, the first is default/b three: too many targets',
  ])
  await set('default/a', ['one'])
  expect([...prober.targets.keys()]).toEqual(['default/a one', 'default/b three'])
})
