import { setTimeout as sleep } from 'node:timers/promises'
import { ManualClock, openUdpPort } from '@sipcast/net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { STOP_MS, WORKER_CHECK_MS, WORKER_HUNG_MS, WORKER_RESTART_MIN_MS } from '../limits.ts'
import type { Notice } from '../ports.ts'
import type { WorkerConfig } from '../worker-config.ts'
import { PacketThreads } from './packet-threads.ts'

let time: ManualClock
/** A leap of the clock that no timer saw: the process was frozen. */
let jumpMs: number
let notices: Notice[]
let acknowledged: [worker: number, generation: number][]
let refusals: string[]
let threads: PacketThreads

beforeEach(() => {
  time = new ManualClock()
  jumpMs = 0
  notices = []
  acknowledged = []
  refusals = []
  threads = new PacketThreads({
    count: 2,
    clock: {
      monotonicMs: () => time.nowMs() + jumpMs,
      iso: () => '',
      after: (delayMs, callback) => time.setTimer(delayMs, callback),
    },
    tell: (notice) => notices.push(notice),
    entry: new URL('./packet-thread.fixture.ts', import.meta.url),
  })
  threads.start({
    sockets: (worker, generation) => acknowledged.push([worker, generation]),
    refused: (address, port) => refusals.push(`${address}:${port}`),
    changed: () => undefined,
  })
})

afterEach(async () => {
  const stopped = threads.stop()
  // One that hangs is cut off.
  time.advance(STOP_MS)
  await stopped
})

function config(generation: number, addresses: readonly string[] | null = null): WorkerConfig {
  return { generation, addresses, pools: [], keys: [], inside: [] }
}

/** Real time for threads, in which the clock under test moves only if told to. */
async function until(condition: () => boolean, stepMs = 0): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries++) {
    time.advance(stepMs)
    await sleep(5)
  }
  expect(condition()).toBe(true)
}

const events = () => notices.map((notice) => notice.event)

describe('packet threads', () => {
  it('take their configs, acknowledge them, pass on refusals, and run', async () => {
    threads.configure(0, config(1))
    threads.configure(1, config(1))
    await until(() => acknowledged.length === 2)
    expect(acknowledged).toEqual(
      expect.arrayContaining([
        [0, 1],
        [1, 1],
      ]),
    )
    expect(refusals).toContain('10.0.0.1:5060')
    expect([threads.isRunning(0), threads.isRunning(1)]).toEqual([true, true])
    expect(threads.counters[0]!.turns).toBeGreaterThan(0)
  })

  it('that crash are started again with the newest config, later each time, and count on', async () => {
    threads.configure(0, config(1))
    await until(() => acknowledged.length === 1)
    const turns = threads.counters[0]!.turns
    threads.configure(0, config(2, ['crash']))
    await until(() => events().includes('WorkerEnded'))
    expect(events()).toEqual(['WorkerFailed', 'WorkerEnded'])
    expect(threads.isRunning(0)).toBe(false)
    time.advance(WORKER_RESTART_MIN_MS)
    await until(() => notices.length === 4)
    expect(notices[3]!.message).toContain(`${2 * WORKER_RESTART_MIN_MS} ms`)
    threads.configure(0, config(3))
    time.advance(2 * WORKER_RESTART_MIN_MS)
    await until(() => acknowledged.some(([, generation]) => generation === 3))
    expect(threads.restarts).toBe(2)
    expect(threads.counters[0]!.turns).toBeGreaterThan(turns)
    expect(threads.isRunning(0)).toBe(true)
  })

  it('that hang are cut off and started again; the others work on', async () => {
    threads.configure(0, config(1, ['hang']))
    threads.configure(1, config(1))
    await until(() => acknowledged.length === 2)
    threads.configure(0, config(2))
    await until(() => events().includes('WorkerEnded'), WORKER_CHECK_MS)
    expect(events()).toEqual(['WorkerHung', 'WorkerEnded'])
    expect(time.nowMs()).toBeGreaterThan(WORKER_HUNG_MS)
    await until(() => threads.isRunning(0), WORKER_RESTART_MIN_MS)
    expect(acknowledged).toContainEqual([0, 2])
  })

  it.each(['crash', 'hang'])('that %s leave no socket behind', async (deed) => {
    const port = openUdpPort({ skin: 'ffi', blocking: true })
    const first = port.open({ address: '127.0.0.1', port: 0 })
    const number = port.localPort(first)
    const reopen = () => port.open({ address: '127.0.0.1', port: number })
    port.close(first)
    threads.configure(0, config(1, [deed, String(number)]))
    if (deed === 'hang') await until(() => acknowledged.length === 1)
    if (deed === 'hang') expect(reopen).toThrow('EADDRINUSE')
    threads.configure(0, config(2))
    await until(() => events().includes('WorkerEnded'), WORKER_CHECK_MS)
    expect(reopen).not.toThrow()
    port.shutdown()
  })

  it('are not blamed when the whole process stood still', async () => {
    threads.configure(0, config(1, ['hang']))
    await until(() => acknowledged.length === 1)
    jumpMs = 10 * WORKER_HUNG_MS
    time.advance(WORKER_CHECK_MS)
    expect(events()).toEqual([])
    expect(threads.isRunning(0)).toBe(true)
    await until(() => events().includes('WorkerHung'), WORKER_CHECK_MS)
  })

  it('that still load when they are stopped are not cut off', async () => {
    const stopped = threads.stop()
    time.advance(STOP_MS)
    await stopped
    expect(threads.counters.map(({ turns }) => turns)).toEqual([1, 1])
  })

  it('stop in order, and are not started again', async () => {
    threads.configure(0, config(1))
    await until(() => acknowledged.length === 1)
    await threads.stop()
    expect([threads.isRunning(0), threads.isRunning(1)]).toEqual([false, false])
    expect(events()).toEqual([])
  })
})
