/**
 * Balancers come and go under traffic: restarted one by one, deleted by force, upgraded by Helm, taken out with their
 * node and brought back. They keep nothing of a call, so no user changes proxy on their account, and what is lost are
 * packets to a node without a balancer: counted, with a router that looks at /readyz and with one that does not, for
 * both `insideSource`. Not here: proxies (proxies-fail.test.ts).
 */
import {
  byOutcome,
  type Call,
  type ClusterNode,
  install,
  isFailed,
  isReady,
  NAMESPACE,
  type Pod,
  RouteKeeper,
  runProgram,
} from '@sipcast/lab'
import type { Table } from '@sipcast/mapping'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { movesBetween } from '../integration/table-log.ts'
import { requires } from '../requires.ts'
import { clusterNeeded } from './cluster.ts'
import { PROXIES, patchSipProxy } from './example-pool.ts'
import { deletePod } from './faults.ts'
import { seconds } from './figures.ts'
import { PoolStory } from './pool-story.ts'

/** Calls ring long enough to be caught ringing by a restart. */
const LOAD = { ringMs: 1_000, talkMs: 500, patienceMs: 8_000 }
const SET_SHARED = ['balancer.acceptLocal.enabled=true', 'operator.podAnnotations.revision=next']
const SET_NEXT = ['operator.podAnnotations.revision=last', 'balancer.podAnnotations.revision=last']

