/**
 * A balancer's node fails or leaves, in every way once, under live calls: routers turn away, calls go on. Prints what
 * it measures; bounds are for npm run bench -- anycast. Not here: who shall stay announced (anycast-standing.test.ts).
 */
import {
  AnycastSystem,
  faults,
  lostCalls,
  namespacesUnavailable,
  type TrialResult,
  Trials,
} from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'

const needs = ['kamailio', 'bird', 'tcpdump'] as const
/** The others are like one of these, to routers. */
const TRIED = [
  'drain',
  'balancer-killed',
  'worker-hung',
  'loop-blocked',
  'announcer-killed',
  'bird-killed',
  'node-silent',
]

describe.runIf(requires(...needs, { missing: await namespacesUnavailable() }))('a node', () => {
  let system: AnycastSystem
  let trials: Trials
  const results: TrialResult[] = []

  beforeAll(async () => {
    system = await AnycastSystem.start({ kind: 'kamailio', replyToShared: true })
    trials = await Trials.start(system, 8)
  })
  afterAll(async () => {
    await trials?.stop()
    await system?.stop()
    for (const result of results) console.log(JSON.stringify(result))
  })

  test.each(faults.filter(({ name }) => TRIED.includes(name)))('$title', async (fault) => {
    const node = system.nodes[results.length % system.nodes.length]!
    const result = await trials.run(fault, node)
    results.push(result)
    expect(result.registrationsLost).toBe(0)
    expect(lostCalls(result), JSON.stringify(result)).toBe(0)
    if (fault.isPlanned) expect(result).toMatchObject({ unanswered: 0, repeated: 0 })
  })
})
