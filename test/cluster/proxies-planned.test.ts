/**
 * What is done to proxies on purpose, under traffic: rolled by their StatefulSet, declared NotReady, evicted with their
 * node, scaled. There is always somebody to take over: never fewer than N−1 take users where Kubernetes has the say.
 * Not here: what befalls them (proxies-fail.test.ts).
 */
import { conditionOf, EXAMPLE } from '@sipcast/lab'
import type { Table } from '@sipcast/mapping'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { movesBetween } from '../integration/table-log.ts'
import { proxyIn } from '../integration/sip-proxy-status.ts'
import { requires } from '../requires.ts'
import { clusterNeeded } from './cluster.ts'
import { PROXIES, patchSipProxy, QUICK_HAND_BACK } from './example-pool.ts'
import { seconds } from './figures.ts'
import { expectBalanced, expectOnlyTo, PoolStory } from './pool-story.ts'

const STATEFUL_SET = 'statefulset/registrar'
/** The file whose presence makes a pod NotReady, once the pods are rolled. */
const UNREADY_FILE = '/run/kamailio/unready'
const READINESS_PROBE = {
  exec: { command: ['test', '!', '-e', UNREADY_FILE] },
  periodSeconds: 1,
  failureThreshold: 1,
}
const ROLL_TIMEOUT = '--timeout=240s'
const MORE_PROXIES = [...PROXIES, 'registrar-3', 'registrar-4']
const FEWER_PROXIES = PROXIES.slice(0, 2)

