import { ManualClock } from '@sipcast/net'
import { describe, expect, it } from 'vitest'
import type { Notice } from '../ports.ts'
import { type Proof, STOPPING } from '../proof.ts'
import { Announcer } from './announcer.ts'
import { AddressPools, type PresentAddress } from './hold.ts'
import { HoldAction, type IpCommand } from './ip-commands.ts'
import {
  LIFETIME_SECONDS,
  LOOK_HUNG_MS,
  LOOK_MS,
  PROOF_AGE_MAX_MS,
  RENEW_MS,
  STOP_LOOK_MS,
  STOP_PATIENCE_MS,
  STOP_SILENCE_MS,
  STOP_WAIT_MAX_MS,
} from './limits.ts'
import { IpError } from './ports.ts'

const A = '203.0.113.10'
const B = '2001:db8:53::10'

/** A node and a balancer in memory: addresses lapse as the kernel lets them. */
class Node {
  readonly time = new ManualClock()
  readonly notices: Notice[] = []
  readonly commands: IpCommand[] = []
  /** When ours lapse. */
  readonly lapses = new Map<string, number>()
  foreign: PresentAddress[] = []
  proof: Proof | null = {
    name: 'a',
    at: '',
    isAlive: true,
    addresses: [A, B],
    isComplete: true,
    ready: [],
    isLeaving: false,
    reason: '',
    inside: [],
    orders: null,
  }
  isBroken = false
  /** What the kernel does not take: IPv6 where it is off. */
  readonly refused = new Set<string>()
  /** How long asking takes. */
  askMs = 0
  readonly announcer = new Announcer({
    interface: 'lo',
    pools: new AddressPools(['203.0.113.0/24', '2001:db8::/32']),
    clock: {
      monotonicMs: () => this.time.nowMs(),
      iso: () => '',
      after: (delayMs, callback) => this.time.setTimer(delayMs, callback),
    },
    proofs: { prove: async () => this.proof },
    table: {
      list: async () => {
        if (this.isBroken) throw new IpError('ip: not permitted')
        this.time.advance(this.askMs)
        return [...this.held.map((address) => ours(address)), ...this.foreign]
      },
      apply: async (commands) => this.#apply(commands),
    },
    tell: (notice) => void this.notices.push(notice),
  })

  get held(): readonly string[] {
    return [...this.lapses].filter(([, at]) => at > this.time.nowMs()).map(([address]) => address)
  }

  async pass(ms: number, stepMs: number = LOOK_MS): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.time.advance(Math.min(left, stepMs))
      for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
    }
  }

  async start(): Promise<void> {
    this.announcer.start()
    await this.pass(LOOK_MS)
  }

  events(): readonly string[] {
    return this.notices.splice(0).map(({ event }) => event)
  }

  #apply(commands: readonly IpCommand[]): string | null {
    this.commands.push(...commands)
    for (const { action, address } of commands) {
      if (this.refused.has(address)) continue
      if (action === HoldAction.remove) this.lapses.delete(address)
      else this.lapses.set(address, this.time.nowMs() + LIFETIME_SECONDS * 1000)
    }
    return commands.some(({ address }) => this.refused.has(address))
      ? 'RTNETLINK answers: no'
      : null
  }
}

function ours(address: string): PresentAddress {
  return { interface: 'lo', address, isOurs: true }
}

