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
