/** Objects that tests make, as manifests. Not here: the example's. */

export function sipProxy(
  namespace: string,
  name: string,
  spec: object,
  labels: Readonly<Record<string, string>> = {},
): object {
  const metadata = { namespace, name, labels }
  return { apiVersion: 'sipcast.io/v1alpha1', kind: 'SipProxy', metadata, spec }
}

export function namespaceOf(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

export function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', items }
}
