/**
 * The product uninstalled: nothing of it hangs, what is kept is kept, and installed again it goes on where it was; and
 * with the chart's README in hand nothing at all is left. It leaves the cluster as it found it.
 * Not here: single objects that go away (bad-objects.test.ts).
 */
import { applyExample, EXAMPLE, install, NAMESPACE, runProgram, untilServed } from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { read } from '../repository.ts'
import { requires } from '../requires.ts'
import { Bystander } from './bystander.ts'
import { Cluster, clusterNeeded } from './cluster.ts'
import { Figures, seconds } from './figures.ts'
import { heldOn } from './held.ts'
import { namespaceOf, sipProxy } from './manifests.ts'
import { OutsideProxies } from './outside-proxies.ts'

const DOOMED = 'sipcast-uninstall'
const ADDRESS = '203.0.113.51'
/** The lifetime of a held address is 10 s, for balancers that die; these end in order. */
const RELEASED_MAX_MS = 10_000
const PATIENCE_MS = 90_000
const CRDS = ['bgppeers', 'sipbalancers', 'sipproxies'].map((plural) => `${plural}.sipcast.io`)

/** Nobody talks to it: this cluster announces nothing. */
const ROUTER = { name: 'router', peerAddress: '192.0.2.1', peerASN: 64_601, localASN: 64_512 }
const ROUTERS = { bgp: { peers: [ROUTER] } }

