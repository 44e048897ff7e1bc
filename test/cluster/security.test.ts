/**
 * What the product may do on a cluster, by asking (`kubectl auth can-i`) and by doing (with the pods' own tokens), and
 * what its processes are to the kernel. Not here: the chart's text (chart.test.ts), who may seize an address
 * (bad-objects.test.ts).
 */
import {
  applyExample,
  EXAMPLE,
  KindCluster,
  type Kubectl,
  NAMESPACE,
  type Pod,
  runProgram,
} from '@sipcast/lab'
import { beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { clusterNeeded } from './cluster.ts'
import { type Container, Inside } from './inside.ts'
import { rightsOf } from './rights.ts'
import { deedsOfBalancer, deedsOfOperator } from './security-deeds.ts'

const OPERATOR_EVERYWHERE = [
  'bgppeers.sipcast.io/status: patch',
  'bgppeers.sipcast.io: get list watch',
  'events.events.k8s.io: create patch',
  'pods/status: patch',
  'pods: get list watch',
  'sipbalancers.sipcast.io: get list watch',
  'sipproxies.sipcast.io/status: patch',
  'sipproxies.sipcast.io: get list watch',
]
const OPERATOR_AT_HOME = [
  'configmaps: create delete get list update watch',
  'leases.coordination.k8s.io [sipcast-operator]: get update',
  'leases.coordination.k8s.io: create',
  'secrets [sipcast-keys]: get list update watch',
  'secrets: create',
]
// Nodes: for the labels of its own, and a watch cannot be bound to a name that differs from pod to pod.
const BALANCER_EVERYWHERE = [
  'bgppeers.sipcast.io: get list watch',
  'nodes: get list watch',
  'sipbalancers.sipcast.io/status: patch',
  'sipbalancers.sipcast.io: create get list patch watch',
]
const BALANCER_AT_HOME = ['configmaps: get list watch']

/** All processes but the announcer are as the restricted profile wants them. */
const RESTRICTED = { CapEff: 0n, CapPrm: 0n, CapBnd: 0n, NoNewPrivs: 1, Seccomp: 2, Uid: 65532 }
/** It starts a program whose file has this capability: so it may gain it, and has none itself. */
const NET_ADMIN = 1n << 12n
const ANNOUNCING = { ...RESTRICTED, CapBnd: NET_ADMIN, NoNewPrivs: 0 }

/** What hostNetwork, NET_ADMIN and the folder on the node force; no other pod is among them. */
const DEVIATIONS = [
  'host namespaces',
  'hostPort',
  'allowPrivilegeEscalation != false',
  'unrestricted capabilities',
  'restricted volume types',
  'runAsNonRoot != true',
  'runAsUser=0',
]

const FOLDERS = ['/', '/tmp', '/var/tmp', '/etc', '/opt/sipcast', '/usr/lib/sipcast', '/home']

describe.runIf(requires(clusterNeeded))('security', () => {
  let kubectl: Kubectl
  let inside: Inside
  let operator: Container
  let balancer: Container
  let announcer: Container
  let node: string
  let otherNode: string

  beforeAll(async () => {
    kubectl = new KindCluster({
      name: process.env['SIPCAST_TEST_CLUSTER']!,
      kubeconfig: process.env['SIPCAST_TEST_KUBECONFIG']!,
    }).kubectl
    await applyExample(kubectl)
    inside = new Inside(kubectl)
    const [leader] = await podsOf('operator')
    const [here, there] = await podsOf('balancer')
    operator = { pod: leader!.metadata.name, name: 'operator' }
    balancer = { pod: here!.metadata.name, name: 'balancer' }
    announcer = { pod: here!.metadata.name, name: 'announcer' }
    node = here!.spec.nodeName!
    otherNode = there!.spec.nodeName!
  })

  test.each([
    ['sipcast-operator', OPERATOR_EVERYWHERE, OPERATOR_AT_HOME],
    ['sipcast-balancer', BALANCER_EVERYWHERE, BALANCER_AT_HOME],
    ['default', [], []],
  ])('%s may do exactly this, everywhere and at home', async (account, everywhere, atHome) => {
    for (const namespace of [EXAMPLE.namespace, 'kube-system']) {
      expect(await rightsOf(kubectl, account, namespace)).toEqual(everywhere)
    }
    const home = await rightsOf(kubectl, account, NAMESPACE)
    expect(home).toEqual([...everywhere, ...atHome].toSorted())
  })

  test("what the operator's own token is good for", async () => {
    const deeds = deedsOfOperator({ pod: 'registrar-0', node })
    const answers = await inside.ask(operator, deeds)
    expect(outcomes(deeds, answers)).toEqual(deeds.map(({ what, may }) => [what, may]))
  })

  test("what a balancer's own token is good for", async () => {
    const deeds = deedsOfBalancer({ node, otherNode })
    const answers = await inside.ask(balancer, deeds)
    expect(outcomes(deeds, answers)).toEqual(deeds.map(({ what, may }) => [what, may]))
    for (const [index, { because }] of deeds.entries()) {
      if (because !== undefined) expect(answers[index]!.message).toContain(because)
    }
  })

  test('processes have no privilege, but for the one that the announcer may gain', async () => {
    for (const container of [operator, balancer]) {
      expect(privilegesIn(await inside.process(container))).toEqual(RESTRICTED)
    }
    expect(privilegesIn(await inside.process(announcer))).toEqual(ANNOUNCING)
    const registrar = { pod: 'registrar-0', name: 'kamailio', namespace: EXAMPLE.namespace }
    expect(privilegesIn(await inside.process(registrar))).toEqual(RESTRICTED)
  })

  test('what they write to is what they need', async () => {
    const readOnly = Object.fromEntries(FOLDERS.map((folder) => [folder, 'EROFS']))
    expect(await inside.write(operator, FOLDERS)).toEqual(readOnly)
    const own = ['/var/lib/sipcast', '/run/sipcast']
    const written = Object.fromEntries(own.map((folder) => [folder, 'written']))
    const keys = { '/etc/sipcast/keys': 'EROFS' }
    expect(await inside.write(balancer, [...FOLDERS, ...own, '/etc/sipcast/keys'])).toEqual({
      ...readOnly,
      ...written,
      ...keys,
    })
    const its = { '/var/lib/sipcast': 'ENOENT', '/run/sipcast': 'written' }
    expect(await inside.write(announcer, [...FOLDERS, ...Object.keys(its)])).toEqual({
      ...readOnly,
      ...its,
    })
  })

  test('the announcer has neither a token nor the keys', async () => {
    for (const path of ['/var/run/secrets', '/etc/sipcast/keys']) {
      expect(await inside.has(announcer, path)).toBe(false)
      expect(await inside.has(balancer, path)).toBe(true)
    }
  })

  test('the restricted profile is missed by the balancers alone, and only where it must be', async () => {
    const [, ...violations] = await warningsOf(NAMESPACE)
    expect(violations).toHaveLength(1)
    const [, pods, list] = /^Warning: (\S+)(?: \(and \d+ other pods?\))?: (.*)$/
      .exec(violations[0]!)!
      .slice() as [string, string, string]
    expect(pods).toMatch(/^sipcast-balancer-/)
    expect(list.split(', ').toSorted()).toEqual(DEVIATIONS.toSorted())
    expect(await warningsOf(EXAMPLE.namespace)).toEqual([])
  })

  async function podsOf(component: string): Promise<Pod[]> {
    const selector = `app.kubernetes.io/component=${component}`
    return await kubectl.list<Pod>('pods', '-n', NAMESPACE, '-l', selector)
  }

  /** What the API server would say of a namespace's pods if it enforced the restricted profile there. */
  async function warningsOf(namespace: string): Promise<string[]> {
    const label = 'pod-security.kubernetes.io/enforce=restricted'
    const words = ['label', 'namespace', namespace, '--dry-run=server', '--overwrite', label]
    let said = ''
    await runProgram('kubectl', [...kubectl.access, ...words], {
      onWords: (piece) => {
        said += piece
      },
    })
    return said.split('\n').filter((line) => line.startsWith('Warning: '))
  }
})

function outcomes(
  deeds: readonly { readonly what: string }[],
  answers: readonly { readonly status: number }[],
): readonly (readonly [string, boolean | number])[] {
  const meaning: Readonly<Record<number, boolean>> = { 200: true, 201: true, 403: false }
  return deeds.map(({ what }, index) => {
    const { status } = answers[index]!
    return [what, meaning[status] ?? status]
  })
}

function privilegesIn(status: Readonly<Record<string, string>>): typeof RESTRICTED {
  const set = (name: string) => BigInt(`0x${status[name]}`)
  const number = (name: string) => Number(status[name]!.split('\t', 1)[0])
  return {
    CapEff: set('CapEff'),
    CapPrm: set('CapPrm'),
    CapBnd: set('CapBnd'),
    NoNewPrivs: number('NoNewPrivs'),
    Seccomp: number('Seccomp'),
    Uid: number('Uid'),
  }
}