describe.runIf(requires('helm', 'network-namespaces', clusterNeeded))('balancers fail', () => {
  let story: PoolStory
  let keeper: RouteKeeper | null = null
  let before: Table
  let beganMs = 0
  let tag = ''

  beforeAll(async () => {
    story = await PoolStory.begin('balancers fail', LOAD)
    tag = await tagInUse()
  })
  beforeEach(() => {
    beganMs = performance.now()
    before = story.pool.tables.latest
    story.beginStep()
  })
  afterEach(async ({ task }) => {
    await story.load.untilEnded()
    const all = calls()
    const slowest = Math.max(...all.map((call) => call.endedMs - call.beganMs))
    const took = seconds(performance.now() - beganMs)
    story.figures.note(
      `${task.name} (${took}): calls ${JSON.stringify(byOutcome(all))}, the slowest ${seconds(slowest)}`,
    )
  })
  afterAll(async () => {
    if (story === undefined) return
    await keeper?.stop()
    await patchSipProxy(story.cluster, { edge: { insideSource: 'Node' } })
    await install({ kubectl: story.cluster.kubectl, tag })
    await story.end()
  })

  test('restarted one by one, routes as they were: what phones repeat arrives', async () => {
    await restartEach()
    expectNobodyMoved()
    await story.expectReached()
  })

  test('restarted one by one, routes follow /readyz: no call is lost', async () => {
    keeper = new RouteKeeper(story.cluster.network, story.cluster.carriers)
    await restartEach()
    expectNobodyMoved()
    await expectNoneLost()
    await story.expectReached()
  })

  test('deleted by force, one by one', async () => {
    await restartEach({ force: true })
    expectNobodyMoved()
    await story.expectReached()
  })

  test('its node drained, rebooted and returned: the calls that fail are of users who moved', async () => {
    await takenOutAndBack()
  })

  test('helm upgrade that changes operator and balancers: no call is lost, no slot moved', async () => {
    const { kubectl } = story.cluster
    await install({ kubectl, tag, set: SET_SHARED })
    await untilAllServe()
    expectNobodyMoved()
    await expectNoneLost()
    await story.expectReached()
  })

  test('insideSource Shared, restarted one by one, routes follow /readyz: no call is lost', async () => {
    await patchSipProxy(story.cluster, { edge: { insideSource: 'Shared' } })
    await story.pool.until('the table of it', () => story.pool.tables.after(before).length > 0)
    await story.pool.untilInUse(story.pool.tables.latest)
    await restartEach()
    expectNobodyMoved()
    await expectNoneLost()
    await story.expectReached()
  })

  test('insideSource Shared, deleted by force, one by one', async () => {
    await restartEach({ force: true })
    expectNobodyMoved()
    await story.expectReached()
  })

  test('insideSource Shared, its node drained, rebooted and returned: as before', async () => {
    await takenOutAndBack()
  })

  test('insideSource Shared, helm upgrade that changes both: no call is lost, no slot moved', async () => {
    const { kubectl } = story.cluster
    await install({ kubectl, tag, set: [...SET_SHARED, ...SET_NEXT] })
    await untilAllServe()
    expectNobodyMoved()
    await expectNoneLost()
    await story.expectReached()
  })

  /** As docs/day-2.md has it: its route first, then its proxies, then the node. */
  async function takenOutAndBack(): Promise<void> {
    const { kubectl, carriers, network } = story.cluster
    const node = carrierOfProxies()
    await network.routeVia(carriers.filter((one) => one !== node))
    let settled: Table
    try {
      const words = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=240s']
      await kubectl.run('drain', node.name, ...words)
      await story.pool.untilShared(PROXIES)
      settled = story.pool.tables.latest
      await runProgram('docker', ['restart', node.name])
      await story.pool.until('routes by the others', () => !keeper!.routed.includes(node.name))
    } finally {
      await kubectl.run('uncordon', node.name)
    }
    await untilAllServe()
    expect(movesBetween(settled, story.pool.tables.latest).moved).toBe(0)
    await story.expectRow({ PROXIES: '3/3', REASON: 'Serving' })
    await story.load.untilEnded()
    story.expectExcused()
    await story.expectReached()
  }

  function carrierOfProxies(): ClusterNode {
    const names = PROXIES.map((name) => story.pool.pod(name)?.spec.nodeName)
    return story.cluster.carriers.find(({ name }) => names.includes(name))!
  }

  /** Each is gone, back, and in use again before the next one's turn. */
  async function restartEach({ force = false } = {}): Promise<void> {
    for (const { name: node } of story.cluster.carriers) {
      const pod = await balancerOf(node)
      const startMs = performance.now()
      await deletePod(story.cluster, pod!, { namespace: NAMESPACE, force })
      await untilBack(node, pod!.metadata.uid)
      story.figures.note(`  ${node}: back after ${seconds(performance.now() - startMs)}`)
    }
  }

  async function untilBack(node: string, lastUid: string): Promise<void> {
    await story.cluster.until(`a new balancer on ${node}`, async () => {
      const pod = await balancerOf(node)
      return pod !== null && pod.metadata.uid !== lastUid && isReady(pod)
    })
    await untilAllServe()
  }

  async function untilAllServe(): Promise<void> {
    const nodes = story.cluster.carriers.map(({ name }) => name)
    await story.pool.untilInUse(story.pool.tables.latest, nodes)
    await story.pool.untilStatus('2/2 balancers', ({ summary }) => summary.balancers === '2/2')
    if (keeper !== null) {
      await story.pool.until('routes by all', () => keeper?.routed.length === nodes.length)
    }
  }

  async function balancerOf(node: string): Promise<Pod | null> {
    const pods = await story.cluster.podsOf('balancer')
    return pods.find(({ spec }) => spec.nodeName === node) ?? null
  }

  async function tagInUse(): Promise<string> {
    const { kubectl } = story.cluster
    const path = 'jsonpath={.spec.template.spec.containers[0].image}'
    const image = await kubectl.run('get', 'ds/sipcast-balancer', '-n', NAMESPACE, '-o', path)
    return image.split(':').at(-1) ?? ''
  }

  async function expectNoneLost(): Promise<void> {
    await story.load.untilEnded()
    expect(calls().length).toBeGreaterThan(0)
    expect(calls().filter(isFailed)).toEqual([])
  }

  function expectNobodyMoved(): void {
    expect(movesBetween(before, story.pool.tables.latest).moved).toBe(0)
    expect(story.pool.status.summary.proxies).toBe('3/3')
    for (const { deadMarks } of story.pool.uses.values()) expect(deadMarks).toEqual([])
  }

  function calls(): readonly Call[] {
    return story.load.calls.filter((call) => call.beganMs >= beganMs)
  }
})
