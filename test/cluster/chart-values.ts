/** Values of the chart: its switches, and what its schema refuses, by sentence. Not here: what is made of them. */

export const SWITCHES = [
  'crds.install',
  'balancer.ownSipBalancerOnly',
  'balancer.acceptLocal.enabled',
  'networkPolicy.enabled',
  'monitoring.podMonitor.enabled',
  'monitoring.prometheusRule.enabled',
  'monitoring.dashboard.enabled',
] as const

/** A BgpPeer as the chart's values have it, with everything that can be said. */
export const PEER = {
  name: 'router-a',
  peerAddress: '192.0.2.1',
  peerASN: 4_200_000_001,
  localASN: 64_512,
  port: 1790,
  holdTime: '30s',
  bfd: { enabled: true, interval: '300ms', multiplier: 5 },
  nodeSelector: { rack: '1' },
  passwordSecretRef: { name: 'router-a', key: 'bgp' },
  sourceAddress: '192.0.2.10',
  multihop: 2,
  communities: ['65000:100', '65000:1:2'],
} as const

type Refused = readonly [sentence: string, values: Readonly<Record<string, unknown>>, field: string]

export const refusedValues: readonly Refused[] = [
  ['a word that there is not', { adressPools: [] }, 'adressPools'],
  ['one below', { 'balancer.worker': 2 }, 'worker'],
  ['a pool that is no network', { addressPools: [{ cidr: '203.0.113.10' }] }, 'addressPools'],
  ['a prefix too long', { addressPools: [{ cidr: '203.0.113.10/33' }] }, 'addressPools'],
  ['a pool without its network', { addressPools: [{ namespaces: ['a'] }] }, 'cidr'],
  [
    'a pool for no namespace',
    { addressPools: [{ cidr: '2001:db8::/64', namespaces: [] }] },
    'namespaces',
  ],
  [
    'a namespace in capitals',
    { addressPools: [{ cidr: '2001:db8::/64', namespaces: ['A'] }] },
    'namespaces',
  ],
  ['no operator', { 'operator.replicas': 0 }, 'replicas'],
  ['workers without end', { 'balancer.workers': 65 }, 'workers'],
  ['workers in words', { 'balancer.workers': 'two' }, 'workers'],
  ['a relative folder', { 'balancer.stateDirectory': 'state' }, 'stateDirectory'],
  ['no balancer may be away', { 'balancer.maxUnavailable': 0 }, 'maxUnavailable'],
  [
    'no time to end',
    { 'balancer.terminationGracePeriodSeconds': 0 },
    'terminationGracePeriodSeconds',
  ],
  ['a drain that outlasts the grace period', { 'balancer.drainSeconds': 26 }, 'drainSeconds'],
  ['an interface with a slash', { 'balancer.acceptLocal.interface': 'eth0/1' }, 'interface'],
  ['an announcement that there is not', { 'announcer.announce': 'ospf' }, 'announce'],
  [
    'no time to be withdrawn',
    { 'announcer.announce': 'bgp', 'balancer.drainSeconds': 1 },
    'drainSeconds',
  ],
  [
    'a router without address',
    { 'bgp.peers': [{ ...PEER, peerAddress: undefined }] },
    'peerAddress',
  ],
  ['a router without name', { 'bgp.peers': [{ ...PEER, name: undefined }] }, 'name'],
  ["a router's host name", { 'bgp.peers': [{ ...PEER, peerAddress: 'router-a' }] }, 'peerAddress'],
  ['an ASN too many', { 'bgp.peers': [{ ...PEER, peerASN: 2 ** 32 }] }, 'peerASN'],
  [
    'a community in words',
    { 'bgp.peers': [{ ...PEER, communities: ['no-export'] }] },
    'communities',
  ],
  [
    'a field of a router that there is not',
    { 'bgp.peers': [{ ...PEER, password: 'a' }] },
    'password',
  ],
  ['the keys as a password', { 'bgp.passwordSecrets': ['sipcast-keys'] }, 'passwordSecrets'],
  ['a Secret with a slash', { 'bgp.passwordSecrets': ['a/b'] }, 'passwordSecrets'],
  ['an interface too long for its label', { 'announcer.interface': 'loopback0' }, 'interface'],
  ['a digest that is none', { 'image.digest': 'sha256:1' }, 'digest'],
  ['a third IP version', { primaryFamily: 'IPv5' }, 'primaryFamily'],
  ['a switch that is no switch', { 'crds.install': 'yes' }, 'install'],
  [
    'proxies everywhere',
    { 'networkPolicy.proxies': [{ podSelector: { matchLabels: {} } }] },
    'namespace',
  ],
  ['an interval without unit', { 'monitoring.podMonitor.interval': '15' }, 'interval'],
]
