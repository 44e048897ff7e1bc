/**
 * NAMESPACE.NAME: how the documents of a SipProxy are called. A namespace has no dot, so the first one splits.
 */

export type SipProxyName = {
  readonly namespace: string
  readonly name: string
}

export function splitId(id: string): SipProxyName {
  const dot = id.indexOf('.')
  return { namespace: id.slice(0, dot), name: id.slice(dot + 1) }
}

/** NAMESPACE/NAME, as people write it. */
export function displayName(id: string): string {
  return id.replace('.', '/')
}
