import { describe, expect, it } from 'vitest'
import {
  batchFailures,
  copyRenewals,
  ipCommands,
  linkCommands,
  parsePresent,
} from './ip-commands.ts'

const V4 = '203.0.113.10'
const V6 = '2001:db8:53::10'
const OLD = '203.0.113.11'

describe('commands', () => {
  it('announced goes before held, held comes before announced; marks and lifetimes', () => {
    const hold = { add: [V4], renew: [V6], remove: [OLD, '2001:db8::1'] }
    const copies = { add: [V6], renew: [V4], remove: [OLD] }
    const commands = ipCommands({ hold, device: 'lo', copies, copySeconds: 2 })
    expect(commands.map(({ line }) => line)).toEqual([
      `address del ${OLD}/32 dev dummy-sipcast`,
      `address del ${OLD}/32 dev lo`,
      'address del 2001:db8::1/128 dev lo',
      `address change ${V6}/128 dev lo nodad metric 1397313603 valid_lft 10 preferred_lft 0`,
      `address add ${V4}/32 dev lo label lo:sipcast valid_lft 10 preferred_lft 0`,
      `address change ${V4}/32 dev dummy-sipcast valid_lft 2 preferred_lft 0`,
      `address add ${V6}/128 dev dummy-sipcast nodad valid_lft 2 preferred_lft 0`,
    ])
  })

  it('renew copies alone', () => {
    expect(copyRenewals([V4], 5).map(({ line }) => line)).toEqual([
      `address change ${V4}/32 dev dummy-sipcast valid_lft 5 preferred_lft 0`,
    ])
  })

  it('make the link, or only have it up', () => {
    expect(linkCommands(null, 'bridge')).toEqual([
      'link add dummy-sipcast type bridge',
      'link set dummy-sipcast addrgenmode none',
      'link set dummy-sipcast up',
    ])
    const down = { kind: 'dummy', isUp: false }
    expect(linkCommands(down, 'dummy')).toEqual(['link set dummy-sipcast up'])
  })
})

describe('what `ip -json -details address show` says', () => {
  const text = (...addresses: object[]): string =>
    JSON.stringify([{ ifname: 'lo', addr_info: addresses }, { ifname: 'tunl0' }, {}])
  const onLink = (linkinfo: object, flags: readonly string[] = []): string =>
    JSON.stringify([
      { ifname: 'dummy-sipcast', flags, linkinfo, addr_info: [{ local: V4 }, { local: V6 }] },
    ])

  it('is ours by label (IPv4) or metric (IPv6)', () => {
    const listed = text(
      { family: 'inet', local: '127.0.0.1', label: 'lo' },
      { family: 'inet', local: V4, label: 'lo:sipcast' },
      { family: 'inet6', local: V6, metric: 1397313603 },
      { family: 'inet6', local: '::1' },
    )
    const addresses = [
      { interface: 'lo', address: '127.0.0.1', isOurs: false },
      { interface: 'lo', address: V4, isOurs: true },
      { interface: 'lo', address: V6, isOurs: true },
      { interface: 'lo', address: '::1', isOurs: false },
    ]
    expect(parsePresent(listed)).toEqual({ addresses, link: null })
  })

  it('is ours on the link that is ours, and only there', () => {
    for (const kind of ['dummy', 'bridge']) {
      const present = parsePresent(onLink({ info_kind: kind }, ['NOARP', 'UP']))
      expect(present?.addresses.map(({ isOurs }) => isOurs)).toEqual([true, true])
      expect(present?.link).toEqual({ kind, isUp: true })
    }
    for (const linkinfo of [{ info_kind: 'vlan' }, {}]) {
      const present = parsePresent(onLink(linkinfo))
      expect(present?.addresses.map(({ isOurs }) => isOurs)).toEqual([false, false])
      expect(present?.link?.isUp).toBe(false)
    }
  })

  it('is nothing where it is something else', () => {
    for (const wrong of ['', '{', '{}', 'null', '"lo"']) expect(parsePresent(wrong)).toBeNull()
    const nothing = { addresses: [], link: null }
    expect(parsePresent(text({ local: 'no address' }, {}))).toEqual(nothing)
  })
})

it('complaints of a batch are known by their lines', () => {
  const stderr = [
    'Error: ipv4: Address already assigned.',
    'Command failed -:1',
    'RTNETLINK answers: Operation not permitted',
    'Command failed -:3',
    '',
  ].join('\n')
  expect([...batchFailures(stderr)]).toEqual([
    [1, 'Error: ipv4: Address already assigned.'],
    [3, 'RTNETLINK answers: Operation not permitted'],
  ])
})
