import { describe, expect, it } from 'vitest'
import { endpoint } from './forward.fixture.ts'
import { Networks } from './networks.ts'

describe('Networks', () => {
  const rows: [string, string, boolean][] = [
    ['10.1.0.0/16', '10.1.255.255', true],
    ['10.1.0.0/16', '10.2.0.0', false],
    ['10.1.2.3/16', '10.1.9.9', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.0/31', '192.0.2.1', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['2001:db8::1', '2001:db8::1', true],
    ['2001:db8::ffff:1:2/0', '10.0.0.1', false],
    ['2001:db8::ffff:1:2/0', '2001:db9::1', true],
    ['nonsense', '10.0.0.1', false],
    ['10.0.0.0/33', '10.0.0.1', false],
    ['10.0.0.0/-1', '10.0.0.1', false],
  ]
  it.each(rows)('%s has %s: %s', (cidr, address, has) => {
    const text = address.includes(':') ? `[${address}]` : address
    expect(new Networks([cidr]).has(endpoint(text), 0)).toBe(has)
    expect(new Networks(['198.18.0.0/15', cidr]).has(endpoint(text), 0)).toBe(has)
  })
})
