/** Objects that are accepted: at the limits, or unusual to look at. Not here: asking for it (crds.test.ts). */
import { type Change, proxy } from './crds-specs.ts'

export const acceptedSipProxies: readonly (readonly [sentence: string, change: Change])[] = [
  ['the smallest one', {}],
  [
    'sixteen addresses of both versions',
    {
      addresses: Array.from({ length: 16 }, (_, at) =>
        at % 2 ? `203.0.113.${at}` : `2001:db8::${at + 1}`,
      ),
    },
  ],
  ['IPv6 in capitals and at length', { addresses: ['2001:DB8:0:0:0:0:0:1'] }],
  ['the loopback address, for a laboratory', { addresses: ['127.0.0.1', '::1'] }],
  ['an IPv4 link-local address', { addresses: ['169.254.1.1'] }],
  [
    'both sources of proxies',
    { proxies: { selector: { matchLabels: { app: 'registrar' } }, static: [proxy] } },
  ],
  ['a selector of everything', { proxies: { selector: {} } }],
  [
    'all operators of a selector',
    {
      proxies: {
        selector: {
          matchExpressions: [
            { key: 'example.com/a', operator: 'In', values: ['b', ''] },
            { key: 'c', operator: 'NotIn', values: ['d'] },
            { key: 'e', operator: 'Exists' },
            { key: 'f', operator: 'DoesNotExist', values: [] },
          ],
        },
      },
    },
  ],
  [
    'a proxy at our address and another port',
    { proxies: { static: [{ ...proxy, address: '203.0.113.10', port: 5070 }] } },
  ],
  [
    '1024 proxies',
    {
      proxies: {
        static: Array.from({ length: 1024 }, (_, at) => ({
          name: `a${at}`,
          address: `10.0.${at >> 8}.${at & 255}`,
        })),
      },
    },
  ],
  [
    'durations in all spellings',
    {
      probe: { interval: '1m', timeout: '0.5s' },
      mapping: { handBack: { after: '0s', per: '1m30s' } },
    },
  ],
  [
    'names with underscores and closing dots',
    { aliases: ['_sip._udp.example.com.', 'SIP.Example.COM'] },
  ],
  [
    'domains of all kinds',
    { domains: ['example.com', '192.0.2.1', '[2001:db8::1]', '2001:db8::1', '[192.0.2.1]'] },
  ],
  ['a seed in capitals', { mapping: { seed: 'AB'.repeat(32), slots: 65536 } }],
  [
    'networks with host bits',
    { edge: { insideNetworks: ['10.1.2.3/8', '2001:DB8::1/32', '0.0.0.0/0', '::/0'] } },
  ],
  [
    'everything switched off',
    { edge: { path: false, recordRoute: false, rateLimit: { perSource: 1, burst: 1_000_000 } } },
  ],
]
