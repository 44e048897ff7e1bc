/**
 * Objects that are refused, and what is said of them: by our own parser and by the API server. Where a row has one
 * answer, both say it. Not here: asking them (crds.test.ts).
 */
import { type Change, proxy } from './crds-specs.ts'

/** An answer is `field: why`, up to the value that is shown. */
export type Refused = readonly [sentence: string, change: Change, ours: string, server?: string]

const UNUSABLE =
  'must not be an unspecified, multicast, broadcast, reserved or IPv6 link-local address'

export const refusedSipProxies: readonly Refused[] = [
  [
    'no address',
    { addresses: [] },
    'spec.addresses: must have at least 1 entry',
    'spec.addresses: Invalid value: 0: spec.addresses in body should have at least 1 items',
  ],
  [
    'seventeen addresses',
    { addresses: Array.from({ length: 17 }, (_, at) => `192.0.2.${at + 10}`) },
    'spec.addresses: must have at most 16 entries',
    'spec.addresses: Too many: 17: must have at most 16 items',
  ],
  [
    'a host name as address',
    { addresses: ['sip.example.com'] },
    'spec.addresses[0]: must be an IPv4 or IPv6 address',
  ],
  [
    'an address with a leading zero',
    { addresses: ['192.0.2.010'] },
    'spec.addresses[0]: must be an IPv4 or IPv6 address',
  ],
  [
    'an IPv4 address in IPv6',
    { addresses: ['::ffff:192.0.2.1'] },
    'spec.addresses[0]: must be an IPv4 or IPv6 address',
  ],
  [
    'an address with a scope',
    { addresses: ['fe80::1%eth0'] },
    'spec.addresses[0]: must be an IPv4 or IPv6 address',
  ],
  ['a multicast address', { addresses: ['224.0.1.75'] }, `spec.addresses[0]: ${UNUSABLE}`],
  ['the broadcast address', { addresses: ['255.255.255.255'] }, `spec.addresses[0]: ${UNUSABLE}`],
  ['this network', { addresses: ['0.1.2.3'] }, `spec.addresses[0]: ${UNUSABLE}`],
  ['no address of IPv6', { addresses: ['::'] }, `spec.addresses[0]: ${UNUSABLE}`],
  ['a multicast address of IPv6', { addresses: ['ff02::1'] }, `spec.addresses[0]: ${UNUSABLE}`],
  ['a link-local address of IPv6', { addresses: ['fe80::1'] }, `spec.addresses[0]: ${UNUSABLE}`],
  [
    'one address in two spellings',
    { addresses: ['2001:db8::1', '2001:DB8:0::1'] },
    'spec.addresses: the same address is named twice',
  ],
  [
    'one address twice',
    { addresses: ['192.0.2.1', '192.0.2.1'] },
    'spec.addresses: the same address is named twice',
    'spec.addresses[1]: Duplicate value: "192.0.2.1"',
  ],
  [
    'port 0',
    { port: 0 },
    'spec.port: must be at least 1',
    'spec.port: Invalid value: 0: spec.port in body should be greater than or equal to 1',
  ],
  [
    'a port too large',
    { port: 70000 },
    'spec.port: must be at most 65535',
    'spec.port: Invalid value: 70000: spec.port in body should be less than or equal to 65535',
  ],
  [
    'half a port',
    { port: 5060.5 },
    'spec.port: must be of type int',
    'spec.port: Invalid value: "number": spec.port in body must be of type integer',
  ],
  [
    'a port as text',
    { port: '5060' },
    'spec.port: must be of type number',
    'spec.port: Invalid value: "string": spec.port in body must be of type integer',
  ],
  [
    'an alias with a port',
    { aliases: ['sip.example.com:5060'] },
    'spec.aliases[0]: must be a host name',
    'spec.aliases[0]: Invalid value: "sip.example.com:5060"',
  ],
  [
    'a domain that is a URI',
    { domains: ['sip:example.com'] },
    'spec.domains[0]: must be a host name or an IP address',
  ],
  [
    'half a bracket around a domain',
    { domains: ['[2001:db8::1'] },
    'spec.domains[0]: must be a host name or an IP address',
  ],
  ['no source of proxies', { proxies: {} }, 'spec.proxies: needs at least one source of proxies'],
  [
    'an empty list of proxies',
    { proxies: { static: [] } },
    'spec.proxies: needs at least one source of proxies',
  ],
  [
    'a proxy without address',
    { proxies: { static: [{ name: 'a' }] } },
    'spec.proxies.static[0].address: is missing',
    'spec.proxies.static[0].address: Required value',
  ],
  [
    'a proxy with a host name',
    { proxies: { static: [{ ...proxy, address: 'registrar' }] } },
    'spec.proxies.static[0].address: must be an IPv4 or IPv6 address',
  ],
  [
    'a proxy named in capitals',
    { proxies: { static: [{ ...proxy, name: 'A' }] } },
    'spec.proxies.static[0].name: must be a lower-case DNS label',
    'spec.proxies.static[0].name: Invalid value: "A"',
  ],
  [
    'a proxy with a long name',
    { proxies: { static: [{ ...proxy, name: 'a'.repeat(64) }] } },
    'spec.proxies.static[0].name: must have at most 63 characters',
    'spec.proxies.static[0].name: Too long',
  ],
  [
    'a weight of 0',
    { proxies: { static: [{ ...proxy, weight: 0 }] } },
    'spec.proxies.static[0].weight: must be at least 1',
    'spec.proxies.static[0].weight: Invalid value: 0',
  ],
  [
    'a weight of 1001',
    { proxies: { static: [{ ...proxy, weight: 1001 }] } },
    'spec.proxies.static[0].weight: must be at most 1000',
    'spec.proxies.static[0].weight: Invalid value: 1001',
  ],
  [
    'two proxies of one name',
    { proxies: { static: [proxy, { ...proxy, port: 5070 }] } },
    'spec.proxies.static: two proxies have the same name',
    'spec.proxies.static[1]: Duplicate value: {"name":"a"}',
  ],
  [
    'a proxy at our own address',
    { proxies: { static: [{ ...proxy, address: '203.0.113.10' }] } },
    "spec.proxies.static: a proxy cannot be at one of the SipProxy's own addresses and port",
  ],
  [
    'a proxy at our own address, spelt in another way',
    { addresses: ['2001:db8::1'], proxies: { static: [{ ...proxy, address: '2001:DB8:0::1' }] } },
    "spec.proxies.static: a proxy cannot be at one of the SipProxy's own addresses and port",
  ],
  [
    '1025 proxies',
    {
      proxies: {
        static: Array.from({ length: 1025 }, (_, at) => ({
          name: `a${at}`,
          address: `10.0.${at >> 8}.${at & 255}`,
        })),
      },
    },
    'spec.proxies.static: must have at most 1024 entries',
    'spec.proxies.static: Too many: 1025',
  ],
  [
    'a selector with a key that is none',
    { proxies: { selector: { matchLabels: { 'a b': 'c' } } } },
    'spec.proxies.selector.matchLabels: every key must be a label key',
  ],
  [
    'a selector with a value that is none',
    { proxies: { selector: { matchLabels: { app: 'a b' } } } },
    'spec.proxies.selector.matchLabels.app: must be a label value',
    'spec.proxies.selector.matchLabels.app: Invalid value: "a b"',
  ],
  [
    'a selector with 33 labels',
    {
      proxies: {
        selector: {
          matchLabels: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`a${at}`, ''])),
        },
      },
    },
    'spec.proxies.selector.matchLabels: must have at most 32 entries',
    'spec.proxies.selector.matchLabels: Too many: 33',
  ],
  [
    'a requirement of an unknown kind',
    { proxies: { selector: { matchExpressions: [{ key: 'app', operator: 'Like' }] } } },
    'spec.proxies.selector.matchExpressions[0].operator: must be In or NotIn or Exists or DoesNotExist',
    'spec.proxies.selector.matchExpressions[0].operator: Unsupported value: "Like"',
  ],
  [
    'In without values',
    { proxies: { selector: { matchExpressions: [{ key: 'app', operator: 'In' }] } } },
    'spec.proxies.selector.matchExpressions[0].values: In and NotIn need values',
  ],
  [
    'Exists with values',
    {
      proxies: {
        selector: { matchExpressions: [{ key: 'app', operator: 'Exists', values: ['a'] }] },
      },
    },
    'spec.proxies.selector.matchExpressions[0].values: In and NotIn need values',
  ],
  [
    'a duration without unit',
    { probe: { interval: '500' } },
    'spec.probe.interval: must be a duration such as',
    'spec.probe.interval: Invalid value: "500"',
  ],
  [
    'a duration in microseconds',
    { probe: { interval: '500000us' } },
    'spec.probe.interval: must be a duration such as',
    'spec.probe.interval: Invalid value: "500000us"',
  ],
  [
    'a duration too short',
    { probe: { interval: '49ms', timeout: '10ms' } },
    'spec.probe.interval: must be from 50ms to 60s',
  ],
  [
    'a duration too long',
    { probe: { interval: '61s' } },
    'spec.probe.interval: must be from 50ms to 60s',
  ],
  [
    'a timeout above the interval',
    { probe: { interval: '300ms' } },
    'spec.probe.timeout: must not be longer than interval',
  ],
  [
    'a status code of a provisional response',
    { probe: { acceptedCodes: ['1xx'] } },
    'spec.probe.acceptedCodes[0]: must be a status code',
    'spec.probe.acceptedCodes[0]: Invalid value: "1xx"',
  ],
  [
    'no status code',
    { probe: { acceptedCodes: [] } },
    'spec.probe.acceptedCodes: must have at least 1 entry',
    'spec.probe.acceptedCodes: Invalid value: 0',
  ],
  [
    'a Request-URI of HTTP',
    { probe: { requestUri: 'http://example.com' } },
    'spec.probe.requestUri: must be a SIP URI',
    'spec.probe.requestUri: Invalid value: "http://example.com"',
  ],
  [
    'a Request-URI with a line break',
    { probe: { requestUri: 'sip:a@b\r\nVia: c' } },
    'spec.probe.requestUri: must be a SIP URI',
    'spec.probe.requestUri: Invalid value',
  ],
  [
    'a slot count that is no power of two',
    { mapping: { slots: 5000 } },
    'spec.mapping.slots: must be a power of two from 64 to 65536',
    'spec.mapping.slots: Unsupported value: 5000',
  ],
  [
    'an unknown key',
    { mapping: { key: 'Host' } },
    'spec.mapping.key: must be User or UserAndHost or CallId',
    'spec.mapping.key: Unsupported value: "Host"',
  ],
  [
    'a short seed',
    { mapping: { seed: 'abc' } },
    'spec.mapping.seed: must be 64 hexadecimal digits',
    'spec.mapping.seed: Invalid value: "abc"',
  ],
  [
    '101 percent',
    { mapping: { panicPercent: 101 } },
    'spec.mapping.panicPercent: must be at most 100',
    'spec.mapping.panicPercent: Invalid value: 101',
  ],
  [
    'a budget of nothing',
    { mapping: { handBack: { maxMovedPercent: 0 } } },
    'spec.mapping.handBack.maxMovedPercent: must be at least 1',
    'spec.mapping.handBack.maxMovedPercent: Invalid value: 0',
  ],
  [
    'a hand-back after two days',
    { mapping: { handBack: { after: '48h' } } },
    'spec.mapping.handBack.after: must be from 0s to 24h',
  ],
  [
    'an unknown source',
    { edge: { insideSource: 'Pod' } },
    'spec.edge.insideSource: must be Node or Shared',
    'spec.edge.insideSource: Unsupported value: "Pod"',
  ],
  [
    'a network without prefix',
    { edge: { insideNetworks: ['10.0.0.0'] } },
    'spec.edge.insideNetworks[0]: must be a network',
  ],
  [
    'a network with a prefix too long',
    { edge: { trustedNetworks: ['10.0.0.0/33'] } },
    'spec.edge.trustedNetworks[0]: must be a network',
  ],
  [
    'a network whose prefix begins with zero',
    { edge: { trustedNetworks: ['10.0.0.0/08'] } },
    'spec.edge.trustedNetworks[0]: must be a network',
  ],
  [
    'half a rate limit',
    { edge: { rateLimit: { perSource: 10 } } },
    'spec.edge.rateLimit.burst: is missing',
    'spec.edge.rateLimit.burst: Required value',
  ],
  [
    'an empty User-Agent',
    { edge: { denyUserAgents: [''] } },
    'spec.edge.denyUserAgents[0]: must',
    'spec.edge.denyUserAgents[0]: Invalid value: ""',
  ],
  [
    'a misspelt field',
    { probe: { intervall: '1s' } },
    'spec.probe.intervall: is not a known field',
  ],
  ['a field at the wrong place', { slots: 4096 }, 'spec.slots: is not a known field'],
  [
    'no addresses at all',
    { addresses: undefined },
    'spec.addresses: is missing',
    'spec.addresses: Required value',
  ],
  [
    'no proxies at all',
    { proxies: undefined },
    'spec.proxies: is missing',
    'spec.proxies: Required value',
  ],
]

