/** The kinds of objects that the fake API server knows, and how a path of the API names one. */
import { ApiRefusal } from './api-refusal.ts'

export interface ResourceKind {
  /** Empty: the core group. */
  readonly group: string
  readonly version: string
  /** In the plural, as in paths. */
  readonly resource: string
  readonly kind: string
  readonly isNamespaced: boolean
  /** Its status is written by a path of its own, and by nothing else. */
  readonly hasStatus: boolean
  /** metadata.generation counts the changes of its specification. */
  readonly hasGeneration: boolean
}

export interface Target {
  readonly kind: ResourceKind
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly isStatus: boolean
}

const core = {
  group: '',
  version: 'v1',
  isNamespaced: true,
  hasStatus: false,
  hasGeneration: false,
}
const sipcast = {
  group: 'sipcast.io',
  version: 'v1alpha1',
  isNamespaced: false,
  hasStatus: true,
  hasGeneration: true,
}

export const KNOWN_KINDS: readonly ResourceKind[] = [
  { ...core, resource: 'configmaps', kind: 'ConfigMap' },
  { ...core, resource: 'secrets', kind: 'Secret' },
  { ...core, resource: 'pods', kind: 'Pod', hasStatus: true },
  { ...core, resource: 'nodes', kind: 'Node', hasStatus: true, isNamespaced: false },
  { ...core, resource: 'namespaces', kind: 'Namespace', hasStatus: true, isNamespaced: false },
  { ...core, group: 'coordination.k8s.io', resource: 'leases', kind: 'Lease' },
  { ...core, group: 'events.k8s.io', resource: 'events', kind: 'Event' },
  { ...sipcast, resource: 'sipproxies', kind: 'SipProxy', isNamespaced: true },
  { ...sipcast, resource: 'sipbalancers', kind: 'SipBalancer' },
  { ...sipcast, resource: 'bgppeers', kind: 'BgpPeer' },
]

export function apiVersionOf({ group, version }: ResourceKind): string {
  return group === '' ? version : `${group}/${version}`
}

/** @throws ApiRefusal 404 where the path names no known kind */
export function parseTarget(path: string, kinds: readonly ResourceKind[]): Target {
  const words = path.split('/').slice(1).map(decodeURIComponent)
  const isCore = words[0] === 'api'
  const [group, version] = isCore ? ['', words[1]] : [words[1], words[2]]
  const rest = words.slice(isCore ? 2 : 3)
  const isScoped = rest[0] === 'namespaces' && rest.length > 2
  const namespace = isScoped ? rest[1] : undefined
  const [resource, name, subresource] = isScoped ? rest.slice(2) : rest
  const kind = kinds.find(
    (known) => known.group === group && known.version === version && known.resource === resource,
  )
  const isStatus = subresource === 'status'
  const isKnown = kind !== undefined && (subresource === undefined || (isStatus && kind.hasStatus))
  if (!isKnown)
    throw new ApiRefusal(404, 'NotFound', 'the server could not find the requested resource')
  return { kind, namespace, name, isStatus }
}
