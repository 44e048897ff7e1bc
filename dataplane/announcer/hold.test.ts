import { describe, expect, it } from 'vitest'
import { AddressPools, HoldRefusal, planHold, type PresentAddress } from './hold.ts'
import { ADDRESSES_MAX } from './limits.ts'

const NONE = { add: [], renew: [], remove: [], refused: [] }

function ours(address: string, device = 'lo'): PresentAddress {
  return { interface: device, address, isOurs: true }
}

function theirs(address: string, device = 'lo'): PresentAddress {
  return { interface: device, address, isOurs: false }
}

function plan(wanted: readonly string[], present: readonly PresentAddress[], cidrs?: string[]) {
  const pools = new AddressPools(cidrs ?? null)
  return planHold({ wanted, isComplete: true, present, pools, interface: 'lo' })
}

describe('a plan', () => {
  it('adds what is missing, renews what is there, removes what is no longer wanted', () => {
    const present = [ours('203.0.113.2'), ours('203.0.113.3'), theirs('127.0.0.1')]
    expect(plan(['203.0.113.1', '203.0.113.2'], present)).toEqual({
      add: ['203.0.113.1'],
      renew: ['203.0.113.2'],
      remove: ['203.0.113.3'],
      refused: [],
    })
  })

  it('leaves alone what somebody else added, wherever it is', () => {
    const present = [theirs('203.0.113.1'), theirs('10.0.0.1', 'eth0')]
    expect(plan([], present)).toEqual(NONE)
    const reason = HoldRefusal.foreign
    expect(plan(['203.0.113.1', '10.0.0.1'], present)).toEqual({
      ...NONE,
      refused: [
        { address: '203.0.113.1', reason },
        { address: '10.0.0.1', reason },
      ],
    })
  })

  it('yields what somebody else has added after us', () => {
    const present = [ours('203.0.113.1'), theirs('203.0.113.1', 'eth0')]
    expect(plan(['203.0.113.1'], present)).toMatchObject({ remove: ['203.0.113.1'], renew: [] })
  })

  it('removes nothing for a question that is not complete but what somebody else has added', () => {
    const present = [ours('203.0.113.1'), ours('203.0.113.2'), theirs('203.0.113.2', 'eth0')]
    const pools = new AddressPools(null)
    const question = { wanted: [], isComplete: false, present, pools, interface: 'lo' }
    expect(planHold(question)).toEqual({ ...NONE, remove: ['203.0.113.2'] })
  })

  it('knows a copy of ours on another interface for ours, and does not touch it', () => {
    const present = [ours('203.0.113.1', 'dummy'), ours('203.0.113.2', 'dummy')]
    expect(plan(['203.0.113.1'], present)).toEqual({ ...NONE, add: ['203.0.113.1'] })
  })

  it('takes an address in any spelling, and once', () => {
    const wanted = ['2001:DB8::0:1', '2001:db8::1', '::ffff:203.0.113.1', '203.0.113.1']
    expect(plan(wanted, [ours('2001:db8::1')])).toEqual({
      ...NONE,
      add: ['203.0.113.1'],
      renew: ['2001:db8::1'],
    })
  })

  it('stays within bounds', () => {
    const wanted = Array.from({ length: ADDRESSES_MAX + 1 }, (_, index) => {
      return `10.0.${index >> 8}.${index & 255}`
    })
    expect(plan(wanted, [])).toMatchObject({
      add: wanted.slice(0, -1),
      refused: [{ address: wanted.at(-1), reason: HoldRefusal.tooMany }],
    })
  })
})

describe('pools', () => {
  const allowed: readonly [string, string[] | null][] = [
    ['203.0.113.1', null],
    ['2001:db8::1', null],
    ['203.0.113.1', ['198.51.100.0/24', '203.0.113.0/24']],
    ['203.0.113.1', ['203.0.113.1/32']],
    ['203.0.113.1', ['0.0.0.0/0']],
    ['2001:db8::1', ['2001:db8::/32']],
    ['2001:db8::1', ['::/0']],
  ]
  it.each(allowed)('%s is allowed by %s', (address, cidrs) => {
    expect(new AddressPools(cidrs).refusal(address)).toBeNull()
  })

  const outside: readonly [string, string[]][] = [
    ['203.0.113.1', []],
    ['203.0.114.1', ['203.0.113.0/24']],
    ['203.0.113.1', ['::/0']],
    ['2001:db8::1', ['0.0.0.0/0']],
  ]
  it.each(outside)('%s is outside %s', (address, cidrs) => {
    expect(new AddressPools(cidrs).refusal(address)).toBe(HoldRefusal.outsidePools)
  })

  const forbidden = [
    '0.0.0.0',
    '0.1.2.3',
    '127.0.0.1',
    '127.9.9.9',
    '169.254.169.254',
    '224.0.0.5',
    '239.1.1.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'febf::1',
    'ff02::1',
    '::ffff:127.0.0.1',
  ]
  it.each(forbidden)('%s is held by nobody, whatever the pools say', (address) => {
    for (const cidrs of [null, ['0.0.0.0/0', '::/0']]) {
      expect(new AddressPools(cidrs).refusal(address)).toBe(HoldRefusal.forbidden)
    }
  })

  it('what is no address is no address', () => {
    for (const text of ['', 'lo', '203.0.113.1/32', '203.0.113.1 dev eth0', '1.2.3']) {
      expect(new AddressPools(null).refusal(text)).toBe(HoldRefusal.malformed)
    }
  })
})
