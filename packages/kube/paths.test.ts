import { expect, it, test } from 'vitest'
import { paths, resourceOf } from './paths.ts'

test.each([
  [paths.sipProxies(), '/apis/sipcast.io/v1alpha1/sipproxies', 'sipproxies'],
  [paths.sipProxies('n'), '/apis/sipcast.io/v1alpha1/namespaces/n/sipproxies', 'sipproxies'],
  [
    paths.sipProxyStatus('n', 'a'),
    '/apis/sipcast.io/v1alpha1/namespaces/n/sipproxies/a/status',
    'sipproxies/status',
  ],
  [
    paths.sipBalancerStatus('b'),
    '/apis/sipcast.io/v1alpha1/sipbalancers/b/status',
    'sipbalancers/status',
  ],
  [paths.bgpPeer('p'), '/apis/sipcast.io/v1alpha1/bgppeers/p', 'bgppeers'],
  [paths.bgpPeerStatus('p'), '/apis/sipcast.io/v1alpha1/bgppeers/p/status', 'bgppeers/status'],
  [paths.configMap('n', 'a.b'), '/api/v1/namespaces/n/configmaps/a.b', 'configmaps'],
  [paths.secrets('n'), '/api/v1/namespaces/n/secrets', 'secrets'],
  [paths.pods(), '/api/v1/pods', 'pods'],
  [paths.podStatus('n', 'p'), '/api/v1/namespaces/n/pods/p/status', 'pods/status'],
  [paths.node('w'), '/api/v1/nodes/w', 'nodes'],
  [paths.lease('n', 'l'), '/apis/coordination.k8s.io/v1/namespaces/n/leases/l', 'leases'],
  [paths.events('n'), '/apis/events.k8s.io/v1/namespaces/n/events', 'events'],
  ['/api/v1/namespaces/n', '/api/v1/namespaces/n', 'namespaces'],
  ['/version', '/version', 'none'],
])('%s', (path, expected, resource) => {
  expect(path).toBe(expected)
  expect(resourceOf(path)).toBe(resource)
})

it('does not let a name become a path', () => {
  expect(paths.pod('../n', 'a/b?c')).toBe('/api/v1/namespaces/..%2Fn/pods/a%2Fb%3Fc')
})
