/**
 * What `kubectl describe sipproxy` and `kubectl get events` tell of a pool's life: each thing that befell it, in
 * words that name it. Not here: how many Events there may be (test/integration/operator-on-kubernetes-events.test.ts).
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { requires } from '../requires.ts'
import { Cluster, clusterNeeded } from './cluster.ts'
import { namespaceOf, sipProxy } from './manifests.ts'
import { OutsideProxies } from './outside-proxies.ts'

const NAMESPACE = 'sipcast-events'
const NAME = 'voice'
const ADDRESS = '203.0.113.45'
const SLOTS = 64
const PATIENCE = { timeout: 60_000, interval: 250 }

describe.runIf(requires('network-namespaces', clusterNeeded))('Events', () => {
  let cluster: Cluster
  let proxies: OutsideProxies

  beforeAll(async () => {
    cluster = await Cluster.take()
    proxies = await OutsideProxies.start(cluster)
    await cluster.kubectl.apply(namespaceOf(NAMESPACE))
    await apply()
    await cluster.untilBalanced(NAME, NAMESPACE)
  })
  afterAll(async () => {
    await cluster?.kubectl.run('delete', 'namespace', NAMESPACE, '--ignore-not-found')
    proxies?.close()
    await cluster?.close()
  })

  test('a proxy that fails: who, why, and how many users moved', async () => {
    const [, failing] = proxies.responders
    failing!.kill()
    await told('Warning +ProxyDown', `proxy p1 \\(${failing!.address}:${failing!.port}\\) is Down`)
    await told('Normal +TablePublished', `epoch [0-9]+: ${SLOTS / 2} of ${SLOTS} slots moved`)
    await failing!.start()
    await told('Normal +ProxyUp', 'proxy p1 .* is Up: Answers')
  })

  test('a spec that is refused, and mended', async () => {
    await apply(['198.51.100.9'])
    await told('Warning +AddressNotAllowed', '198.51.100.9 is in no address pool')
    await apply()
    await told('Normal +Accepted', `${NAMESPACE}/${NAME} is valid again`)
  })

  test('kubectl get events finds them by the object', async () => {
    const where = ['--field-selector', `involvedObject.kind=SipProxy,involvedObject.name=${NAME}`]
    const printed = await cluster.kubectl.run('get', 'events', '-n', NAMESPACE, ...where)
    for (const reason of ['ProxyDown', 'TablePublished', 'AddressNotAllowed']) {
      expect(printed).toMatch(new RegExp(` ${reason} +sipproxy/${NAME} `))
    }
  })

  async function apply(addresses: readonly string[] = [ADDRESS]): Promise<void> {
    const handBack = { after: '1s', maxMovedPercent: 100, per: '1s' }
    const mapping = { slots: SLOTS, handBack }
    const spec = { addresses, mapping, proxies: { static: proxies.static } }
    await cluster.kubectl.apply(sipProxy(NAMESPACE, NAME, spec))
  }

  async function told(reason: string, words: string): Promise<void> {
    const line = new RegExp(`^ +${reason} .* ${words}`, 'm')
    await vi.waitFor(async () => {
      const said = await cluster.kubectl.run('describe', 'sipproxy', NAME, '-n', NAMESPACE)
      const events = said.slice(said.lastIndexOf('\nEvents:'))
      expect(events).toMatch(line)
    }, PATIENCE)
  }
})
