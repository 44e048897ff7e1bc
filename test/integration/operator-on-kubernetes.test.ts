/**
 * The operator on Kubernetes, whole but for sockets, on an API server in memory: what it publishes, repairs, refuses
 * and survives.
 * Not here: a real API server (the cluster suite), the Cluster port by itself (test/conformance/cluster-port.test.ts),
 * every rule of the pass (operator/*.test.ts).
 */
import { type ApiObject, paths } from '@sipcast/kube'
import { sealTable, encodeTable } from '@sipcast/mapping'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Behaviour } from '../../operator/io/memory-prober.ts'
import { NAMESPACE, Site, tableName, until, untilOwning } from './operator-on-kubernetes/site.ts'

const KEY = 'default/voice'
const FAST = { interval: '100ms', timeout: '80ms' }
const HAND_BACK = { after: '0s', per: '1s', maxMovedPercent: 100 }
const SPEC = {
  addresses: ['203.0.113.10'],
  probe: FAST,
  mapping: { slots: 256, handBack: HAND_BACK },
  proxies: {
    static: [
      { name: 'a', address: '192.0.2.1' },
      { name: 'b', address: '192.0.2.2' },
    ],
  },
}
const OF_PODS = { ...SPEC, proxies: { selector: { matchLabels: { app: 'sip' } } } }

let site: Site

beforeEach(async () => {
  site = await Site.open()
})

afterEach(async () => {
  await site.close()
})

describe('publishing', () => {
  test('a SipProxy gets a table, a status, and keys are made', async () => {
    await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    expect((await site.configMap(KEY))?.metadata.labels).toEqual({ 'sipcast.io/table': '1' })
    await until(async () => expect(await site.condition(KEY, 'Accepted')).toBe('True Accepted'))
    const object = await site.api.get(paths.sipProxy('default', 'voice'))
    const table = await site.table(KEY)
    expect(table).toMatchObject({ uid: object?.metadata.uid, generation: 1 })
    expect(await site.status(KEY)).toMatchObject({
      observedGeneration: 1,
      summary: { proxies: '2/2' },
      table: { epoch: table.epoch },
    })
    expect(await site.api.get(paths.secret(NAMESPACE, 'sipcast-keys'))).not.toBeNull()
  })

  test('a proxy that dies loses its slots, in the table before the status', async () => {
    await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    site.behaviours.set('192.0.2.1', Behaviour.refuses)
    await untilOwning(site, KEY, ['b'])
    await until(async () => {
      expect((await site.status(KEY))?.proxies).toMatchObject([{ state: 'Down' }, { state: 'Up' }])
    })
  })

  test('a removed SipProxy takes its table along, when nobody uses it any more', async () => {
    await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    const { uid, epoch, sha256 } = await site.table(KEY)
    const addresses = [{ address: '203.0.113.10', port: 5060, state: 'Bound' }]
    const used = { namespace: 'default', name: 'voice', uid, epoch, sha256, addresses }
    site.report('node-1', [used])
    await until(async () => expect(await site.condition(KEY, 'Ready')).toBe('True Serving'))
    await site.remove(KEY)
    await until(async () => expect((await site.table(KEY)).removed).toBe(true))
    site.report('node-1', [])
    await until(async () => expect(await site.configMap(KEY)).toBeNull())
  })

  test('a SipProxy made again under the same name has a later table and a status of its own', async () => {
    await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    await until(async () => expect(await site.condition(KEY, 'Accepted')).toBe('True Accepted'))
    const { uid, objectCreated, epoch } = await site.table(KEY)
    const owners = await site.owners(KEY)
    await site.remove(KEY)
    await site.apply(KEY, SPEC)
    await until(async () => expect((await site.table(KEY)).uid).not.toBe(uid))
    const again = await site.table(KEY)
    expect(again.objectCreated > objectCreated).toBe(true)
    expect(again.epoch).toBeGreaterThan(epoch)
    expect(await site.owners(KEY)).toEqual(owners)
    await until(async () => expect(await site.condition(KEY, 'Accepted')).toBe('True Accepted'))
  })

  test('news is told as Events on the SipProxy, the same again counted', async () => {
    const replica = await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    site.behaviours.set('192.0.2.1', Behaviour.refuses)
    await until(async () => {
      const { items } = await site.api.list(paths.events('default'))
      expect(items).toContainEqual(
        expect.objectContaining({
          type: 'Warning',
          reason: 'ProxyDown',
          note: 'proxy a (192.0.2.1:5060) is Down: Refused',
          regarding: expect.objectContaining({ kind: 'SipProxy', name: 'voice' }),
        }),
      )
    })
    // Failures are counted and hold up nothing.
    site.server.inject({ effect: { kind: 'refusal', status: 403 }, resource: 'events' })
    site.behaviours.clear()
    await untilOwning(site, KEY, ['a', 'b'])
    await until(async () => {
      const dropped = await replica.operator.metrics.eventsDropped.get()
      expect(dropped.values.find(({ labels }) => labels.why === 'failed')?.value).toBeGreaterThan(0)
    })
  })
})

