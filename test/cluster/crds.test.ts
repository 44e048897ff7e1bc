/**
 * The CRDs on a real API server: it refuses and accepts what our own parser does, with the same defaults, and kubectl
 * shows what people need. It needs no nodes. Not here: what is done with the objects (the other suites of this
 * folder).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  describeProblems,
  parseBgpPeer,
  parseSipBalancer,
  parseSipBalancerStatus,
  parseSipProxy,
} from '@sipcast/crds'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { requires } from '../requires.ts'
import { acceptedSipProxies } from './crds-accepted.ts'
import { changes } from './crds-changes.ts'
import { refusedBgpPeers, refusedSipProxies } from './crds-refused.ts'
import { CrdsServer } from './crds-server.ts'
import { bgpPeerSpec, proxy, sipProxySpec } from './crds-specs.ts'

const CRDS = join(import.meta.dirname, '../../crds')
const API = '/apis/sipcast.io/v1alpha1'
const NAMESPACE = 'sipcast-crds-test'
const OF_PROXIES = `${API}/namespaces/${NAMESPACE}/sipproxies`
const OF_PEERS = `${API}/bgppeers`
const OF_BALANCERS = `${API}/sipbalancers`
const FOR_SHOW = '?dryRun=All'
/** A node of this name is nowhere. */
const NODE = 'sipcast-crds-test'
/** The API server publishes what kubectl explains a little after a CRD. */
const SOON = { timeout: 60_000, interval: 500 }

