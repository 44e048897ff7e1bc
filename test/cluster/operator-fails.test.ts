/**
 * The operator and the API server fail: killed, two leaders, none, no API server, all at once started anew with a
 * hundred SipProxies. Nobody moves who need not, epochs only grow, calls go on, and what is missed is made up for
 * within seconds. Not here: every fault of an API server (test/integration), proxies that fail in good times
 * (proxies-fail.test.ts).
 */
import { EXAMPLE, NAMESPACE as SYSTEM, type Phone, type Pod } from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ownerIn } from '../integration/system.ts'
import { requires } from '../requires.ts'
import { Bystander } from './bystander.ts'
import { Cluster, clusterNeeded } from './cluster.ts'
import { withoutControlPlane } from './control-plane.ts'
import { signalPod } from './faults.ts'
import { Figures, seconds } from './figures.ts'
import { listOf, namespaceOf, sipProxy } from './manifests.ts'
import { Operators } from './operators.ts'
import { OutsideProxies } from './outside-proxies.ts'
import { TableWrites } from './table-writes.ts'
import { Witness } from './witness.ts'

const NAMESPACE = 'sipcast-operator-fails'
const POOL = `${EXAMPLE.namespace}/${EXAMPLE.sipProxy}`
const MANY = 100
const MANY_ADDRESS = '203.0.113.31'
const MANY_PORT = 6000
const SLOW_PROBE = { interval: '2s', timeout: '1s', fall: 5 }
const MANY_PATIENCE_MS = 120_000
const SIGKILLED = 128 + 9
/** For balancers to find out by themselves: their period times `fall`, and a busy machine's share. */
const BRIDGE_PATIENCE_MS = 30_000
/** From the API server's being back to the last balancer's using what it missed. */
const BACK_IN_SYNC_MAX_MS = 20_000