describe('bad objects never break good ones', () => {
  test('an invalid spec is told with its field; the last good table stays', async () => {
    await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    await site.apply(KEY, { ...SPEC, port: 'many' })
    await until(async () => expect(await site.condition(KEY, 'Accepted')).toBe('False InvalidSpec'))
    expect(await site.owning(KEY)).toEqual(['a', 'b'])
    site.behaviours.set('192.0.2.1', Behaviour.refuses)
    await untilOwning(site, KEY, ['b'])
  })

  test('an address outside the pools, and one that is taken, are refused; both in words', async () => {
    await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    await site.apply('default/outside', { ...SPEC, addresses: ['10.0.0.1'] })
    await site.apply('default/taken', SPEC)
    await until(async () => {
      expect(await site.condition('default/outside', 'Accepted')).toBe('False AddressNotAllowed')
      expect(await site.condition('default/taken', 'Accepted')).toBe('False AddressConflict')
    })
    expect(await site.tableOrNull('default/taken')).toBeNull()
  })

  test('a selector that matches nothing, and pods without an address, make a pool of nobody', async () => {
    await site.lead()
    site.putPod({ name: 'p0', address: null })
    await site.apply(KEY, OF_PODS)
    await until(async () => expect(await site.condition(KEY, 'Ready')).toBe('False NoProxies'))
    site.putPod({ name: 'p0', address: '192.0.2.10' })
    await untilOwning(site, KEY, ['p0'])
  })
})

