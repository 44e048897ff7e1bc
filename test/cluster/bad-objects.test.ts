/**
 * Bad objects, objects in other hands and objects that go away: each gets its word, and a good SipProxy never notices,
 * which is looked at after each: its table is the very same, and its users are called. Not here: every rule of a spec
 * (crds.test.ts), the product itself going away (uninstall.test.ts).
 */
import { EXAMPLE, NAMESPACE as SYSTEM } from '@sipcast/lab'
import { encodeTable, sealTable } from '@sipcast/mapping'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { Bystander, expectSameOwners } from './bystander.ts'
import { Cluster, clusterNeeded } from './cluster.ts'
import { columnsOf } from './columns.ts'
import { heldOn } from './held.ts'
import { listOf, namespaceOf, sipProxy } from './manifests.ts'
import { OutsideProxies } from './outside-proxies.ts'

const NAMESPACE = 'sipcast-bad-objects'
const DOOMED = 'sipcast-bad-objects-doomed'
const OUTSIDE_POOLS = '198.51.100.7'
const CONTESTED = '203.0.113.41'
const FREED = '203.0.113.42'
const BURST = 20
/** A table is gone once all balancers have dropped it, or after a minute. */
const GONE_PATIENCE_MS = 90_000
const TABLE = ['configmap', `sipcast-table-${EXAMPLE.namespace}.${EXAMPLE.sipProxy}`, '-n', SYSTEM]
const KEYS = ['secret', 'sipcast-keys', '-n', SYSTEM]

/** What is wrong, how it comes about, what the API server says. */
const refused: readonly (readonly [string, object, RegExp])[] = [
  ['a port beyond all', { port: 70_000 }, /spec\.port: Invalid value: 70000/],
  ['no power of two', { mapping: { slots: 1000 } }, /spec\.mapping\.slots/],
  [
    'patience beyond the interval',
    { probe: { timeout: '9s' } },
    /spec\.probe\.timeout: .*longer than interval/,
  ],
  ['one address twice', { addresses: [FREED, FREED] }, /spec\.addresses: .*named twice/],
  ['nobody to serve', { proxies: {} }, /spec\.proxies: /],
  ['a word that is none', { adresses: [FREED] }, /unknown field "spec\.adresses"/],
]

