/**
 * The documents of server-side apply: a SipProxy's status, the readiness condition of a pod. Pure.
 * Invariants: whatever is absent from a document is taken off the object again; the uid keeps a condition from a later
 * pod of the name. (Of custom resources the API server overlooks it, as of 1.34: there the next status sets right
 * what was on its way to an object before.)
 */
import { API_VERSION, SIP_PROXY_KIND, type SipProxyStatus } from '@sipcast/crds'
import type { ApiObject } from '@sipcast/kube'
import { GATE_CONDITION } from '../../limits.ts'
import type { Pod, PodGate } from '../../ports.ts'

export function statusDocument(
  { namespace, name, uid }: { namespace: string; name: string; uid: string },
  status: SipProxyStatus,
): ApiObject {
  return {
    apiVersion: API_VERSION,
    kind: SIP_PROXY_KIND,
    metadata: { namespace, name, uid },
    status: withoutNulls({ ...status, proxies: status.proxies.map(withoutNulls) }),
  }
}

export function gateDocument(
  namespace: string,
  { name, uid }: Pod,
  { status, reason, message }: PodGate,
  /** ISO, whole seconds. */
  lastTransitionTime: string,
): ApiObject {
  const condition = { type: GATE_CONDITION, status, reason, message, lastTransitionTime }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, uid },
    status: { conditions: [condition] },
  }
}

/** A field that is null is one that is not there. */
function withoutNulls(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}
