import type { SipBalancerStatus } from '@sipcast/crds'
import { expect, test } from 'vitest'
import { Balancers } from './balancers.ts'
import { isoTime } from './iso-time.ts'

const MINUTE_MS = 60_000
const NOW_MS = Date.UTC(2026, 10, 23, 9)

function reportAt(heartbeatMs: number) {
  const status: SipBalancerStatus = {
    heartbeatAt: isoTime(heartbeatMs),
    version: '0',
    sipProxies: [],
    acceptedKeyIds: [1],
  }
  return { name: 'node-a', status }
}

/** Whether it counts. */
const isFresh = (balancers: Balancers) => balancers.acceptedKeyIds().length === 1

test('a heartbeat counts for 90 s after it was heard', () => {
  const balancers = new Balancers()
  balancers.update('node-a', reportAt(NOW_MS), NOW_MS)
  balancers.age(NOW_MS + 89_000)
  expect(isFresh(balancers)).toBe(true)
  balancers.age(NOW_MS + 91_000)
  expect(isFresh(balancers)).toBe(false)
})

test('what is found at the start may be long past', () => {
  const balancers = new Balancers()
  balancers.update('node-a', reportAt(NOW_MS - 5 * MINUTE_MS), NOW_MS)
  expect(isFresh(balancers)).toBe(false)
})

test.each([-10, 10])('a node whose clock is %i minutes off counts while it is heard', (minutes) => {
  const balancers = new Balancers()
  const theirs = (ms: number) => reportAt(ms + minutes * MINUTE_MS)
  balancers.update('node-a', theirs(NOW_MS), NOW_MS)
  balancers.update('node-a', theirs(NOW_MS + 30_000), NOW_MS + 30_000)
  expect(isFresh(balancers)).toBe(true)
  // The same heartbeat again, by a list, is no sign of life.
  balancers.update('node-a', theirs(NOW_MS + 30_000), NOW_MS + 100_000)
  balancers.age(NOW_MS + 121_000)
  expect(isFresh(balancers)).toBe(false)
})
