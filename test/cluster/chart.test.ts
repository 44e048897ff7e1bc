/**
 * The chart as Helm renders it, and what a real API server says to it: values refused, every switch, exactly the
 * rights that are meant, a balancer kept to its own SipBalancer; and the examples. It needs no nodes. Not here: the
 * chart's queries (chart-queries.test.ts), what announcing adds (chart-announcing.test.ts), the product running (the
 * other suites of this folder).
 */
import { parseSipProxy } from '@sipcast/crds'
import { type ApiServer, paths } from '@sipcast/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { requires } from '../requires.ts'
import { ROOT } from '../repository.ts'
import { PEER, refusedValues, SWITCHES } from './chart-values.ts'
import {
  addedIn,
  asAccount,
  kubectl,
  mounting,
  NAMESPACE,
  podOf,
  type Rendered,
  render,
  tryOut,
} from './chart-world.ts'

/** Runs of Helm. */
const AT_ONCE = 4
const EVERYTHING = {
  ...Object.fromEntries(SWITCHES.map((name) => [name, true])),
  addressPools: [{ cidr: '203.0.113.0/24' }, { cidr: '2001:db8::/64', namespaces: ['a', 'b'] }],
  imagePullSecrets: [{ name: 'registry' }],
  'image.digest': `sha256:${'0'.repeat(64)}`,
  primaryFamily: 'IPv6',
  'balancer.workers': 2,
  'balancer.maxUnavailable': '10%',
  'balancer.tolerations': [{ operator: 'Exists' }],
  'balancer.podAnnotations': { a: 'b' },
  'balancer.podLabels': { c: 'd' },
  'operator.podAnnotations': { a: 'b' },
  'operator.podLabels': { c: 'd' },
  'operator.affinity': { nodeAffinity: {} },
  'networkPolicy.proxies': [{ namespace: 'default', podSelector: { matchLabels: { app: 'a' } } }],
  'networkPolicy.nodeCIDRs': ['192.0.2.0/24'],
  remoteBalancers: ['edge-1', 'edge-2'],
  'announcer.announce': 'bgp',
  'bgp.peers': [PEER],
  'bgp.passwordSecrets': ['router-b', 'router-a'],
  'bird.image.digest': `sha256:${'0'.repeat(64)}`,
}

