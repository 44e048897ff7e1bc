/**
 * A node loses its power under traffic, with its balancer and most of the proxies on it, and gets it back: first with
 * one of the operator's replicas, then with both. Routes follow /readyz, as an upstream router's do.
 * Not here: nodes that are drained (proxies-planned.test.ts).
 */
import { RouteKeeper, runProgram } from '@sipcast/lab'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { condition, proxyIn } from '../integration/sip-proxy-status.ts'
import { sharesOf } from '../integration/table-log.ts'
import { requires } from '../requires.ts'
import { clusterNeeded } from './cluster.ts'
import { PROXIES, spreadExample } from './example-pool.ts'
import { ms, seconds } from './figures.ts'
import { Operators } from './operators.ts'
import { PoolStory } from './pool-story.ts'

describe.runIf(requires('network-namespaces', clusterNeeded))('a node fails', () => {
  let story: PoolStory
  let keeper: RouteKeeper
  let operators: Operators
  let node = ''
  let victims: readonly string[] = []

  beforeAll(async () => {
    await spreadExample()
    story = await PoolStory.begin('a node fails')
    keeper = new RouteKeeper(story.cluster.network, story.cluster.carriers)
    operators = new Operators(story.cluster)
    node = nodesByProxies().at(-1)!
    victims = PROXIES.filter((name) => nodeOf(name) === node)
    expect(victims.length).toBeLessThan(PROXIES.length)
  })
  beforeEach(() => story.beginStep())
  afterEach(({ task }) => story.endStep(task.name))
  afterAll(async () => {
    if (story === undefined) return
    await docker('start')
    await keeper.stop()
    await story.end()
  })

  test('power lost: its users move, the others never notice, the other balancer serves them all', async () => {
    await operators.roll()
    expect(new Set(await operators.nodes()).size).toBe(2)
    await losesPower('one operator')
  })

  test('power back: balancer and proxies return by themselves', async () => {
    await getsPowerBack()
  })

  test('power lost with all operators: served by backups, until the other node has an operator', async () => {
    await operators.moveTo(node)
    await losesPower('both operators')
    expect(await operators.nodes()).not.toContain(node)
  })

  test('power back, as before', async () => {
    await getsPowerBack()
  })

  async function losesPower(withIt: string): Promise<void> {
    const before = story.pool.tables.latest
    for (const name of victims) story.excuses.troubled(name)
    const lostMs = performance.now()
    await docker('kill')
    await story.pool.until('routes by the others', () => !keeper.routed.includes(node))
    const routedMs = performance.now() - lostMs
    const table = await story.pool.until('a table without its proxies', () => {
      const { latest } = story.pool.tables
      return victims.every((name) => (sharesOf(latest)[name] ?? 0) === 0) && latest
    })
    const others = [...story.pool.uses.keys()].filter((name) => name !== node)
    const inUseMs = (await story.pool.untilInUse(table, others)) - lostMs
    story.figures.note(
      `  power of a node with ${victims.length} of ${PROXIES.length} proxies and ${withIt} lost → routes ${ms(routedMs)}, table in use ${ms(inUseMs)}, ${table.epoch - before.epoch} tables`,
    )
    const left = PROXIES.length - victims.length
    const status = await story.pool.untilStatus(
      'what is left',
      ({ summary }) => summary.proxies === `${left}/${PROXIES.length}`,
    )
    expect(condition(status, 'Degraded')).toBe('True/ProxiesDown')
    expect(condition(status, 'Ready')).toBe('True/Serving')
    for (const name of victims) expect(proxyIn(status, name).slots).toBe(0)
    // It does not use the newest table, and lived not long ago.
    await story.expectRow({ PROXIES: `${left}/${PROXIES.length}`, BALANCERS: '1/2' })
    await story.expectReached()
  }

  async function getsPowerBack(): Promise<void> {
    const startedMs = performance.now()
    await docker('start')
    await story.pool.until('routes by all', () => keeper.routed.includes(node))
    const routedMs = performance.now() - startedMs
    await story.pool.untilShared(PROXIES)
    story.figures.note(
      `  power back → routes ${seconds(routedMs)}, all slots shared ${seconds(performance.now() - startedMs)}`,
    )
    for (const name of victims) story.excuses.well(name)
    await story.pool.untilStatus('2/2 balancers', ({ summary }) => summary.balancers === '2/2')
    await story.expectRow({ PROXIES: '3/3', BALANCERS: '2/2', REASON: 'Serving' })
    await operators.untilReady()
    await story.expectReached()
  }

  async function docker(verb: 'kill' | 'start'): Promise<void> {
    await runProgram('docker', [verb, node])
  }

  function nodeOf(proxy: string): string {
    return story.pool.pod(proxy)!.spec.nodeName!
  }

  /** That with the most last. */
  function nodesByProxies(): readonly string[] {
    const nodes = PROXIES.map(nodeOf)
    const count = (name: string) => nodes.filter((one) => one === name).length
    return nodes.toSorted((a, b) => count(a) - count(b))
  }
})