describe('other hands', () => {
  beforeEach(async () => {
    await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
  })

  test('a deleted ConfigMap is made again, and nobody moves', async () => {
    const [text, owners] = [await site.tableText(KEY), await site.owners(KEY)]
    await site.deleteTable(KEY)
    await until(async () => expect(await site.tableText(KEY)).toBe(text))
    expect(await site.owners(KEY)).toEqual(owners)
  })

  test.each(['', '{}', 'no table at all'])('a ConfigMap edited to %j is repaired', async (edit) => {
    const text = await site.tableText(KEY)
    await site.editTable(KEY, edit)
    await until(async () => expect(await site.tableText(KEY)).toBe(text))
  })

  test('a good table of a stranger is written over, under a later epoch, and nobody moves', async () => {
    const [before, owners] = [await site.table(KEY), await site.owners(KEY)]
    const theirs = sealTable({ ...before, epoch: before.epoch + 5, owners: before.backups })
    await site.editTable(KEY, encodeTable(theirs))
    await until(async () => expect((await site.table(KEY)).epoch).toBe(before.epoch + 6))
    expect(await site.owners(KEY)).toEqual(owners)
  })

  test('a label taken off is put back: without it no balancer finds the table', async () => {
    const path = paths.configMap(NAMESPACE, tableName(KEY))
    await site.api.patch(path, { metadata: { labels: { 'sipcast.io/table': null } } })
    await until(async () => {
      expect((await site.configMap(KEY))?.metadata.labels).toEqual({ 'sipcast.io/table': '1' })
    })
  })

  test('a deleted Secret is written again with the same keys', async () => {
    const path = paths.secret(NAMESPACE, 'sipcast-keys')
    const before = await site.api.get(path)
    await site.api.delete(path)
    await until(async () => expect((await site.api.get(path))?.['data']).toEqual(before?.['data']))
  })

  test('a status that somebody wrote is put right', async () => {
    await until(async () => expect((await site.status(KEY))?.summary.proxies).toBe('2/2'))
    const status = { summary: { proxies: '9/9', balancers: '9/9' } }
    await site.api.patch(paths.sipProxyStatus('default', 'voice'), { status })
    await until(async () => expect((await site.status(KEY))?.summary.proxies).toBe('2/2'))
  })

  test('a conflict is met by reading again', async () => {
    const conflict = { kind: 'refusal', status: 409, reason: 'Conflict' } as const
    site.server.inject({ effect: conflict, verbs: ['replace'], resource: 'configmaps', times: 3 })
    site.behaviours.set('192.0.2.1', Behaviour.refuses)
    await untilOwning(site, KEY, ['b'])
  })

  test('an answer that was lost on its way does no harm', async () => {
    const lost = { kind: 'lostAnswer' } as const
    site.server.inject({ effect: lost, verbs: ['replace'], resource: 'configmaps', times: 1 })
    const { epoch } = await site.table(KEY)
    site.behaviours.set('192.0.2.1', Behaviour.refuses)
    await untilOwning(site, KEY, ['b'])
    site.behaviours.clear()
    await untilOwning(site, KEY, ['a', 'b'], 20_000)
    expect((await site.table(KEY)).epoch).toBeGreaterThan(epoch)
  })
})

describe('pods', () => {
  test('scaling, deletion, NotReady and annotations are followed', async () => {
    await site.lead()
    for (const n of [0, 1, 2]) site.putPod({ name: `p${n}`, address: `192.0.2.1${n}` })
    await site.apply(KEY, OF_PODS)
    await untilOwning(site, KEY, ['p0', 'p1', 'p2'])
    site.putPod({ name: 'p0', address: '192.0.2.10', isReady: false })
    await untilOwning(site, KEY, ['p1', 'p2'])
    await site.deletePod('p1')
    await untilOwning(site, KEY, ['p2'])
    expect((await site.table(KEY)).members.map(({ id }) => id)).toEqual(['p0', 'p2'])
    await site.api.patch(paths.pod('default', 'p0'), {
      metadata: { annotations: { 'sipcast.io/weight': '7' } },
    })
    await until(async () => expect((await site.table(KEY)).members[0]?.weight).toBe(7))
  })

  test('the readiness gate follows the probe, and a hand on it is put right', async () => {
    await site.lead()
    site.putPod({ name: 'p0', address: '192.0.2.10', hasGate: true })
    site.putPod({ name: 'p1', address: '192.0.2.11' })
    await site.apply(KEY, OF_PODS)
    await until(async () => expect(await site.gate('p0')).toBe('True Answers'))
    site.behaviours.set('192.0.2.10', Behaviour.refuses)
    await until(async () => expect(await site.gate('p0')).toBe('False Refused'))
    site.server.seen.length = 0
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(site.writes('pods')).toBe(0)
    site.behaviours.clear()
    await until(async () => expect(await site.gate('p0')).toBe('True Answers'))
    const pod = (await site.api.get(paths.pod('default', 'p0'))) as ApiObject
    const { conditions } = pod['status'] as { conditions: { type: string }[] }
    expect(conditions.map(({ type }) => type).toSorted()).toEqual([
      'ContainersReady',
      'sipcast.io/options',
    ])
    expect(await site.gate('p1')).toBe('missing')
    const meddled = conditions.map((one) => ({ ...one, status: 'False' }))
    site.server.put(paths.pod('default', 'p0'), {
      ...pod,
      status: { ...(pod['status'] as object), conditions: meddled },
    })
    await until(async () => expect(await site.gate('p0')).toBe('True Answers'))
    await site.remove(KEY)
    await until(async () => expect(await site.gate('p0')).toBe('Unknown NotProbed'))
  })

  test('a thousand pods of one SipProxy', async () => {
    await site.lead()
    for (let n = 0; n < 1000; n++) {
      site.putPod({ name: `p${n}`, address: `10.0.${n >> 8}.${n & 255}`, hasGate: n < 100 })
    }
    await site.apply(KEY, { ...OF_PODS, mapping: { slots: 4096, handBack: HAND_BACK } })
    await until(async () => expect((await site.owning(KEY)).length).toBe(1000), 30_000)
    await until(async () => expect(await site.gate('p99')).toBe('True Answers'), 30_000)
    await site.deletePod('p500')
    await until(async () => expect(await site.owning(KEY)).not.toContain('p500'))
  }, 90_000)
})

