import { describe, expect, it } from 'vitest'
import { type Proof, STOPPING } from '../proof.ts'
import {
  LIFETIME_SECONDS,
  LOOK_HUNG_MS,
  LOOK_MS,
  PROOF_AGE_MAX_MS,
  RENEW_MS,
  STOP_LOOK_MS,
  STOP_PATIENCE_MS,
  STOP_SILENCE_MS,
  STOP_WAIT_LOOK_MS,
  STOP_WAIT_MAX_MS,
} from './limits.ts'
import { A, B, FakeNode } from './node.fixture.ts'
import { Silence } from './ports.ts'

describe('while the balancer lives', () => {
  it('adds what it wants at once, and renews it every RENEW_MS', async () => {
    const node = new FakeNode()
    await node.start()
    expect(node.held).toEqual([A, B])
    expect(node.events()).toEqual(['AddressHeld', 'AddressHeld'])
    node.lines.length = 0
    await node.pass(10 * RENEW_MS)
    expect(node.held).toEqual([A, B])
    expect(node.lines.filter((line) => !line.startsWith('address change '))).toEqual([])
    expect(node.lines.length / 2).toBeGreaterThanOrEqual(9)
    expect(node.events()).toEqual([])
  })

  it('follows what the balancer wants with the next look', async () => {
    const node = new FakeNode()
    await node.start()
    node.become({ addresses: [B, '198.51.100.1'] })
    await node.pass(LOOK_MS)
    expect(node.held).toEqual([B])
    expect(node.events().slice(2)).toEqual(['AddressReleased', 'AddressOutsidePools'])
    expect(node.announcer.state.refused).toHaveLength(1)
  })

  it('removes nothing for a balancer that has just started and does not know all its tables yet', async () => {
    const node = new FakeNode()
    await node.start()
    node.events()
    node.lines.length = 0
    node.become({ addresses: [], isComplete: false })
    await node.pass(2 * RENEW_MS)
    expect([node.lines, node.held, node.events()]).toEqual([[], [A, B], []])
    node.become({ addresses: [B], isComplete: false })
    await node.pass(LOOK_MS)
    expect(node.lines).toEqual([expect.stringMatching(`^address change ${B}/128 dev lo `)])
    node.become({ isComplete: true })
    await node.pass(LOOK_MS)
    expect([node.held, node.events()]).toEqual([[B], ['AddressReleased']])
  })

  it('renews nothing by a proof that has grown old while this process stood still', async () => {
    const node = new FakeNode()
    await node.start()
    node.lines.length = 0
    node.listMs = PROOF_AGE_MAX_MS + 1
    await node.pass(RENEW_MS)
    expect(node.lines).toEqual([])
  })

  it('tries what the node refuses again with the next renewal, not with every look', async () => {
    const node = new FakeNode()
    node.refused.add(B)
    await node.start()
    await node.pass(10 * RENEW_MS)
    expect(node.held).toEqual([A])
    expect(node.events()).toEqual(['AddressHeld', 'IpFailed'])
    const tries = node.lines.filter((line) => line.includes(` ${B}/`)).length
    expect(tries).toBeGreaterThanOrEqual(9)
    expect(tries).toBeLessThanOrEqual(11)
    node.refused.clear()
    await node.pass(RENEW_MS)
    expect(node.held).toEqual([A, B])
  })

  it('tells once that `ip` fails, and goes on when it does not', async () => {
    const node = new FakeNode()
    node.isBroken = true
    await node.start()
    await node.pass(5 * RENEW_MS)
    expect(node.events()).toEqual(['IpFailed'])
    expect(node.announcer.readinessProblem()).toMatch('not permitted')
    node.isBroken = false
    await node.pass(RENEW_MS)
    expect(node.held).toEqual([A, B])
    expect(node.events()).toContain('IpFailedMended')
    expect(node.announcer.readinessProblem()).toBeNull()
  })
})

describe('without a proof', () => {
  const cases: readonly [string, (proof: Proof) => Proof | Silence][] = [
    ['no answer', () => Silence.silent],
    ['nobody there', () => Silence.absent],
    ['a balancer without workers', (proof) => ({ ...proof, isAlive: false })],
  ]
  it.each(cases)('%s: touches nothing, and the addresses lapse', async (_, become) => {
    const node = new FakeNode()
    await node.start()
    const proof = node.answer as Proof
    node.events()
    node.lines.length = 0
    node.answer = become(proof)
    await node.pass(LIFETIME_SECONDS * 1000 + RENEW_MS)
    expect(node.lines).toEqual([])
    expect(node.held).toEqual([])
    expect(node.events()).toEqual(['NoProof', 'AddressReleased', 'AddressReleased'])
    expect(node.announcer.readinessProblem()).toMatch('NoProof')
    node.answer = proof
    await node.pass(LOOK_MS)
    expect(node.held).toEqual([A, B])
    expect(node.events()).toEqual(['AddressHeld', 'AddressHeld', 'NoProofMended'])
  })

  it('one proof that is late is no news', async () => {
    const node = new FakeNode()
    await node.start()
    node.events()
    const { answer } = node
    node.answer = Silence.silent
    await node.pass(LOOK_MS)
    node.answer = answer
    await node.pass(RENEW_MS)
    expect(node.events()).toEqual([])
  })
})

describe('at its end', () => {
  async function stopped(node: FakeNode, prepare: () => void = () => undefined) {
    await node.start()
    let isEnded = false
    void node.announcer.stop().then(() => {
      isEnded = true
    })
    prepare()
    return () => isEnded
  }

  it('leaves the addresses of a balancer that goes on to their lifetime', async () => {
    const node = new FakeNode()
    const isEnded = await stopped(node)
    await node.pass(STOP_PATIENCE_MS + LOOK_MS + STOP_LOOK_MS, STOP_LOOK_MS)
    expect(isEnded()).toBe(true)
    expect(node.held).toEqual([A, B])
  })

  it('holds on while the balancer ends, and removes them when it has ended', async () => {
    const node = new FakeNode()
    const isEnded = await stopped(node, () => {
      node.become({ reason: STOPPING, isLeaving: true })
    })
    await node.pass(STOP_WAIT_MAX_MS / 2, STOP_WAIT_LOOK_MS)
    expect([isEnded(), node.held]).toEqual([false, [A, B]])
    node.answer = Silence.silent
    await node.pass(STOP_SILENCE_MS + 3 * STOP_WAIT_LOOK_MS, STOP_LOOK_MS)
    expect([isEnded(), node.held]).toEqual([true, []])
  })

  it('waits no longer than it may', async () => {
    const node = new FakeNode()
    const isEnded = await stopped(node, () => {
      node.become({ reason: STOPPING, isLeaving: true })
    })
    await node.pass(STOP_WAIT_MAX_MS + LOOK_MS + STOP_WAIT_LOOK_MS, STOP_WAIT_LOOK_MS)
    expect(isEnded()).toBe(true)
  })
})

it('lives as long as it looks', async () => {
  const node = new FakeNode()
  await node.start()
  expect(node.announcer.healthProblem()).toBeNull()
  node.answer = new Promise(() => undefined) as never
  node.time.advance(LOOK_HUNG_MS + LOOK_MS)
  expect(node.announcer.healthProblem()).toMatch(/no look has ended/)
})
