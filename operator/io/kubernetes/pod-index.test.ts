import { expect, test } from 'vitest'
import type { Key } from '../../ports.ts'
import { type KeptPod, keptPod } from './pod.ts'
import { PodIndex } from './pod-index.ts'

const VOICE = 'default/voice'
const OTHER = 'default/other'
const ELSEWHERE = 'elsewhere/voice'

function pod(name: string, labels: Record<string, string>, more: Partial<KeptPod> = {}): KeptPod {
  return {
    name,
    uid: `uid of ${name}`,
    labels,
    annotations: {},
    addresses: ['192.0.2.1'],
    hostAddresses: [],
    deleting: false,
    ready: true,
    gate: null,
    gateSince: '',
    ...more,
  }
}

/** An index, and the SipProxies that were told since somebody asked last. */
function indexed() {
  let told: Key[] = []
  const index = new PodIndex((key) => told.push(key))
  const news = () => {
    const sorted = told.toSorted()
    told = []
    return sorted
  }
  return { index, news }
}

const names = (pods: readonly { readonly name: string }[]) =>
  pods.map(({ name }) => name).toSorted()

test('pods are those of the namespace that match, before and after they change', () => {
  const { index } = indexed()
  index.put('default', 'a', pod('a', { app: 'sip' }))
  index.put('elsewhere', 'b', pod('b', { app: 'sip' }))
  const selector = { matchLabels: { app: 'sip' } }
  expect(names(index.select(VOICE, selector))).toEqual(['a'])
  index.put('default', 'c', pod('c', { app: 'sip' }))
  index.put('default', 'a', null)
  expect(names(index.select(VOICE, selector))).toEqual(['c'])
})

test('exactly those are told whose pods it is among, before or after', () => {
  const { index, news } = indexed()
  index.select(VOICE, { matchLabels: { app: 'sip' } })
  index.select(OTHER, { matchExpressions: [{ key: 'tier', operator: 'Exists' }] })
  index.select(ELSEWHERE, { matchLabels: { app: 'sip' } })
  index.put('default', 'a', pod('a', { app: 'sip' }))
  expect(news()).toEqual([VOICE])
  index.put('default', 'a', pod('a', { app: 'web', tier: 'x' }))
  expect(news()).toEqual([OTHER, VOICE])
  index.put('default', 'a', pod('a', { app: 'web', tier: 'y' }))
  expect(news()).toEqual([OTHER])
  index.put('default', 'a', pod('a', { app: 'web' }))
  expect(news()).toEqual([OTHER])
  index.put('default', 'a', null)
  expect(news()).toEqual([])
})

test('a change of nothing that is kept is told to nobody', () => {
  const { index, news } = indexed()
  index.select(VOICE, {})
  index.put('default', 'a', pod('a', {}))
  news()
  index.put('default', 'a', pod('a', {}))
  expect(news()).toEqual([])
  index.put('default', 'a', pod('a', {}, { ready: false }))
  expect(news()).toEqual([VOICE])
})

test('another selector takes the place of the last; whoever selects none is told nothing', () => {
  const { index, news } = indexed()
  index.select(VOICE, { matchLabels: { app: 'sip' } })
  index.select(VOICE, { matchLabels: { app: 'web' } })
  index.put('default', 'a', pod('a', { app: 'sip' }))
  expect(news()).toEqual([])
  index.put('default', 'b', pod('b', { app: 'web' }))
  expect(news()).toEqual([VOICE])
  index.deselect(VOICE)
  index.put('default', 'b', null)
  expect(news()).toEqual([])
})

test('what our gate will say is there at once and no news, and never for a later pod of the name', () => {
  const { index, news } = indexed()
  const gate = { status: 'True', reason: 'Answers', message: 'm' } as const
  const first = pod('a', {}, { gate: { status: null, reason: '', message: '' } })
  index.put('default', 'a', first)
  index.select(VOICE, {})
  expect(index.noteGate('default', first, gate, 'now')).toBe('now')
  expect(index.select(VOICE, {})).toMatchObject([{ gate }])
  const worded = { ...gate, message: 'other words' }
  expect(index.noteGate('default', first, worded, 'later')).toBe('now')
  index.put('default', 'a', { ...first, gate: worded, gateSince: 'now' })
  expect(news()).toEqual([])
  index.put('default', 'a', { ...first, uid: 'another' })
  expect(index.noteGate('default', first, gate, 'later')).toBeNull()
})

test('one pod among many SipProxies costs those that may want it', () => {
  const { index, news } = indexed()
  for (let i = 0; i < 1000; i++) index.select(`default/p${i}`, { matchLabels: { app: `a${i}` } })
  const beganMs = performance.now()
  for (let i = 0; i < 1000; i++) index.put('default', `pod-${i}`, pod(`pod-${i}`, { app: `a${i}` }))
  expect(performance.now() - beganMs).toBeLessThan(500)
  expect(news()).toHaveLength(1000)
})

const running = {
  metadata: { name: 'a', namespace: 'default', uid: 'u', labels: { app: 'sip' } },
  spec: {
    readinessGates: [{ conditionType: 'sipcast.io/options' }, { conditionType: 'example.com/lb' }],
  },
  status: {
    phase: 'Running',
    podIPs: [{ ip: '192.0.2.1' }, { ip: '2001:DB8::1' }],
    hostIPs: [{ ip: '10.0.0.1' }],
    conditions: [
      { type: 'Ready', status: 'False' },
      { type: 'ContainersReady', status: 'True' },
      { type: 'example.com/lb', status: 'True' },
    ],
  },
}

test('a pod is ready by its containers and the gates of others, never by Ready or our own', () => {
  expect(keptPod(running)).toMatchObject({
    ready: true,
    addresses: ['192.0.2.1', '2001:db8::1'],
    hostAddresses: ['10.0.0.1'],
    deleting: false,
    gate: { status: null },
  })
  const [, containersReady] = running.status.conditions
  const status = { ...running.status, conditions: [containersReady] }
  expect(keptPod({ ...running, status })).toMatchObject({ ready: false })
})

test('a pod that has ended is none, one that begins has no address, one that ends is deleting', () => {
  for (const phase of ['Failed', 'Succeeded']) {
    expect(keptPod({ ...running, status: { ...running.status, phase } })).toBeNull()
  }
  expect(keptPod({ metadata: { name: 'a' } })).toMatchObject({
    addresses: [],
    ready: false,
    gate: null,
  })
  const metadata = { ...running.metadata, deletionTimestamp: '2026-11-23T09:00:00Z' }
  expect(keptPod({ ...running, metadata })).toMatchObject({ deleting: true })
})