describe('what goes away', () => {
  test('a namespace that is deleted, SipProxy and pods with it', async () => {
    await site.lead()
    site.putPod({ name: 'p0', address: '192.0.2.10' })
    await site.apply(KEY, OF_PODS)
    await site.apply('elsewhere/voice', { ...SPEC, addresses: ['203.0.113.11'] })
    await untilOwning(site, KEY, ['p0'])
    await untilOwning(site, 'elsewhere/voice', ['a', 'b'])
    await site.deletePod('p0')
    await site.remove(KEY)
    await until(async () => expect((await site.table(KEY)).removed).toBe(true))
    expect(await site.owning('elsewhere/voice')).toEqual(['a', 'b'])
  })

  test('a SipProxy deleted during its own pass', async () => {
    const replica = await site.lead()
    site.server.inject({
      effect: { kind: 'delay', ms: 200 },
      resource: 'configmaps',
      verbs: ['create'],
    })
    await site.apply(KEY, SPEC)
    await until(() =>
      expect(
        site.server.seen.some(
          ({ verb, resource }) => verb === 'create' && resource === 'configmaps',
        ),
      ).toBe(true),
    )
    await site.remove(KEY)
    await until(async () => expect((await site.tableOrNull(KEY))?.removed).toBe(true))
    expect(replica.notices.map(({ event }) => event)).not.toContain('PassFailed')
  })

  test('a SipProxy deleted while no operator runs: the next one sweeps its table', async () => {
    const first = await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    await first.stop()
    await site.remove(KEY)
    await site.lead()
    await until(async () => expect((await site.table(KEY)).removed).toBe(true))
  })

  test('the API server, while a proxy dies and comes: both are seen within 2 s of its return', async () => {
    await site.lead()
    for (const n of [0, 1, 2]) site.putPod({ name: `p${n}`, address: `192.0.2.1${n}` })
    await site.apply(KEY, OF_PODS)
    await untilOwning(site, KEY, ['p0', 'p1', 'p2'])
    await site.server.goAway()
    site.behaviours.set('192.0.2.10', Behaviour.refuses)
    // Shorter than the lease, longer than a few back-offs.
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    await site.server.comeBack()
    await untilOwning(site, KEY, ['p1', 'p2'], 2_000)
    await until(async () => expect((await site.status(KEY))?.summary.proxies).toBe('2/3'), 2_000)
  })

  test.each<[string, (server: Site['server']) => void]>([
    ['watches are reset', (server) => server.eachWatch((feed) => feed.reset())],
    ['watches are closed', (server) => server.eachWatch((feed) => feed.endCleanly())],
    ['history is forgotten (410)', (server) => server.expire()],
    [
      'lists are stale',
      (server) => {
        server.inject({ effect: { kind: 'staleLists' }, verbs: ['list'], times: 5 })
        server.expire()
      },
    ],
    [
      'the server throttles',
      (server) => {
        const effect = { kind: 'refusal', status: 429, retryAfterSeconds: 1 } as const
        server.inject({ effect, times: 10 })
        server.eachWatch((feed) => feed.reset())
      },
    ],
  ])('%s: a pod that dies then is missed by 2 s at most', async (_, disturb) => {
    await site.lead()
    for (const n of [0, 1, 2]) site.putPod({ name: `p${n}`, address: `192.0.2.1${n}` })
    await site.apply(KEY, OF_PODS)
    await untilOwning(site, KEY, ['p0', 'p1', 'p2'])
    disturb(site.server)
    site.server.take(paths.pod('default', 'p0'))
    await untilOwning(site, KEY, ['p1', 'p2'], 4_000)
  })

  test('only writes fail for a while: they are made up for within 2 s', async () => {
    await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    const end = site.server.inject({
      effect: { kind: 'refusal', status: 500 },
      verbs: ['replace', 'apply', 'create'],
    })
    site.behaviours.set('192.0.2.1', Behaviour.refuses)
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    expect(await site.owning(KEY)).toEqual(['a', 'b'])
    end()
    await untilOwning(site, KEY, ['b'], 2_000)
  })
})

