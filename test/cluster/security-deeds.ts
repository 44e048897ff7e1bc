/** What is tried with the tokens of the product's pods, and whether it may succeed. Every write is a dry run. */
import { EXAMPLE, NAMESPACE } from '@sipcast/lab'
import { paths } from '@sipcast/kube'
import type { Request } from './inside.ts'

export interface Deed extends Request {
  readonly what: string
  readonly may: boolean
  /** Words of the refusal. */
  readonly because?: string
}

const RBAC = `/apis/rbac.authorization.k8s.io/v1`
const HOME = `/api/v1/namespaces/${NAMESPACE}`
const ADMIN = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }
const BINDING = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'sipcast-test' },
  roleRef: ADMIN,
}
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'sipcast-test' },
  spec: { containers: [{ name: 'a', image: 'a' }] },
}

export function deedsOfOperator({ pod, node }: { pod: string; node: string }): readonly Deed[] {
  const { namespace, sipProxy } = EXAMPLE
  const exec = `${paths.pod(namespace, pod)}/exec?command=id&container=kamailio&stdout=true`
  return [
    may('lists SipProxies', get(paths.sipProxies())),
    may('lists pods', get(paths.pods())),
    may('lists BgpPeers', get(paths.bgpPeers())),
    may('lists its tables', get(paths.configMaps(NAMESPACE))),
    may('reads the keys', get(paths.secret(NAMESPACE, 'sipcast-keys'))),
    ...bothMayNot(node),
    mayNot('lists nodes', get(paths.nodes())),
    mayNot('changes a SipProxy', apply(paths.sipProxy(namespace, sipProxy), sipProxyOf(sipProxy))),
    mayNot('changes a SipBalancer', apply(paths.sipBalancer(node), sipBalancerOf(node))),
    mayNot('deletes a pod', { method: 'DELETE', path: paths.pod(namespace, pod) }),
    mayNot('makes a pod', { method: 'POST', path: paths.pods(NAMESPACE), body: POD }),
    mayNot('runs a command in a pod', { method: 'POST', path: exec }),
    mayNot('reads what a pod printed', get(`${paths.pod(namespace, pod)}/log`)),
    mayNot('reads another lease', get(paths.lease('kube-system', 'kube-scheduler'))),
    mayNot('writes a ConfigMap elsewhere', {
      method: 'POST',
      path: paths.configMaps(namespace),
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'sipcast-test' } },
    }),
  ]
}

export function deedsOfBalancer(nodes: { node: string; otherNode: string }): readonly Deed[] {
  const { node, otherNode } = nodes
  const { namespace, sipProxy } = EXAMPLE
  const its = { because: 'own node only' }
  return [
    may('lists tables', get(paths.configMaps(NAMESPACE))),
    may('lists BgpPeers', get(paths.bgpPeers())),
    may('lists nodes', get(paths.nodes())),
    may('reads its node', get(paths.node(node))),
    may('reports on itself', apply(paths.sipBalancerStatus(node), sipBalancerOf(node))),
    ...bothMayNot(node),
    mayNot('reports on another', apply(paths.sipBalancerStatus(otherNode), other(nodes)), its),
    mayNot('changes another', apply(paths.sipBalancer(otherNode), other(nodes)), its),
    mayNot('ends its own maintenance', apply(paths.sipBalancer(node), inMaintenance(node)), {
      because: 'spec is not',
    }),
    mayNot('deletes itself', { method: 'DELETE', path: paths.sipBalancer(node) }),
    mayNot('reads the keys', get(paths.secret(NAMESPACE, 'sipcast-keys'))),
    mayNot('lists SipProxies', get(paths.sipProxies())),
    mayNot('lists pods', get(paths.pods())),
    mayNot('reads the lease', get(paths.lease(NAMESPACE, 'sipcast-operator'))),
    mayNot('writes a table', {
      method: 'DELETE',
      path: paths.configMap(NAMESPACE, `sipcast-table-${namespace}.${sipProxy}`),
    }),
  ]
}

function bothMayNot(node: string): readonly Deed[] {
  return [
    mayNot('lists all Secrets', get('/api/v1/secrets')),
    mayNot('lists the Secrets of its namespace', get(paths.secrets(NAMESPACE))),
    mayNot('reads a Secret of others', get(paths.secret(EXAMPLE.namespace, 'registrar'))),
    mayNot('lists all ConfigMaps', get('/api/v1/configmaps')),
    mayNot('lists ConfigMaps of others', get(paths.configMaps('kube-system'))),
    mayNot('changes a BgpPeer', apply(paths.bgpPeer('sipcast-test'), bgpPeerOf('sipcast-test'))),
    mayNot('changes its node', apply(paths.node(node), nodeOf(node))),
    mayNot('makes itself a token', {
      method: 'POST',
      path: `${HOME}/serviceaccounts/sipcast-operator/token`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    }),
    mayNot('gives rights away', {
      method: 'POST',
      path: `${RBAC}/namespaces/${NAMESPACE}/rolebindings`,
      body: BINDING,
    }),
  ]
}

function may(what: string, request: Request): Deed {
  return { what, may: true, ...request }
}

function mayNot(what: string, request: Request, more: Pick<Deed, 'because'> = {}): Deed {
  return { what, may: false, ...request, ...more }
}

function get(path: string): Request {
  return { path }
}

function apply(path: string, body: object): Request {
  return { method: 'PATCH', path, body }
}

function sipProxyOf(name: string): object {
  const spec = { addresses: ['203.0.113.99'] }
  return { apiVersion: 'sipcast.io/v1alpha1', kind: 'SipProxy', metadata: { name }, spec }
}

function sipBalancerOf(name: string): object {
  return { apiVersion: 'sipcast.io/v1alpha1', kind: 'SipBalancer', metadata: { name } }
}

function bgpPeerOf(name: string): object {
  const spec = { peerAddress: '192.0.2.1', peerASN: 64_601, localASN: 64_512 }
  return { apiVersion: 'sipcast.io/v1alpha1', kind: 'BgpPeer', metadata: { name }, spec }
}

function other({ otherNode }: { otherNode: string }): object {
  return sipBalancerOf(otherNode)
}

function inMaintenance(name: string): object {
  return { ...sipBalancerOf(name), spec: { maintenance: true } }
}

function nodeOf(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'sipcast.io/test': 'true' } },
  }
}
