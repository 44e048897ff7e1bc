/**
 * Kubernetes Events of the operator, on an API server in memory: what is written of many notices.
 * Not here: which notices there are (operator/*.test.ts).
 */
import { type ApiObject, ApiServer, paths } from '@sipcast/kube'
import { FakeApiServer } from '@sipcast/lab'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Events } from '../../operator/io/kubernetes/events.ts'
import { WriteRate } from '../../operator/io/kubernetes/write-rate.ts'
import { MemoryClock, memoryRandom } from '../../operator/io/memory-clock.ts'
import type { Notice } from '../../operator/ports.ts'
import { until } from './operator-on-kubernetes/site.ts'

const KEY = 'default/voice'
const UID = '6a1e0b9c-8f6e-4d55-9a55-0d5d3b0a7b11'

let server: FakeApiServer
let api: ApiServer
let clock: MemoryClock
let events: Events
let dropped: string[]

beforeEach(async () => {
  server = await FakeApiServer.start()
  api = new ApiServer({ access: server.access })
  clock = new MemoryClock()
  dropped = []
  events = new Events({
    api,
    clock,
    random: memoryRandom(),
    rate: new WriteRate(clock, 100_000, 100_000),
    uidOf: (subject) =>
      subject === KEY ? UID : typeof subject === 'object' ? `${subject.kind} uid` : null,
    instance: 'sipcast-operator-0',
    onDropped: (why) => dropped.push(why),
  })
})

afterEach(async () => {
  api.close()
  await server.goAway()
})

const down: Notice = {
  level: 'warn',
  event: 'ProxyDown',
  key: KEY,
  message: 'proxy a (192.0.2.1:5060) is Down: NoAnswer',
}

async function written(): Promise<readonly ApiObject[]> {
  return (await api.list(paths.events('default'))).items
}

test('a notice becomes an Event that `kubectl describe` finds', async () => {
  events.record(down)
  await until(async () => expect(await written()).toHaveLength(1))
  expect((await written())[0]).toMatchObject({
    apiVersion: 'events.k8s.io/v1',
    type: 'Warning',
    reason: 'ProxyDown',
    action: 'Probing',
    note: down.message,
    eventTime: '2026-11-23T09:00:00.000000Z',
    reportingController: 'sipcast.io/operator',
    reportingInstance: 'sipcast-operator-0',
    regarding: { kind: 'SipProxy', namespace: 'default', name: 'voice', uid: UID },
  })
})

test('what has no namespace has its Events in the default one', async () => {
  const about = { kind: 'BgpPeer', name: 'tor-a' } as const
  const message = 'session of node-a with 192.0.2.1 is down: Hold timer expired'
  events.record({ level: 'warn', event: 'BgpSessionDown', about, message })
  await until(async () => expect(await written()).toHaveLength(1))
  const [event] = await written()
  expect(event).toMatchObject({
    metadata: { namespace: 'default' },
    reason: 'BgpSessionDown',
    action: 'Announcing',
    regarding: { apiVersion: 'sipcast.io/v1alpha1', ...about, uid: 'BgpPeer uid' },
  })
  expect(event?.['regarding']).not.toHaveProperty('namespace')
})

test('the same again counts up, and after a while is news again', async () => {
  events.record(down)
  await until(async () => expect(await written()).toHaveLength(1))
  for (let n = 0; n < 4; n++) {
    await clock.advance(1_000)
    events.record(down)
  }
  await clock.advance(10_000)
  await until(async () => {
    expect((await written())[0]?.['series']).toEqual({
      count: 5,
      lastObservedTime: '2026-11-23T09:00:04.000000Z',
    })
  })
  await clock.advance(600_000)
  events.record(down)
  await until(async () => expect(await written()).toHaveLength(2))
})

test('one SipProxy that never rests is cut off, others and later news are not', async () => {
  for (let n = 0; n < 100; n++) events.record({ ...down, message: `number ${n}` })
  await until(async () => expect(await written()).toHaveLength(25))
  expect(dropped).toHaveLength(75)
  expect(new Set(dropped)).toEqual(new Set(['rate']))
  await clock.advance(30_000)
  events.record(down)
  await until(async () => expect(await written()).toHaveLength(26))
})

test('a crowd that comes up keeps neither warnings nor moves from being written', async () => {
  const up = { ...down, level: 'info', event: 'ProxyUp' } as const
  const moved = { ...up, event: 'TablePublished', details: { moved: 7 } }
  for (let n = 0; n < 1000; n++) events.record({ ...up, message: `number ${n}` })
  events.record(down)
  events.record(moved)
  await until(async () => {
    const reasons = (await written()).map(({ reason }) => reason)
    expect(reasons).toEqual(expect.arrayContaining([down.event, moved.event]))
    expect(reasons).toHaveLength(17)
  })
  expect(dropped).toHaveLength(985)
})

test('what could not be written is a new Event when it comes again', async () => {
  const end = server.inject({
    effect: { kind: 'refusal', status: 403, reason: 'Forbidden' },
    resource: 'events',
  })
  events.record(down)
  await until(async () => expect(dropped).toEqual(['failed']))
  end()
  events.record(down)
  await until(async () => expect(await written()).toHaveLength(1))
})

test('what concerns no SipProxy, one that is gone, or only readers of the log is no Event', async () => {
  events.record({ level: 'info', event: 'Started', message: 'serving' })
  events.record({ ...down, key: 'default/gone' })
  events.record({ ...down, event: 'StoreFailed' })
  events.record({ ...down, event: 'TablePublished', details: { moved: 0 } })
  events.record({ ...down, event: 'TablePublished', details: { moved: 7 } })
  await until(async () => expect(await written()).toHaveLength(1))
  expect(dropped).toEqual([])
})

test('while the API server answers nothing, memory is bounded and what is too much is counted', async () => {
  const end = server.inject({ effect: { kind: 'delay', ms: 300 }, resource: 'events' })
  const many = new Events({
    api,
    clock,
    random: memoryRandom(),
    rate: new WriteRate(clock, 100_000, 100_000),
    uidOf: String,
    instance: 'sipcast-operator-0',
    onDropped: (why) => dropped.push(why),
  })
  for (let n = 0; n < 300; n++) many.record({ ...down, key: `default/voice-${n}` })
  expect(dropped).toEqual(new Array(44).fill('queue'))
  end()
  await until(async () => expect(await written()).toHaveLength(256), 20_000)
})