describe.runIf(requires('network-namespaces', clusterNeeded))('uninstalled', () => {
  const figures = new Figures('uninstalled')
  let cluster: Cluster
  let proxies: OutsideProxies
  let bystander: Bystander
  let tag: string
  let isInstalled = true

  beforeAll(async () => {
    cluster = await Cluster.take()
    proxies = await OutsideProxies.start(cluster)
    bystander = await Bystander.settle(cluster)
    tag = await imageTag()
    await cluster.kubectl.apply(namespaceOf(DOOMED))
    const spec = { addresses: [ADDRESS], proxies: { static: proxies.static } }
    await cluster.kubectl.apply(sipProxy(DOOMED, 'voice', spec))
    await untilServed(cluster.kubectl, DOOMED, 'voice')
  })
  afterAll(async () => {
    if (!isInstalled) {
      await install({ kubectl: cluster.kubectl, tag })
      await applyExample(cluster.kubectl)
    }
    await cluster?.kubectl.run('delete', 'namespace', DOOMED, '--ignore-not-found')
    await bystander?.leave()
    proxies?.close()
    await cluster?.close()
    figures.print()
  })

  test('pods go, addresses are let go of within seconds', async () => {
    for (const { name } of cluster.carriers) {
      expect(await heldOn(name)).toEqual(expect.arrayContaining([EXAMPLE.address, ADDRESS]))
    }
    isInstalled = false
    const release = ['uninstall', 'sipcast', '--namespace', NAMESPACE]
    await runProgram('helm', [...cluster.kubectl.forHelm, ...release])
    await cluster.until('no pod', async () => (await podsLeft()) === 0, PATIENCE_MS)
    const endedMs = performance.now()
    for (const { name } of cluster.carriers) {
      await cluster.until('no address', async () => (await heldOn(name)).length === 0)
    }
    const tookMs = performance.now() - endedMs
    figures.note(`pods gone → no node holds an address ${seconds(tookMs)}`)
    expect(tookMs).toBeLessThan(RELEASED_MAX_MS)
  })

  test('nothing of it is left to run or to permit; resources, tables and keys are kept', async () => {
    const kinds = [
      'all,serviceaccounts,roles,rolebindings,poddisruptionbudgets',
      'clusterroles,clusterrolebindings',
      'validatingadmissionpolicies,validatingadmissionpolicybindings',
    ].join()
    const label = 'app.kubernetes.io/name=sipcast'
    expect(await names('get', kinds, '-n', NAMESPACE, '-l', label)).toEqual([])
    const kept = await names('get', 'crds')
    for (const crd of CRDS) {
      expect(kept).toContain(`customresourcedefinition.apiextensions.k8s.io/${crd}`)
    }
    expect(await names('get', 'configmaps', '-n', NAMESPACE, '-l', 'sipcast.io/table')).toEqual([
      `configmap/sipcast-table-${EXAMPLE.namespace}.${EXAMPLE.sipProxy}`,
      `configmap/sipcast-table-${DOOMED}.voice`,
    ])
    expect(await names('get', 'secret', '-n', NAMESPACE)).toContain('secret/sipcast-keys')
  })

  test('without an operator too, a SipProxy and its namespace can be deleted', async () => {
    await cluster.kubectl.run('delete', 'namespace', DOOMED, '--timeout=60s')
    const { metadata } = await cluster.sipProxy()
    expect(metadata).not.toHaveProperty('finalizers')
  })

  test('installed again, it goes on where it was, and sweeps what is gone', async () => {
    const beganMs = performance.now()
    await install({ kubectl: cluster.kubectl, tag })
    isInstalled = true
    await untilServed(cluster.kubectl, EXAMPLE.namespace, EXAMPLE.sipProxy)
    figures.note(`helm install → serving ${seconds(performance.now() - beganMs)}`)
    await bystander.expectUnmoved()
    for (const { name } of cluster.carriers) {
      expect(await heldOn(name)).toContain(EXAMPLE.address)
      const isFree = async () => !(await heldOn(name)).includes(ADDRESS)
      await cluster.until(`${ADDRESS} free`, isFree, PATIENCE_MS)
    }
    const isSwept = async () => (await cluster.table('voice', DOOMED)) === null
    await cluster.until('its table gone', isSwept, PATIENCE_MS)
  })

  test("by the commands of the chart's README nothing stays; then it is as if it had never been", async () => {
    const beganMs = performance.now()
    isInstalled = false
    for (const command of commandsAfter('To leave nothing behind:')) {
      await runProgram('bash', ['-c', command], {
        env: { KUBECONFIG: cluster.kubectl.kubeconfig! },
      })
    }
    figures.note(`everything taken away ${seconds(performance.now() - beganMs)}`)
    expect(await everythingCalledSipcast()).toEqual([])
    for (const { name } of cluster.carriers) expect(await heldOn(name)).toEqual([])
    await install({ kubectl: cluster.kubectl, tag, values: ROUTERS })
    await applyExample(cluster.kubectl)
    isInstalled = true
    await bystander.expectServed()
  })

  test('a router by values came with its very resource; an upgrade adopts it, and takes it away', async () => {
    const made = await peerUid()
    expect(made).toMatch(/./)
    await install({ kubectl: cluster.kubectl, tag, values: ROUTERS })
    expect(await peerUid()).toBe(made)
    await install({ kubectl: cluster.kubectl, tag })
    expect(await peerUid()).toBe('')
  })

  /** Empty: it is not there. */
  async function peerUid(): Promise<string> {
    const words = ['--ignore-not-found', '-o', 'jsonpath={.metadata.uid}']
    return await cluster.kubectl.run('get', 'bgppeer', ROUTER.name, ...words)
  }

  function commandsAfter(words: string): readonly string[] {
    const { text } = read('charts/sipcast/README.md')
    const [, block = ''] = text.slice(text.indexOf(words)).split(/^```$/m)
    const commands = block.trim().split('\n')
    expect(commands).toHaveLength(4)
    return commands
  }

  /** Objects of all kinds, in all namespaces, that are called after the product or its group. */
  async function everythingCalledSipcast(): Promise<readonly string[]> {
    const kinds = await cluster.kubectl.run('api-resources', '--verbs=list', '-o', 'name')
    const isEvent = (kind: string) => /^events(\.|$)/.test(kind)
    const wanted = kinds.split('\n').filter((kind) => kind !== '' && !isEvent(kind))
    const all = await names('get', wanted.join(), '--all-namespaces', '--ignore-not-found')
    // The nodes, and what is called after them, have the cluster's name.
    const own = all.map((name) => name.replaceAll(cluster.kind.name, ''))
    return own.filter((name) => name.includes('sipcast'))
  }

  async function imageTag(): Promise<string> {
    const image = '-o=jsonpath={.spec.template.spec.containers[0].image}'
    const words = ['get', 'deployment', 'sipcast-operator', '-n', NAMESPACE, image]
    return (await cluster.kubectl.run(...words)).split(':').at(-1)!
  }

  async function podsLeft(): Promise<number> {
    const [operators, balancers] = [cluster.podsOf('operator'), cluster.podsOf('balancer')]
    return (await operators).length + (await balancers).length
  }

  async function names(...args: readonly string[]): Promise<readonly string[]> {
    const printed = await cluster.kubectl.run(...args, '-o', 'name')
    return printed.split('\n').filter((name) => name !== '')
  }
})
