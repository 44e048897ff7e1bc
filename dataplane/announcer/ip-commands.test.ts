import { describe, expect, it } from 'vitest'
import { batchFailures, ipCommands, parseAddresses } from './ip-commands.ts'

const V4 = '203.0.113.10'
const V6 = '2001:db8:53::10'

describe('commands', () => {
  it('add and renew with marks and lifetime, remove without; removals first', () => {
    const plan = { add: [V4], renew: [V6], remove: ['203.0.113.11', '2001:db8::1'], refused: [] }
    expect(ipCommands(plan, 'lo').map(({ line }) => line)).toEqual([
      'address del 203.0.113.11/32 dev lo',
      'address del 2001:db8::1/128 dev lo',
      `address change ${V6}/128 dev lo nodad metric 1397313603 valid_lft 10 preferred_lft 0`,
      `address add ${V4}/32 dev lo label lo:sipcast valid_lft 10 preferred_lft 0`,
    ])
  })
})

describe('what `ip -json address show` says', () => {
  const text = (...addresses: object[]): string =>
    JSON.stringify([{ ifname: 'lo', addr_info: addresses }, { ifname: 'tunl0' }, {}])

  it('is ours by label (IPv4) or metric (IPv6)', () => {
    const listed = text(
      { family: 'inet', local: '127.0.0.1', label: 'lo' },
      { family: 'inet', local: V4, label: 'lo:sipcast' },
      { family: 'inet6', local: V6, metric: 1397313603 },
      { family: 'inet6', local: '::1' },
    )
    expect(parseAddresses(listed)).toEqual([
      { interface: 'lo', address: '127.0.0.1', isOurs: false },
      { interface: 'lo', address: V4, isOurs: true },
      { interface: 'lo', address: V6, isOurs: true },
      { interface: 'lo', address: '::1', isOurs: false },
    ])
  })

  it('is nothing where it is something else', () => {
    for (const wrong of ['', '{', '{}', 'null', '"lo"']) expect(parseAddresses(wrong)).toBeNull()
    expect(parseAddresses(text({ local: 'no address' }, {}))).toEqual([])
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