describe.runIf(requires('network-namespaces', clusterNeeded))('the operator fails', () => {
  const figures = new Figures('the operator fails')
  let cluster: Cluster
  let operators: Operators
  let proxies: OutsideProxies
  let writes: TableWrites
  let bystander: Bystander
  let witness: Witness

  beforeAll(async () => {
    cluster = await Cluster.take()
    operators = new Operators(cluster)
    proxies = await OutsideProxies.start(cluster)
    await cluster.kubectl.apply(namespaceOf(NAMESPACE))
    bystander = await Bystander.settle(cluster)
    writes = await TableWrites.follow(cluster)
    witness = await Witness.make(cluster, writes, { namespace: NAMESPACE, proxies: proxies.static })
  })
  afterAll(async () => {
    await cluster?.kubectl.run('delete', 'namespace', NAMESPACE, '--ignore-not-found')
    await operators?.untilReady()
    await bystander?.leave()
    writes?.stop()
    proxies?.close()
    await cluster?.close()
    figures.print()
  })

  test('the leader is killed: whoever is there goes on', async () => {
    const [before, sinceMs] = [writes.latest(POOL)!, performance.now()]
    const leader = await operators.leader()
    await signalPod(leader, 'KILL')
    figures.note(`leader killed → a change of a spec in its table ${await witness.isFollowed()}`)
    await stamped(before.leaseTransitions)
    writes.expectOnlyStamps(POOL, before, sinceMs)
    await bystander.expectUnmoved()
    // The kubelet starts it again in its own time: those after this need both.
    expect(await operators.exitCodeOf(leader)).toBe(SIGKILLED)
    await operators.untilReady()
  })

  test('both are killed, and their pods with them: new ones go on', async () => {
    const [before, sinceMs] = [writes.latest(POOL)!, performance.now()]
    for (const pod of await operators.pods()) await killPod(pod)
    await bystander.expectUnmoved()
    figures.note(`both pods killed → a change of a spec in its table ${await witness.isFollowed()}`)
    await operators.untilReady()
    writes.expectOnlyStamps(POOL, before, sinceMs)
    await bystander.expectUnmoved()
  })

  test('the lease is taken away by hand: the leader ends, another begins', async () => {
    const [before, sinceMs] = [writes.latest(POOL)!, performance.now()]
    const first = await operators.leader()
    await operators.takeLeaseAway()
    expect(await operators.exitCodeOf(first)).toBe(1)
    figures.note(`lease taken away → a change of a spec in its table ${await witness.isFollowed()}`)
    writes.expectOnlyStamps(POOL, before, sinceMs)
    await bystander.expectUnmoved()
  })

  test('two lead: the older, woken up, ends and writes nothing', async () => {
    const [before, beforeOfWitness] = [writes.latest(POOL)!, writes.latest(witness.id)!]
    const sinceMs = performance.now()
    const older = await operators.leader()
    await signalPod(older, 'STOP')
    const generation = await witness.change()
    await stamped(before.leaseTransitions)
    figures.note(`leader frozen → another's first word ${seconds(performance.now() - sinceMs)}`)
    // Until it looks at the lease, it thinks that it leads, and that there is a table to write.
    await signalPod(older, 'CONT')
    expect(await operators.exitCodeOf(older)).toBe(1)
    await witness.isIn(generation)
    await witness.isFollowed()
    writes.expectInOrder(witness.id, beforeOfWitness, sinceMs)
    writes.expectOnlyStamps(POOL, before, sinceMs)
    await bystander.expectUnmoved()
  })

  test('started anew with a hundred SipProxies: a stamp on each table, and nothing else', async () => {
    const ids = Array.from({ length: MANY }, (_, index) => `${NAMESPACE}/many-${index}`)
    await cluster.kubectl.apply(listOf(ids.map((_, index) => oneOfMany(index))))
    await cluster.until('a hundred that serve', isEachServed, MANY_PATIENCE_MS)
    const watched = [POOL, ...ids]
    const before = new Map(watched.map((id) => [id, writes.latest(id)!]))
    const sinceMs = performance.now()
    await operators.roll()
    await witness.isFollowed()
    const { leaseTransitions } = await operators.lease()
    const isStamped = (id: string) => writes.latest(id)!.leaseTransitions === leaseTransitions
    await cluster.until('stamps on all tables', async () => watched.every(isStamped))
    figures.note(
      `operators rolled, ${MANY} SipProxies → all stamped ${seconds(performance.now() - sinceMs)}`,
    )
    for (const id of watched) writes.expectOnlyStamps(id, before.get(id)!, sinceMs)
    await bystander.expectUnmoved()
    await cluster.kubectl.run('delete', 'sipproxies', '-n', NAMESPACE, '-l', 'many=true')
  })

  test('no API server while a proxy dies: balancers bridge it; it is made up for in seconds', async () => {
    const dead = await cluster.pods('statefulset.kubernetes.io/pod-name=registrar-1')
    const phones = await phonesOf('registrar-1')
    const before = writes.latest(POOL)!
    const backMs = await withoutControlPlane(cluster, async () => {
      await signalPod(dead[0]!, 'STOP')
      figures.note(`no API server, proxy frozen → served by its backup ${await isBridged(phones)}`)
    })
    try {
      const inUseMs = await untilAvoided('registrar-1', before.epoch)
      figures.note(
        `API server back → a table without the proxy in use ${seconds(inUseMs - backMs)}`,
      )
      expect(inUseMs - backMs).toBeLessThan(BACK_IN_SYNC_MAX_MS)
    } finally {
      await signalPod(dead[0]!, 'CONT')
    }
    await cluster.untilBalanced()
    await bystander.expectServed()
  })

  test('nor an operator, and a balancer starts anew: it serves from its last good tables', async () => {
    const dead = await cluster.pods('statefulset.kubernetes.io/pod-name=registrar-2')
    const balancers = await cluster.podsOf('balancer')
    const phones = await phonesOf('registrar-2')
    const before = writes.latest(POOL)!
    await operators.scale(0)
    try {
      await withoutControlPlane(cluster, async () => {
        await signalPod(dead[0]!, 'STOP')
        figures.note(`no operator either → served by its backup ${await isBridged(phones)}`)
        for (const node of cluster.carriers) {
          const balancer = balancers.find(({ spec }) => spec.nodeName === node.name)!
          await signalPod(balancer, 'KILL')
          await cluster.network.routeVia([node])
          figures.note(`balancer killed → its node serves ${await isBridged(phones)}`)
        }
        await cluster.network.routeVia(cluster.carriers)
      })
      expect(writes.latest(POOL)!.epoch).toBe(before.epoch)
    } finally {
      await operators.scale(2)
    }
    await untilAvoided('registrar-2', before.epoch)
    await signalPod(dead[0]!, 'CONT')
    await cluster.untilBalanced()
    await bystander.expectServed()
  })

  /** Two of its users, registered. */
  async function phonesOf(proxy: string): Promise<readonly [Phone, Phone]> {
    const phones: Phone[] = []
    for (const skip of [0, 1]) {
      const phone = await cluster.phone(await cluster.userOf(proxy, skip), { home: skip })
      expect((await phone.register()).servedBy).toBe(proxy)
      phones.push(phone)
    }
    return phones as [Phone, Phone]
  }

  /** Both register with the backup and call each other; how long that took to come true. */
  async function isBridged([caller, callee]: readonly [Phone, Phone]): Promise<string> {
    const beganMs = performance.now()
    const table = writes.latest(POOL)!
    for (const phone of [caller, callee]) {
      const registered = async () => {
        const { status, servedBy } = await phone.register()
        return status === 200 && servedBy
      }
      const by = await cluster.until(`${phone.user} registered`, registered, BRIDGE_PATIENCE_MS)
      expect(by).toBe(ownerIn({ ...table, owners: table.backups }, phone.user))
    }
    const session = await caller.call(callee.user).answered
    const tookMs = performance.now() - beganMs
    expect((await session.hangUp()).status).toBe(200)
    return seconds(tookMs)
  }

  async function stamped(last: number): Promise<void> {
    const isStamped = async () => writes.latest(POOL)!.leaseTransitions > last
    await cluster.until('the word of another leader', isStamped, MANY_PATIENCE_MS)
  }

  /** When a table without slots for it was in use on all balancers. */
  async function untilAvoided(proxy: string, epoch: number): Promise<number> {
    const isAvoided = async () => {
      const table = writes.latest(POOL)!
      const member = table.members.findIndex(({ name }) => name === proxy)
      if (table.epoch <= epoch || table.owners.includes(member)) return false
      const { status } = await cluster.sipProxy()
      const inSync = status.conditions.find(({ type }) => type === 'TableInSync')
      return status.table?.epoch === table.epoch && inSync?.status === 'True'
    }
    await cluster.until(`a table without ${proxy}`, isAvoided, MANY_PATIENCE_MS)
    return performance.now()
  }

  function oneOfMany(index: number): object {
    const spec = {
      addresses: [MANY_ADDRESS],
      port: MANY_PORT + index,
      proxies: { static: proxies.static },
      probe: SLOW_PROBE,
      mapping: { slots: 64 },
    }
    return sipProxy(NAMESPACE, `many-${index}`, spec, { many: 'true' })
  }

  async function isEachServed(): Promise<boolean> {
    const columns = 'custom-columns=A:.status.summary.proxies,B:.status.summary.balancers'
    const args = ['get', 'sipproxies', '-n', NAMESPACE, '-l', 'many=true', '--no-headers']
    const rows = (await cluster.kubectl.run(...args, '-o', columns)).trim().split('\n')
    return rows.length === MANY && rows.every((row) => /^2\/2\s+2\/2$/.test(row))
  }

  /** Its processes at once, and the pod with them. */
  async function killPod(pod: Pod): Promise<void> {
    await signalPod(pod, 'KILL')
    const words = ['--force', '--grace-period=0', '--wait=false']
    await cluster.kubectl.run('delete', 'pod', pod.metadata.name, '-n', SYSTEM, ...words)
  }
})