describe('one leader after another', () => {
  test('a restart moves no slot, and stamps the new number', async () => {
    const keys = Array.from({ length: 30 }, (_, n) => `default/voice-${n}`)
    const first = await site.lead()
    for (const [n, key] of keys.entries()) {
      await site.apply(key, { ...SPEC, addresses: [`203.0.113.${n + 1}`] })
    }
    for (const key of keys) await untilOwning(site, key, ['a', 'b'])
    site.behaviours.set('192.0.2.1', Behaviour.refuses)
    for (const key of keys) await untilOwning(site, key, ['b'])
    const before = await Promise.all(keys.map((key) => site.table(key)))
    await first.stop()
    const second = await site.lead()
    const transitions = second.skin.cluster.leaseTransitions
    for (const [index, key] of keys.entries()) {
      await until(async () => expect((await site.table(key)).leaseTransitions).toBe(transitions))
      const table = await site.table(key)
      expect(table.owners).toEqual(before[index]?.owners)
      expect(table.uid).toBe(before[index]?.uid)
    }
  })

  test('a standby is ready and writes nothing; it takes over when the leader goes in order', async () => {
    const first = await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    const second = site.contend()
    await until(() =>
      expect(second.notices.map(({ event }) => event)).toContain('LeaseHeldByOther'),
    )
    expect(second.skin.isStandby).toBe(true)
    expect((await second.operator.metrics.leader.get()).values[0]?.value).toBe(0)
    await first.stop()
    await second.started
    expect((await second.operator.metrics.leader.get()).values[0]?.value).toBe(1)
    site.behaviours.set('192.0.2.1', Behaviour.refuses)
    await untilOwning(site, KEY, ['b'])
  })

  test('two leaders, forced: the first ends itself, and writes nothing after the second has begun', async () => {
    const first = await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    const owners = await site.owners(KEY)
    const second = site.contend()
    await until(() =>
      expect(second.notices.map(({ event }) => event)).toContain('LeaseHeldByOther'),
    )
    await site.takeLeaseAway()
    await second.started
    await until(() => expect(first.deposed.length).toBeGreaterThan(0))
    await until(async () => {
      expect((await site.table(KEY)).leaseTransitions).toBe(second.skin.cluster.leaseTransitions)
    })
    expect(await site.owners(KEY)).toEqual(owners)
    expect(second.deposed).toEqual([])
    site.behaviours.set('192.0.2.1', Behaviour.refuses)
    await untilOwning(site, KEY, ['b'])
    expect((await site.table(KEY)).leaseTransitions).toBe(second.skin.cluster.leaseTransitions)
  })

  test('a Lease that somebody deleted does not set the number back', async () => {
    const first = await site.lead()
    await site.apply(KEY, SPEC)
    await untilOwning(site, KEY, ['a', 'b'])
    await first.stop()
    const second = await site.lead()
    await until(async () => expect((await site.table(KEY)).leaseTransitions).toBe(1))
    await second.stop()
    await site.api.delete(paths.lease(NAMESPACE, 'sipcast-operator'))
    const third = await site.lead()
    expect(third.skin.cluster.leaseTransitions).toBe(2)
    await until(async () => expect((await site.table(KEY)).leaseTransitions).toBe(2))
    expect(third.deposed).toEqual([])
  })
})