describe.runIf(requires('network-namespaces', clusterNeeded))('proxies, on purpose', () => {
  let story: PoolStory
  let beganMs = 0

  beforeAll(async () => {
    story = await PoolStory.begin('proxies, on purpose')
  })
  beforeEach(() => {
    beganMs = performance.now()
    story.beginStep()
  })
  afterEach(({ task }) => story.endStep(task.name))
  afterAll(async () => {
    if (story === undefined) return
    // The next suite finds them as the manifests have them.
    await kubectl('rollout', 'undo', STATEFUL_SET)
    await kubectl('scale', STATEFUL_SET, `--replicas=${PROXIES.length}`)
    await rolled()
    await story.end()
  })

  test('rolled: one after the other, and all but one take users all the time', async () => {
    const before = story.pool.tables.latest
    const container = { name: 'kamailio', readinessProbe: READINESS_PROBE }
    const spec = { template: { spec: { containers: [container] } } }
    // As it is by default: the next pod may go before the last one has its users back.
    await patchSipProxy(story.cluster, { mapping: { handBack: null } })
    await kubectl('patch', STATEFUL_SET, '--patch', JSON.stringify({ spec }))
    await rolled()
    story.figures.note(`  rolled in ${seconds(performance.now() - beganMs)}`)
    expectNeverFewerThan(PROXIES.length - 1)
    for (const name of PROXIES) expectGateWasShut(name)
    await patchSipProxy(story.cluster, { mapping: { handBack: QUICK_HAND_BACK } })
    await story.pool.untilShared(PROXIES)
    const moved = [before, ...story.pool.tables.after(before)].map(
      (table, index, all) => movesBetween(all[index - 1] ?? before, table).moved,
    )
    story.figures.note(`  slots moved, table by table: ${moved.slice(1).join(' ')}`)
    await story.expectRow({ PROXIES: '3/3', REASON: 'Serving' })
    await story.expectReached()
  })

  test('NotReady by its own probe: no users, though it answers SIP; ready again, it gets them back', async () => {
    const name = 'registrar-1'
    const { avoidedMs, before, publishedMs } = await story.failsOver(name, 'NotReady', async () => {
      await kubectl('exec', name, '--', 'touch', UNREADY_FILE)
      return performance.now()
    })
    expect(Math.max(avoidedMs, publishedMs)).toBeLessThan(10_000)
    expect(story.pool.tables.after(before)).toHaveLength(1)
    const status = await story.pool.untilStatus(
      'NotReady',
      (now) => proxyIn(now, name).state === 'NotReady',
    )
    expect(proxyIn(status, name)).toMatchObject({ reason: 'NotReady', slots: 0 })
    await story.expectRow({ PROXIES: '2/3', REASON: 'Serving' })
    // The gate says what SIP says.
    expect(conditionOf(story.pool.pod(name)!.status.conditions, 'sipcast.io/options')).toBe('True')
    await story.expectReached()
    await kubectl('exec', name, '--', 'rm', UNREADY_FILE)
    await story.returns(name)
  })

  test('evicted with its node: one at a time, as the budget allows, and all but one take users', async () => {
    const node = crowdedNode()
    const victims = PROXIES.filter((name) => story.pool.pod(name)!.spec.nodeName === node)
    const before = story.pool.tables.latest
    try {
      const words = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=240s']
      await story.cluster.kubectl.run('drain', node, ...words)
      story.figures.note(
        `  node with ${victims.length} proxies drained in ${seconds(performance.now() - beganMs)}`,
      )
      await story.pool.untilShared(PROXIES)
    } finally {
      await story.cluster.kubectl.run('uncordon', node)
    }
    expectNeverFewerThan(PROXIES.length - 1)
    for (const name of victims) {
      expect(story.pool.pod(name)!.spec.nodeName).not.toBe(node)
      expectGateWasShut(name)
    }
    expectMovesOf(victims, before)
    // Its balancer stays.
    expect([...story.pool.uses.keys()]).toContain(node)
    await story.expectRow({ PROXIES: '3/3', REASON: 'Serving' })
    await story.expectReached()
  })

  test('scaled to five: newcomers get their share, and nobody else anything', async () => {
    const before = story.pool.tables.latest
    await kubectl('scale', STATEFUL_SET, '--replicas=5')
    await story.pool.untilShared(MORE_PROXIES)
    story.figures.note(`  3 → 5, all with their share: ${seconds(performance.now() - beganMs)}`)
    const after = story.pool.tables.latest
    expectBalanced(after, MORE_PROXIES)
    const { moved, members } = movesBetween(before, after)
    const gained = ['registrar-3', 'registrar-4'].map(
      (name) => members.find(({ id }) => id === name)!.gained,
    )
    expect(moved).toBe(gained.reduce((sum, count) => sum + count, 0))
    expectNeverFewerThan(PROXIES.length)
    await story.expectRow({ PROXIES: '5/5', REASON: 'Serving' })
    await story.expectReached()
  })

  test('scaled to two: users of those that go move at once, and nobody else', async () => {
    const before = story.pool.tables.latest
    const shares = story.pool.shares
    await kubectl('scale', STATEFUL_SET, '--replicas=2')
    await story.pool.untilShared(FEWER_PROXIES)
    const after = story.pool.tables.latest
    expectBalanced(after, FEWER_PROXIES)
    const left = MORE_PROXIES.slice(FEWER_PROXIES.length)
    const { moved, members } = movesBetween(before, after)
    expect(moved).toBe(left.reduce((sum, name) => sum + shares[name]!, 0))
    for (const name of FEWER_PROXIES) expect(members.find(({ id }) => id === name)!.lost).toBe(0)
    expect(after.former.length).toBeGreaterThanOrEqual(left.length)
    await story.expectRow({ PROXIES: '2/2', REASON: 'Serving' })
    await story.expectReached()

    await kubectl('scale', STATEFUL_SET, '--replicas=3')
    await story.pool.untilShared(PROXIES)
    expectOnlyTo('registrar-2', after, story.pool.tables.latest)
  })

  async function kubectl(...words: string[]): Promise<void> {
    const [verb = '', ...rest] = words
    await story.cluster.kubectl.run(verb, '-n', EXAMPLE.namespace, ...rest)
  }

  async function rolled(): Promise<void> {
    await kubectl('rollout', 'status', STATEFUL_SET, ROLL_TIMEOUT)
  }

  /** In every status since the step began. */
  function expectNeverFewerThan(count: number): void {
    const said = story.pool.statusesSince(beganMs).map(({ summary }) => summary.proxies)
    const eligible = said.map((words) => Number(words.split('/')[0]))
    expect(said.length).toBeGreaterThan(1)
    expect(Math.min(...eligible), said.join(' ')).toBeGreaterThanOrEqual(count)
  }

  /** The pods of this name since the step began: the gate of the one that ended on SIP's word, the next one's open. */
  function expectGateWasShut(name: string): void {
    const gates = story.pool.podSince(name, beganMs).map((pod) => {
      if (pod === null || pod.metadata.deletionTimestamp !== undefined) return 'ended'
      return conditionOf(pod.status.conditions, 'sipcast.io/options') ?? 'unset'
    })
    const order = gates.filter((gate, index) => gate !== gates[index - 1])
    expect(order, order.join(' ')).toContain('ended')
    expect(order.at(-1)).toBe('True')
    expect(order[order.lastIndexOf('ended') + 1]).not.toBe('True')
  }

  /** Table by table: slots moved from these, or to these, and between nobody else. */
  function expectMovesOf(names: readonly string[], before: Table): void {
    let last = before
    for (const table of story.pool.tables.after(before)) {
      const { members, moved } = movesBetween(last, table)
      const ofThese = members.filter(({ id }) => names.includes(id))
      const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)
      expect([
        sum(ofThese.map(({ lost }) => lost)),
        sum(ofThese.map(({ gained }) => gained)),
      ]).toContain(moved)
      last = table
    }
  }

  function crowdedNode(): string {
    const nodes = PROXIES.map((name) => story.pool.pod(name)!.spec.nodeName!)
    const count = (node: string) => nodes.filter((one) => one === node).length
    return nodes.toSorted((a, b) => count(b) - count(a))[0]!
  }
})