describe.runIf(requires('network-namespaces', clusterNeeded))('bad objects', () => {
  let cluster: Cluster
  let proxies: OutsideProxies
  let bystander: Bystander

  beforeAll(async () => {
    cluster = await Cluster.take()
    proxies = await OutsideProxies.start(cluster)
    await cluster.kubectl.apply(listOf([NAMESPACE, DOOMED].map(namespaceOf)))
    bystander = await Bystander.settle(cluster)
  })
  afterEach(async () => await bystander.expectUntouched())
  afterAll(async () => {
    await cluster?.kubectl.run('delete', 'namespace', NAMESPACE, DOOMED, '--ignore-not-found')
    await bystander?.leave()
    proxies?.close()
    await cluster?.close()
  })

  test.each(refused)('%s is refused at once, by name', async (_, change, words) => {
    await expect(cluster.kubectl.apply(manifest('refused', change))).rejects.toThrow(words)
  })

  test('another number of slots is refused: everybody would move', async () => {
    await cluster.kubectl.apply(manifest('settled', { addresses: [FREED] }))
    const change = cluster.kubectl.apply(
      manifest('settled', { addresses: [FREED], mapping: { slots: 128 } }),
    )
    await expect(change).rejects.toThrow(/spec\.mapping\.slots|spec\.mapping: .*slots/)
    await remove('settled')
  })

  test('an address outside the pools: a condition says what to do, and no node holds it', async () => {
    await cluster.kubectl.apply(manifest('outside', { addresses: [OUTSIDE_POOLS] }))
    const said = await until('outside', 'Accepted', 'False')
    expect(said).toContain('AddressNotAllowed')
    expect(said).toContain(`spec.addresses[0]: ${OUTSIDE_POOLS} is in no address pool`)
    expect(said).toContain('203.0.113.0/24')
    await expectRow('outside', { READY: 'False', REASON: 'NotAccepted', BALANCERS: '0/0' })
    expect(await cluster.table('outside', NAMESPACE)).toBeNull()
    for (const { name } of cluster.carriers) expect(await heldOn(name)).not.toContain(OUTSIDE_POOLS)
    await remove('outside')
  })

  test('one address of two: the first keeps it, and when it goes, the other gets it', async () => {
    const theirs = { addresses: [CONTESTED] }
    await cluster.kubectl.apply(manifest('first', theirs))
    await until('first', 'Ready', 'True')
    await cluster.kubectl.apply(manifest('second', theirs))
    const said = await until('second', 'Accepted', 'False')
    expect(said).toContain('AddressConflict')
    expect(said).toContain(
      `${CONTESTED} port 5060 is already served by SipProxy ${NAMESPACE}/first`,
    )
    expect(await conditionOf('first', 'Ready')).toMatch(/^True/)
    await remove('first')
    await until('second', 'Ready', 'True')
    for (const { name } of cluster.carriers) expect(await heldOn(name)).toContain(CONTESTED)
    await remove('second')
  })

  test('the address of the good one is not to be had', async () => {
    await cluster.kubectl.apply(manifest('rival', { addresses: [EXAMPLE.address] }))
    expect(await until('rival', 'Accepted', 'False')).toContain(
      `already served by SipProxy ${EXAMPLE.namespace}/${EXAMPLE.sipProxy}`,
    )
    await remove('rival')
  })

  test('a selector that matches nothing, or a pod without an address: nobody to serve', async () => {
    const selector = { matchLabels: { app: 'nobody' } }
    await cluster.kubectl.apply(manifest('lonely', { addresses: [FREED], proxies: { selector } }))
    expect(await until('lonely', 'Ready', 'False')).toContain('NoProxies')
    await cluster.kubectl.apply(podOnNoNode('nobody'))
    await cluster.kubectl.run('annotate', 'sipproxy', 'lonely', '-n', NAMESPACE, 'looked=again')
    await expectRow('lonely', { READY: 'False', REASON: 'NoProxies', PROXIES: '0/0' })
    expect(await conditionOf('lonely', 'Accepted')).toMatch(/^True/)
    await remove('lonely')
  })

  test('made and deleted at once, in bursts: nothing of them stays', async () => {
    const names = Array.from({ length: BURST }, (_, index) => `burst-${index}`)
    const objects = names.map((name, index) =>
      manifest(name, { addresses: [FREED], port: 7000 + index }),
    )
    for (let round = 0; round < 2; round++) {
      await cluster.kubectl.apply(listOf(objects))
      await cluster.kubectl.run('delete', 'sipproxies', '-n', NAMESPACE, ...names, '--wait=false')
    }
    await cluster.until(
      'no tables',
      async () => (await tablesOf(NAMESPACE)) === '',
      GONE_PATIENCE_MS,
    )
    const operator = ['-l', 'app.kubernetes.io/component=operator', '-n', SYSTEM]
    const said = await cluster.kubectl.run('logs', ...operator, '--tail=-1', '--since=3m')
    expect(said).not.toContain('"event":"PassFailed"')
    for (const { name } of cluster.carriers) await untilNotHeld(FREED, name)
  })

  test('its table deleted or spoilt by hand: the very same is written again', async () => {
    const before = await cluster.table()
    await cluster.kubectl.run('delete', ...TABLE)
    await cluster.until('a table again', async () => (await cluster.table()) !== null)
    await edit('{}')
    const isRepaired = async () =>
      (await cluster.table().catch(() => null))?.sha256 === before!.sha256
    await cluster.until('a good table again', isRepaired)
    await cluster.kubectl.run('label', ...TABLE, 'sipcast.io/table-')
    await cluster.until('its label', async () =>
      (await tablesOf(EXAMPLE.namespace)).includes(EXAMPLE.sipProxy),
    )
  })

  test('the keys deleted: the same are back, and calls that stand go on', async () => {
    const data = async () => (await cluster.kubectl.json<{ data: object }>('get', ...KEYS)).data
    const before = await data()
    const callee = await cluster.registered('keys-1')
    const session = await (await cluster.registered('keys-2')).call(callee.user).answered
    await cluster.kubectl.run('delete', ...KEYS)
    const isBack = async () => await data().catch(() => null)
    expect(await cluster.until('keys again', isBack)).toEqual(before)
    expect((await session.reinvite()).status).toBe(200)
    expect((await session.hangUp()).status).toBe(200)
  })

  test('a namespace deleted: table gone, address free, and another may have it', async () => {
    await cluster.kubectl.apply(manifest('voice', { addresses: [FREED] }, DOOMED))
    await until('voice', 'Ready', 'True', DOOMED)
    await cluster.kubectl.run('delete', 'namespace', DOOMED, '--timeout=60s')
    await cluster.until('no table', async () => (await tablesOf(DOOMED)) === '', GONE_PATIENCE_MS)
    for (const { name } of cluster.carriers) await untilNotHeld(FREED, name)
    await cluster.kubectl.apply(manifest('heir', { addresses: [FREED] }))
    await until('heir', 'Ready', 'True')
    await remove('heir')
  })

  test("a stranger's table with other owners: written over under a later epoch, nobody moves", async () => {
    const before = (await cluster.table())!
    const theirs = sealTable({ ...before, epoch: before.epoch + 5, owners: before.backups })
    await edit(encodeTable(theirs))
    const isOver = async () => ((await cluster.table())?.epoch ?? 0) > theirs.epoch
    await cluster.until('a later epoch', isOver)
    expectSameOwners(before, (await cluster.table())!)
    await bystander.takeNote()
  })

  function manifest(name: string, change: object, namespace = NAMESPACE): object {
    const all = { addresses: [FREED], proxies: { static: proxies.static }, mapping: { slots: 64 } }
    return sipProxy(namespace, name, { ...all, ...change })
  }

  function podOnNoNode(app: string): object {
    const container = { name: 'sip', image: 'sipcast-kamailio:dev' }
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: app, namespace: NAMESPACE, labels: { app } },
      spec: { nodeSelector: { 'sipcast.io/nowhere': 'true' }, containers: [container] },
    }
  }

  async function remove(name: string): Promise<void> {
    await cluster.kubectl.run('delete', 'sipproxy', name, '-n', NAMESPACE, '--timeout=30s')
  }

  async function edit(text: string): Promise<void> {
    const patch = JSON.stringify({ data: { 'table.json': text } })
    await cluster.kubectl.run('patch', ...TABLE, '--type=merge', '-p', patch)
  }

  /** `STATUS REASON: MESSAGE`; empty while there is none. */
  async function conditionOf(name: string, type: string, namespace = NAMESPACE): Promise<string> {
    const { status } = await cluster.sipProxy(name, namespace)
    const found = status?.conditions.find((condition) => condition.type === type)
    return found === undefined ? '' : `${found.status} ${found.reason}: ${found.message}`
  }

  async function until(
    name: string,
    type: string,
    status: string,
    namespace = NAMESPACE,
  ): Promise<string> {
    return await cluster.until(`${name}: ${type} ${status}`, async () => {
      const said = await conditionOf(name, type, namespace)
      return said.startsWith(status) && said
    })
  }

  async function expectRow(name: string, cells: Readonly<Record<string, string>>): Promise<void> {
    const printed = await cluster.kubectl.run('get', 'sipproxy', name, '-n', NAMESPACE)
    expect(columnsOf(printed)[0]).toMatchObject(cells)
  }

  /** By their label, as balancers find them. */
  async function tablesOf(namespace: string): Promise<string> {
    const args = ['get', 'configmaps', '-n', SYSTEM, '-l', 'sipcast.io/table=1', '-o', 'name']
    const names = (await cluster.kubectl.run(...args)).split('\n')
    return names.filter((name) => name.includes(`/sipcast-table-${namespace}.`)).join('\n')
  }

  async function untilNotHeld(address: string, node: string): Promise<void> {
    const isFree = async () => !(await heldOn(node)).includes(address)
    await cluster.until(`${address} not held on ${node}`, isFree)
  }
})