export const refusedBgpPeers: readonly Refused[] = [
  [
    'a host name as peer',
    { peerAddress: 'router' },
    'spec.peerAddress: must be an IPv4 or IPv6 address',
  ],
  ['AS 0', { peerASN: 0 }, 'spec.peerASN: must be at least 1', 'spec.peerASN: Invalid value: 0'],
  [
    'the last AS',
    { localASN: 4294967295 },
    'spec.localASN: must be at most 4294967294',
    'spec.localASN: Invalid value: 4294967295',
  ],
  [
    'no local AS',
    { localASN: undefined },
    'spec.localASN: is missing',
    'spec.localASN: Required value',
  ],
  [
    'a hold time below three seconds',
    { holdTime: '2s' },
    'spec.holdTime: must be from 3s to 65535s',
  ],
  [
    'a hold time with a fraction',
    { holdTime: '9.5s' },
    'spec.holdTime: must be a duration in whole seconds',
    'spec.holdTime: Invalid value: "9.5s"',
  ],
  ['BFD too fast', { bfd: { interval: '1ms' } }, 'spec.bfd.interval: must be from 10ms to 60s'],
  [
    'BFD without patience',
    { bfd: { multiplier: 0 } },
    'spec.bfd.multiplier: must be at least 1',
    'spec.bfd.multiplier: Invalid value: 0',
  ],
  [
    'a label that is none',
    { nodeSelector: { 'a/b/c': '' } },
    'spec.nodeSelector: every key must be a label key',
  ],
  [
    'a Secret without name',
    { passwordSecretRef: {} },
    'spec.passwordSecretRef.name: is missing',
    'spec.passwordSecretRef.name: Required value',
  ],
  [
    'a source of another IP version',
    { sourceAddress: '2001:db8::1' },
    'spec.sourceAddress: must be of the same IP version as peerAddress',
  ],
  [
    '256 hops',
    { multihop: 256 },
    'spec.multihop: must be at most 255',
    'spec.multihop: Invalid value: 256',
  ],
  [
    'a community that is a word',
    { communities: ['no-export'] },
    'spec.communities[0]: must be a community',
    'spec.communities[0]: Invalid value: "no-export"',
  ],
  [
    'a community above 16 bits',
    { communities: ['65536:1'] },
    'spec.communities[0]: each part must be at most 65535',
  ],
  [
    'a large community above 32 bits',
    { communities: ['1:2:4294967296'] },
    'spec.communities[0]: each part must be at most 65535',
  ],
]