describe('while the balancer lives', () => {
  it('adds what it wants at once, and renews it every RENEW_MS', async () => {
    const node = new Node()
    await node.start()
    expect(node.held).toEqual([A, B])
    expect(node.events()).toEqual(['AddressHeld', 'AddressHeld'])
    node.commands.length = 0
    await node.pass(10 * RENEW_MS)
    expect(node.held).toEqual([A, B])
    expect(node.commands.filter(({ action }) => action !== HoldAction.renew)).toEqual([])
    expect(node.commands.length / 2).toBeGreaterThanOrEqual(9)
    expect(node.events()).toEqual([])
  })

  it('follows what the balancer wants with the next look', async () => {
    const node = new Node()
    await node.start()
    node.proof = { ...node.proof!, addresses: [B, '198.51.100.1'] }
    await node.pass(LOOK_MS)
    expect(node.held).toEqual([B])
    expect(node.events().slice(2)).toEqual(['AddressReleased', 'AddressOutsidePools'])
    expect(node.announcer.state.refused).toHaveLength(1)
  })

  it('removes nothing for a balancer that has just started and does not know all its tables yet', async () => {
    const node = new Node()
    await node.start()
    node.events()
    node.commands.length = 0
    const proof = node.proof!
    node.proof = { ...proof, addresses: [], isComplete: false }
    await node.pass(2 * RENEW_MS)
    expect([node.commands, node.held, node.events()]).toEqual([[], [A, B], []])
    node.proof = { ...proof, addresses: [B], isComplete: false }
    await node.pass(LOOK_MS)
    expect(node.commands).toMatchObject([{ action: HoldAction.renew, address: B }])
    node.proof = { ...proof, addresses: [B] }
    await node.pass(LOOK_MS)
    expect([node.held, node.events()]).toEqual([[B], ['AddressReleased']])
  })

  it('renews nothing by a proof that has grown old while this process stood still', async () => {
    const node = new Node()
    await node.start()
    node.commands.length = 0
    node.askMs = PROOF_AGE_MAX_MS + 1
    await node.pass(RENEW_MS)
    expect(node.commands).toEqual([])
  })

  it('tries what the node refuses again with the next renewal, not with every look', async () => {
    const node = new Node()
    node.refused.add(B)
    await node.start()
    await node.pass(10 * RENEW_MS)
    expect(node.held).toEqual([A])
    expect(node.events()).toEqual(['AddressHeld', 'IpFailed'])
    const tries = node.commands.filter(({ address }) => address === B).length
    expect(tries).toBeGreaterThanOrEqual(9)
    expect(tries).toBeLessThanOrEqual(11)
    node.refused.clear()
    await node.pass(RENEW_MS)
    expect(node.held).toEqual([A, B])
  })

  it('tells once that `ip` fails, and goes on when it does not', async () => {
    const node = new Node()
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
  const cases: readonly [string, (proof: Proof) => Proof | null][] = [
    ['no answer', () => null],
    ['a balancer without workers', (proof) => ({ ...proof, isAlive: false })],
  ]
  it.each(cases)('%s: touches nothing, and the addresses lapse', async (_, become) => {
    const node = new Node()
    await node.start()
    const proof = node.proof!
    node.events()
    node.commands.length = 0
    node.proof = become(proof)
    await node.pass(LIFETIME_SECONDS * 1000 + RENEW_MS)
    expect(node.commands).toEqual([])
    expect(node.held).toEqual([])
    expect(node.events()).toEqual(['NoProof', 'AddressReleased', 'AddressReleased'])
    expect(node.announcer.readinessProblem()).toMatch('NoProof')
    node.proof = proof
    await node.pass(LOOK_MS)
    expect(node.held).toEqual([A, B])
    expect(node.events()).toEqual(['AddressHeld', 'AddressHeld', 'NoProofMended'])
  })

  it('one proof that is late is no news', async () => {
    const node = new Node()
    await node.start()
    node.events()
    const { proof } = node
    node.proof = null
    await node.pass(LOOK_MS)
    node.proof = proof
    await node.pass(RENEW_MS)
    expect(node.events()).toEqual([])
  })
})

describe('at its end', () => {
  async function stopped(node: Node, prepare: () => void = () => undefined) {
    await node.start()
    let isEnded = false
    void node.announcer.stop().then(() => {
      isEnded = true
    })
    prepare()
    return () => isEnded
  }

  it('leaves the addresses of a balancer that goes on to their lifetime', async () => {
    const node = new Node()
    const isEnded = await stopped(node)
    await node.pass(STOP_PATIENCE_MS + LOOK_MS + STOP_LOOK_MS, STOP_LOOK_MS)
    expect(isEnded()).toBe(true)
    expect(node.held).toEqual([A, B])
  })

  it('holds on while the balancer ends, and removes them when it has ended', async () => {
    const node = new Node()
    const isEnded = await stopped(node, () => {
      node.proof = { ...node.proof!, reason: STOPPING }
    })
    await node.pass(STOP_WAIT_MAX_MS / 2, STOP_LOOK_MS)
    expect([isEnded(), node.held]).toEqual([false, [A, B]])
    node.proof = null
    await node.pass(STOP_SILENCE_MS + 3 * STOP_LOOK_MS, STOP_LOOK_MS)
    expect([isEnded(), node.held]).toEqual([true, []])
  })

  it('waits no longer than it may', async () => {
    const node = new Node()
    const isEnded = await stopped(node, () => {
      node.proof = { ...node.proof!, reason: STOPPING }
    })
    await node.pass(STOP_WAIT_MAX_MS + LOOK_MS + STOP_LOOK_MS, STOP_LOOK_MS)
    expect(isEnded()).toBe(true)
  })
})

it('lives as long as it looks', async () => {
  const node = new Node()
  await node.start()
  expect(node.announcer.healthProblem()).toBeNull()
  node.proof = new Promise(() => undefined) as never
  node.time.advance(LOOK_HUNG_MS + LOOK_MS)
  expect(node.announcer.healthProblem()).toMatch(/no look has ended/)
})
