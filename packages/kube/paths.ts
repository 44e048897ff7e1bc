/** Where objects live in the API: every path that sipcast uses. Not here: queries. */

const SIPCAST = '/apis/sipcast.io/v1alpha1'
const CORE = '/api/v1'

export const paths = {
  /** Without a namespace: of all. */
  sipProxies: (namespace?: string) => under(SIPCAST, namespace, 'sipproxies'),
  sipProxy: (namespace: string, name: string) => named(SIPCAST, namespace, 'sipproxies', name),
  sipProxyStatus: (namespace: string, name: string) =>
    `${named(SIPCAST, namespace, 'sipproxies', name)}/status`,

  sipBalancers: () => under(SIPCAST, undefined, 'sipbalancers'),
  sipBalancer: (name: string) => named(SIPCAST, undefined, 'sipbalancers', name),
  sipBalancerStatus: (name: string) => `${named(SIPCAST, undefined, 'sipbalancers', name)}/status`,

  bgpPeers: () => under(SIPCAST, undefined, 'bgppeers'),
  bgpPeer: (name: string) => named(SIPCAST, undefined, 'bgppeers', name),
  bgpPeerStatus: (name: string) => `${named(SIPCAST, undefined, 'bgppeers', name)}/status`,

  configMaps: (namespace: string) => under(CORE, namespace, 'configmaps'),
  configMap: (namespace: string, name: string) => named(CORE, namespace, 'configmaps', name),

  secrets: (namespace: string) => under(CORE, namespace, 'secrets'),
  secret: (namespace: string, name: string) => named(CORE, namespace, 'secrets', name),

  pods: (namespace?: string) => under(CORE, namespace, 'pods'),
  pod: (namespace: string, name: string) => named(CORE, namespace, 'pods', name),
  podStatus: (namespace: string, name: string) => `${named(CORE, namespace, 'pods', name)}/status`,

  nodes: () => under(CORE, undefined, 'nodes'),
  node: (name: string) => named(CORE, undefined, 'nodes', name),

  leases: (namespace: string) => under('/apis/coordination.k8s.io/v1', namespace, 'leases'),
  lease: (namespace: string, name: string) =>
    named('/apis/coordination.k8s.io/v1', namespace, 'leases', name),

  events: (namespace: string) => under('/apis/events.k8s.io/v1', namespace, 'events'),
} as const

/** `pods`, `pods/status`, …: what a path is about, for metrics; never a name. */
export function resourceOf(path: string): string {
  const words = (path.split('?', 1)[0] ?? '').split('/').filter((word) => word !== '')
  const after = words[0] === 'api' ? 2 : words[0] === 'apis' ? 3 : words.length
  const rest = words.slice(after)
  const [kind, , subresource] = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest
  if (kind === undefined) return 'none'
  return subresource === undefined ? kind : `${kind}/${subresource}`
}

function named(group: string, namespace: string | undefined, kind: string, name: string): string {
  return `${under(group, namespace, kind)}/${encodeURIComponent(name)}`
}

function under(group: string, namespace: string | undefined, kind: string): string {
  if (namespace === undefined) return `${group}/${kind}`
  return `${group}/namespaces/${encodeURIComponent(namespace)}/${kind}`
}