describe.runIf(requires('helm'))('the chart, rendered', () => {
  test.each(refusedValues)('%s: refused, and the field is named', async (_, values, field) => {
    await expect(render(values)).rejects.toThrow(field)
  })

  test('every combination of switches renders', { timeout: 300_000 }, async () => {
    const kinds = new Set<string>()
    const combinations = Array.from({ length: 2 ** SWITCHES.length }, (_, bits) =>
      Object.fromEntries(SWITCHES.map((name, index) => [name, (bits & (1 << index)) !== 0])),
    )
    while (combinations.length > 0) {
      const together = combinations.splice(0, AT_ONCE)
      for (const objects of await Promise.all(together.map((values) => render(values)))) {
        for (const { kind } of objects) kinds.add(kind)
        expect(new Set(objects.map(idOf)).size).toBe(objects.length)
      }
    }
    expect([...kinds]).toEqual(expect.arrayContaining(['PodMonitor', 'NetworkPolicy', 'DaemonSet']))
  })

  test('resources are kept when the chart is uninstalled, and only they', async () => {
    const kept = (await render()).filter(
      ({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'] === 'keep',
    )
    expect(kept.map(({ kind }) => kind)).toEqual(Array(3).fill('CustomResourceDefinition'))
  })

  test('other address pools restart the operator and the announcers', async () => {
    const templates = async (pools: readonly object[]) =>
      (await render({ addressPools: pools }))
        .filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
        .map(({ spec }) => JSON.stringify((spec as { template: unknown }).template))
    const [before, after] = [await templates([]), await templates([{ cidr: '203.0.113.0/24' }])]
    expect(before.filter((template) => after.includes(template))).toEqual([])
  })

  test('accounts have exactly these rights', async () => {
    const objects = await render()
    expect(rightsIn(objects, 'sipcast-operator')).toEqual([
      'ClusterRole events.k8s.io/events: create patch',
      'ClusterRole pods/status: patch',
      'ClusterRole pods: get list watch',
      'ClusterRole sipcast.io/bgppeers/status: patch',
      'ClusterRole sipcast.io/bgppeers: get list watch',
      'ClusterRole sipcast.io/sipbalancers: get list watch',
      'ClusterRole sipcast.io/sipproxies/status: patch',
      'ClusterRole sipcast.io/sipproxies: get list watch',
      'Role configmaps: get list watch create update delete',
      'Role coordination.k8s.io/leases [sipcast-operator]: get update',
      'Role coordination.k8s.io/leases: create',
      'Role secrets [sipcast-keys]: get list watch update',
      'Role secrets: create',
    ])
    expect(rightsIn(objects, 'sipcast-balancer')).toEqual([
      'ClusterRole nodes: get list watch',
      'ClusterRole sipcast.io/bgppeers: get list watch',
      'ClusterRole sipcast.io/sipbalancers/status: patch',
      'ClusterRole sipcast.io/sipbalancers: get list watch create patch',
      'Role configmaps: get list watch',
    ])
  })

  test('a balancer outside has the rights of its own name', async () => {
    const objects = await render({ remoteBalancers: ['edge-1'] })
    expect(rightsIn(objects, 'sipcast-balancer-edge-1')).toEqual([
      'ClusterRole nodes [edge-1]: get list watch',
      'ClusterRole sipcast.io/bgppeers: get list watch',
      'ClusterRole sipcast.io/sipbalancers [edge-1]: create patch',
      'ClusterRole sipcast.io/sipbalancers/status [edge-1]: patch',
      'ClusterRole sipcast.io/sipbalancers: get list watch',
      'Role configmaps: get list watch',
      'Role secrets [sipcast-keys]: get list watch',
    ])
  })

  test('names that look like numbers or truths are names', async () => {
    const objects = await render({
      remoteBalancers: ['10', 'true'],
      'networkPolicy.enabled': true,
      'networkPolicy.proxies': [{ namespace: '123', podSelector: { matchLabels: { app: 'a' } } }],
    })
    expect(rightsIn(objects, 'sipcast-balancer-10')).toContain(
      'ClusterRole nodes [10]: get list watch',
    )
    const names = objects.flatMap((object) => [
      object.metadata.namespace ?? '',
      ...((object['rules'] ?? []) as readonly Rule[]).flatMap(
        ({ resourceNames = [] }) => resourceNames,
      ),
    ])
    expect(names).toEqual(expect.arrayContaining(['10', 'true', '123']))
    expect(names.filter((name) => typeof name !== 'string')).toEqual([])
  })

  test('only the announcer may change the network, only the balancer has a token', async () => {
    const pod = podOf(await render())
    expect(addedIn(pod)).toEqual([
      ['state-directory', ['CHOWN'], false],
      ['balancer', [], false],
      ['announcer', ['NET_ADMIN'], true],
    ])
    expect(mounting(pod, /^token$/)).toEqual(['balancer'])
    expect(pod.automountServiceAccountToken).toBe(false)
  })
})

describe.runIf(requires('helm', 'kubernetes'))('the chart and the API server', () => {
  const made: object[] = []
  let balancer: ApiServer | undefined

  beforeAll(async () => {
    await kubectl(['create', 'namespace', NAMESPACE])
    const absent = await absentOf([...(await crds()), ...STAND_INS])
    if (absent.length > 0) await kubectl(['create', '-f', '-'], absent)
    made.push(...absent)
    const established = absent.map(({ metadata }) => `crd/${metadata.name}`)
    if (absent.length > 0) {
      await kubectl(['wait', '--for=condition=Established', '--timeout=30s', ...established])
    }
  })

  afterAll(async () => {
    balancer?.close()
    await kubectl(['delete', '--ignore-not-found', '-f', '-'], made)
    await kubectl(['delete', 'namespace', NAMESPACE])
  })

  test.each([
    ['as it comes', {}],
    ['with everything switched on', EVERYTHING],
    ['with everything switched off', Object.fromEntries(SWITCHES.map((name) => [name, false]))],
  ])('%s, every object is accepted', async (_, values) => {
    const objects = await render(values)
    // A pod on its own, as that of helm test, is refused without its account; it goes with the namespace.
    const accounts = objects.filter(({ kind }) => kind === 'ServiceAccount')
    await kubectl(['apply', '-f', '-'], accounts)
    expect((await tryOut(objects)).trim().split('\n')).toHaveLength(objects.length)
  })

  test.each(['kamailio', 'dual-stack', 'static'])('example %s is accepted', async (name) => {
    const folder = `${ROOT}/examples/${name}`
    const text = name === 'static' ? null : await kubectl(['kustomize', folder])
    const objects =
      text === null ? [] : parseAllDocuments(text).map((one) => one.toJS() as Rendered)
    const source = text === null ? ['-f', folder] : ['-k', folder]
    await kubectl(['apply', '--dry-run=server', '--namespace', NAMESPACE, ...source])
    for (const object of objects.filter(({ kind }) => kind === 'SipProxy')) {
      expect(parseSipProxy(object)).toMatchObject({ ok: true })
    }
  })

  test('a balancer outside writes the SipBalancer of its name, and no other', async () => {
    const rights = (await render({ remoteBalancers: ['edge-1'] })).filter(
      ({ metadata }) => metadata.name === 'sipcast-balancer-edge-1',
    )
    await kubectl(['apply', '-f', '-'], rights)
    made.push(...rights, sipBalancer('edge-1'))
    const api = await asAccount('sipcast-balancer-edge-1', null)
    const write = (name: string) => api.apply(paths.sipBalancer(name), sipBalancer(name), OWN)
    await expect.poll(async () => await refusalOf(write('edge-1')), { timeout: 30_000 }).toBe('')
    expect(await refusalOf(write('edge-2'))).toContain('forbidden')
    expect(await refusalOf(api.list(paths.secrets(NAMESPACE)))).toContain('forbidden')
    const ofKeys = { fieldSelector: 'metadata.name=sipcast-keys' }
    expect(await refusalOf(api.list(paths.secrets(NAMESPACE), ofKeys))).toBe('')
    api.close()
  })

  test('a balancer writes the SipBalancer of its own node, and no other', async () => {
    const policy = (await render()).filter(isAboutBalancers).map(renamed)
    await kubectl(['apply', '-f', '-'], policy)
    made.push(...policy, { ...sipBalancer('node-a') }, { ...sipBalancer('node-b') })
    balancer = await asAccount('sipcast-balancer', 'node-a')
    const stranger = await asAccount('sipcast-balancer', null)
    const write = (api: ApiServer, name: string, more: object = {}) =>
      api.apply(paths.sipBalancer(name), { ...sipBalancer(name), ...more }, OWN)

    // A policy holds a moment after it was made.
    await expect
      .poll(async () => await refusalOf(write(balancer!, 'node-b')), { timeout: 30_000 })
      .toContain('own node only')
    expect(await refusalOf(write(balancer, 'node-a'))).toBe('')
    expect(await refusalOf(write(balancer, 'node-a', { spec: { maintenance: true } }))).toContain(
      'spec is not',
    )
    expect(await refusalOf(write(stranger, 'node-a'))).toContain('own node only')
    stranger.close()
  })
})

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

const OWN = { fieldManager: 'sipcast-balancer', force: true }

/** Of the Prometheus operator: as much as a try-out needs. */
const STAND_INS = ['PodMonitor', 'PrometheusRule'].map((kind) => {
  const [singular, plural] = [kind.toLowerCase(), `${kind.toLowerCase()}s`]
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      group: 'monitoring.coreos.com',
      scope: 'Namespaced',
      names: { kind, singular, plural },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  }
})

async function crds(): Promise<readonly Rendered[]> {
  return (await render()).filter(({ kind }) => kind === 'CustomResourceDefinition')
}

async function absentOf<T extends { metadata: { name: string } }>(
  objects: readonly T[],
): Promise<T[]> {
  const names = (await kubectl(['get', 'crd', '-o', 'name'])).split('\n')
  return objects.filter(({ metadata }) => !names.some((name) => name.endsWith(`/${metadata.name}`)))
}

function isAboutBalancers({ kind, metadata }: Rendered): boolean {
  if (kind.startsWith('ValidatingAdmissionPolicy')) return true
  return metadata.name === 'sipcast-balancer' && kind !== 'DaemonSet'
}

/** Cluster-wide objects by names of the test's own: the product may be installed here. */
function renamed(object: Rendered): Rendered {
  const text = JSON.stringify(object)
  if (object.metadata.namespace !== undefined) return object
  return JSON.parse(
    text
      .replaceAll('"name":"sipcast-own-', `"name":"${NAMESPACE}-own-`)
      .replaceAll('"policyName":"sipcast-own-', `"policyName":"${NAMESPACE}-own-`)
      .replace('"metadata":{"name":"sipcast-balancer"', `"metadata":{"name":"${NAMESPACE}"`)
      .replace(
        '"kind":"ClusterRole","name":"sipcast-balancer"',
        `"kind":"ClusterRole","name":"${NAMESPACE}"`,
      ),
  ) as Rendered
}

function sipBalancer(name: string) {
  return { apiVersion: 'sipcast.io/v1alpha1', kind: 'SipBalancer', metadata: { name } }
}

/** Empty: none. */
async function refusalOf(request: Promise<unknown>): Promise<string> {
  return await request.then(
    () => '',
    (error: unknown) => String(error),
  )
}

function rightsIn(objects: readonly Rendered[], name: string): readonly string[] {
  return objects
    .filter(({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && metadata.name === name)
    .flatMap(({ kind, rules }) =>
      (rules as readonly Rule[]).flatMap(({ apiGroups, resources, resourceNames = [], verbs }) =>
        resources.map((resource) => {
          const group = apiGroups[0] === '' ? '' : `${apiGroups[0]}/`
          const names = resourceNames.length === 0 ? '' : ` [${resourceNames.join(' ')}]`
          return `${kind} ${group}${resource}${names}: ${verbs.join(' ')}`
        }),
      ),
    )
    .toSorted()
}

function idOf({ kind, metadata }: Rendered): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`
}