describe.runIf(requires('kubernetes'))('CRDs', () => {
  const plurals = ['sipproxies', 'bgppeers', 'sipbalancers']
  const made: string[] = []
  let server: CrdsServer

  beforeAll(async () => {
    server = await CrdsServer.reach()
    const there = await server.kubectl('get', 'crds', '-o', 'name')
    for (const plural of plurals.filter((name) => !there.includes(`/${name}.sipcast.io\n`))) {
      await server.kubectl('create', '-f', join(CRDS, `${plural}.yaml`))
      made.push(`${plural}.sipcast.io`)
    }
    const names = plurals.map((plural) => `crd/${plural}.sipcast.io`)
    await server.kubectl('wait', '--for=condition=Established', '--timeout=60s', ...names)
    await server.kubectl('create', 'namespace', NAMESPACE)
  })

  afterAll(async () => {
    await server.kubectl('delete', 'sipbalancer', NODE, '--ignore-not-found')
    await server.kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found')
    if (made.length > 0) await server.kubectl('delete', 'crd', ...made)
    await server.leave()
  })

  test.each(plurals)(
    'the API server has nothing to say against the schema of %s',
    async (plural) => {
      const text = await server.kubectl('get', 'crd', `${plural}.sipcast.io`, '-o', 'json')
      const { conditions } = (JSON.parse(text) as { status: { conditions: Condition[] } }).status
      const bad = conditions.filter(
        ({ type, status }) => type.startsWith('NonStructural') && status === 'True',
      )
      expect(bad).toEqual([])
      expect(conditions).toContainEqual(
        expect.objectContaining({ type: 'NamesAccepted', status: 'True' }),
      )
    },
  )

  for (const [sentence, change, ours, theirs = ours] of refusedSipProxies) {
    test(`${sentence}: refused by both`, async () => {
      const object = sipProxy('refused', sipProxySpec(change))
      expect(problemsOf(parseSipProxy(object))).toContain(ours)
      const { problems } = await server.create(OF_PROXIES + FOR_SHOW, object)
      expect(problems).toContainEqual(expect.stringMatching(sayingOf(theirs)))
    })
  }

  for (const [sentence, change, ours, theirs = ours] of refusedBgpPeers) {
    test(`BgpPeer, ${sentence}: refused by both`, async () => {
      const object = bgpPeer(bgpPeerSpec(change))
      expect(problemsOf(parseBgpPeer(object))).toContain(ours)
      const { problems } = await server.create(OF_PEERS + FOR_SHOW, object)
      expect(problems).toContainEqual(expect.stringMatching(sayingOf(theirs)))
    })
  }

  test.each(acceptedSipProxies)(
    '%s: accepted by both, with the same defaults',
    async (_, change) => {
      const object = sipProxy('accepted', sipProxySpec(change))
      const parsed = parseSipProxy(object)
      expect(problemsOf(parsed)).toBe('')
      const answer = await server.create(OF_PROXIES + FOR_SHOW, object)
      expect(answer.problems).toEqual([])
      expect(parseSipProxy(answer.body)).toEqual(parsed)
    },
  )

  test.each([
    ['of 63 characters', 'a'.repeat(63), true],
    ['of 64 characters', 'a'.repeat(64), false],
    ['with dots', 'a.b-c.d', true],
    ['with two dots in a row', 'a..b', false],
    ['with a dot at its end', 'a.', false],
    ['in capitals', 'Voice', false],
  ])('a name %s', async (_sentence, name, isGood) => {
    const object = sipProxy(name, sipProxySpec())
    expect(parseSipProxy(object).ok).toBe(isGood)
    expect((await server.create(OF_PROXIES + FOR_SHOW, object)).ok).toBe(isGood)
  })

  test('the API server cannot see two proxies at one endpoint; the operator refuses them', async () => {
    const spec = sipProxySpec({ proxies: { static: [proxy, { ...proxy, name: 'b' }] } })
    const object = sipProxy('twice', spec)
    expect((await server.create(OF_PROXIES + FOR_SHOW, object)).ok).toBe(true)
    expect(problemsOf(parseSipProxy(object))).toContain('the same address and port')
  })

  test('whatever is written: both accept it, or both refuse it', async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        const object = sipProxy('any', sipProxySpec(change))
        const ours = parseSipProxy(object)
        const theirs = await server.create(OF_PROXIES + FOR_SHOW, object)
        expect({ change, ok: theirs.ok, problems: theirs.problems }).toMatchObject({ ok: ours.ok })
        if (theirs.ok) expect(parseSipProxy(theirs.body)).toEqual(ours)
      }),
      { numRuns: 300 },
    )
  })

  test('the slot count is for ever, by default or not; all else may change', async () => {
    const path = `${OF_PROXIES}/for-ever`
    const spec = sipProxySpec({ mapping: { slots: 1024 } })
    expect(await server.create(OF_PROXIES, sipProxy('for-ever', spec))).toMatchObject({ ok: true })
    const refusal = 'spec.mapping.slots: cannot be changed'
    expect(
      (await server.patch(path, { spec: { mapping: { slots: 2048 } } })).problems,
    ).toContainEqual(expect.stringMatching(sayingOf(refusal)))
    expect(await server.patch(path, { spec: { mapping: null } })).toMatchObject({ ok: false })
    const others = { port: 5062, mapping: { key: 'CallId' }, addresses: ['203.0.113.11'] }
    expect(await server.patch(path, { spec: others })).toMatchObject({ ok: true })
  })

  test('proxies that two people apply are merged by name', async () => {
    const path = `${OF_PROXIES}/shared`
    const spec = (name: string) => sipProxySpec({ proxies: { static: [{ ...proxy, name }] } })
    await server.apply(path, sipProxy('shared', spec('a')), 'one')
    const { body } = await server.apply(path, sipProxy('shared', spec('b')), 'two')
    expect(body).toMatchObject({ spec: { proxies: { static: [{ name: 'a' }, { name: 'b' }] } } })
  })

  test('kubectl explain tells meaning, range and default', async () => {
    const explain = (...path: string[]) =>
      server.kubectl('explain', path.join('.')).then((text) => text.replace(/\s+/g, ' '))
    await expect.poll(() => explain('sipproxy', 'spec'), SOON).toContain('port <integer> UDP port')
    const spec = await explain('sipproxy', 'spec')
    expect(spec).toContain('The shared (anycast) IPv4 and IPv6 addresses that phones talk to.')
    expect(spec).toContain('Allowed: 1 to 65535. Default: 5060.')
    expect(await explain('sp', 'spec', 'probe', 'interval')).toContain(
      'from 50ms to 60s. Default: 500ms.',
    )
    expect(await explain('sipbalancer', 'spec')).toContain('takes the node out of service by hand')
    expect(await explain('sbgp', 'spec', 'bfd')).toContain('Default: 100ms.')
  })

  test('kubectl get sp shows where, how many, which table, and whether it serves', async () => {
    await server.create(OF_PROXIES, sipProxy('shown', sipProxySpec()))
    const list = await server.kubectl('get', 'sp', '-n', NAMESPACE)
    expect(list.split('\n')[0]?.trim().split(/\s+/)).toEqual(
      'NAME ADDRESS PROXIES BALANCERS EPOCH READY REASON AGE'.split(' '),
    )
    const wide = await server.kubectl('get', 'sp', '-n', NAMESPACE, '-o', 'wide')
    expect(wide.split('\n')[0]?.trim().split(/\s+/)).toEqual(
      'NAME ADDRESS PROXIES BALANCERS EPOCH READY REASON SLOTS MOVED CHANGED AGE'.split(' '),
    )
    expect(
      await server.row(`${OF_PROXIES}/shown/status${FOR_SHOW}`, { status: STATUS }),
    ).toMatchObject({
      Name: 'shown',
      Address: '203.0.113.10',
      Proxies: '2/3',
      Balancers: '2/2',
      Epoch: 12,
      Ready: 'True',
      Reason: 'Serving',
      Slots: 4096,
      Moved: 1366,
      Changed: expect.stringMatching(/^\d+[smhdy]/),
    })
    expect(await server.kubectl('get', 'sipcast', '-n', NAMESPACE)).toContain(
      'sipproxy.sipcast.io/shown',
    )
  })

  test('a SipBalancer is all defaults, keeps what a balancer says, and shows it', async () => {
    const example = parse(readFileSync(join(CRDS, 'examples/sip-balancer.yaml'), 'utf8')) as {
      status: object
    }
    const bare = {
      apiVersion: 'sipcast.io/v1alpha1',
      kind: 'SipBalancer',
      metadata: { name: NODE },
    }
    const created = await server.create(OF_BALANCERS, bare)
    expect(parseSipBalancer(created.body)).toEqual({
      ok: true,
      sipBalancer: { name: NODE, spec: { maintenance: false } },
    })
    const path = `${OF_BALANCERS}/${NODE}/status${FOR_SHOW}`
    // What is null there stays null: a balancer without a table.
    const nothing = { uid: null, epoch: null, sha256: null, inUseSince: null }
    const status = { ...example.status, sipProxies: [{ namespace: 'a', name: 'b', ...nothing }] }
    for (const report of [example.status, status]) {
      const { body } = await server.patch(path, { status: report })
      expect(parseSipBalancerStatus(body['status'])).toEqual(parseSipBalancerStatus(report))
    }
    expect(await server.row(path, { status: example.status })).toMatchObject({
      Name: NODE,
      Ready: 'True',
      Reason: 'Serving',
      SipProxies: '1/1',
      Serving: '1/2',
      Rate: 812.4,
      Heartbeat: expect.stringMatching(/^\d+[smhdy]|^<invalid>$/),
      Maintenance: false,
      Announced: '1/2',
      BGP: '1/1',
      Dropped: 0.2,
      Version: '0.1.0',
    })
    const list = await server.kubectl('get', 'sb')
    expect(list.split('\n')[0]?.trim().split(/\s+/)).toEqual(
      'NAME READY REASON SIPPROXIES SERVING ANNOUNCED BGP HEARTBEAT MAINTENANCE AGE'.split(' '),
    )
  })

  test('a status that no SipProxy can have is refused', async () => {
    await server.create(OF_PROXIES, sipProxy('strange', sipProxySpec()))
    const path = `${OF_PROXIES}/strange/status${FOR_SHOW}`
    const { problems } = await server.patch(path, {
      status: { conditions: [{ type: 'Ready', status: 'Perhaps' }] },
    })
    expect(problems).toContainEqual(
      expect.stringContaining('status.conditions[0].status: Unsupported'),
    )
  })

  test.each([
    ['sip-proxy', OF_PROXIES],
    ['bgp-peer', OF_PEERS],
    ['sip-balancer', OF_BALANCERS],
  ])('the example %s is accepted', async (file, path) => {
    const example = parse(readFileSync(join(CRDS, `examples/${file}.yaml`), 'utf8')) as {
      metadata: { namespace?: string }
    }
    if (example.metadata.namespace !== undefined) example.metadata.namespace = NAMESPACE
    expect((await server.create(path + FOR_SHOW, example)).problems).toEqual([])
  })
})

