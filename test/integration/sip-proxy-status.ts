/** A SipProxy's status as tests speak of it. Not here: waiting for it (system.ts). */
import type { ProxyStatus, SipProxyStatus } from '@sipcast/crds'

/** `True/Serving`. */
export function condition({ conditions }: SipProxyStatus, type: string): string {
  const found = conditions.find((one) => one.type === type)
  return `${found?.status}/${found?.reason}`
}

export function messageOf({ conditions }: SipProxyStatus, type: string): string {
  return conditions.find((one) => one.type === type)?.message ?? ''
}

export function proxyIn({ proxies }: SipProxyStatus, name: string): ProxyStatus {
  const found = proxies.find((proxy) => proxy.name === name)
  if (found === undefined) throw new Error(`the status has no proxy ${name}`)
  return found
}