interface Condition {
  readonly type: string
  readonly status: string
}

const STATUS = {
  table: { epoch: 12, publishedAt: '2026-11-23T09:00:00Z', slots: 4096, lastMoves: 1366 },
  summary: { proxies: '2/3', balancers: '2/2' },
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Serving',
      message: '2 of 3 proxies take users, through 2 balancers.',
      lastTransitionTime: '2026-11-23T09:00:00Z',
    },
  ],
}

function sipProxy(name: string, spec: object) {
  const metadata = { name, namespace: NAMESPACE }
  return { apiVersion: 'sipcast.io/v1alpha1', kind: 'SipProxy', metadata, spec }
}

function bgpPeer(spec: object) {
  return { apiVersion: 'sipcast.io/v1alpha1', kind: 'BgpPeer', metadata: { name: 'router' }, spec }
}

function problemsOf(
  parsed: ReturnType<typeof parseSipProxy> | ReturnType<typeof parseBgpPeer>,
): string {
  return parsed.ok ? '' : describeProblems(parsed.problems)
}

/** `field: why`, where the API server may show the value in between. */
function sayingOf(problem: string): RegExp {
  const [field = '', ...why] = problem.split(': ')
  return new RegExp(
    `^${RegExp.escape(field)}: (Invalid value: .*: )?${RegExp.escape(why.join(': '))}`,
  )
}
