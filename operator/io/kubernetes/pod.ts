/**
 * From a pod as the API server has it to the little that is kept of it. Pure.
 * Not here: which SipProxy wants it (pod-index.ts). Invariants: a pod that has ended is none; nothing of a pod can make
 * this throw.
 */
import { canonicalAddress } from '@sipcast/crds'
import type { ApiObject } from '@sipcast/kube'
import { GATE_CONDITION } from '../../limits.ts'
import type { Pod, PodGate } from '../../ports.ts'
import type { Labels } from './label-selector.ts'
import { ownAnnotations } from './metadata.ts'

export interface KeptPod extends Pod {
  readonly labels: Labels
  /** When the status of our gate changed last, ISO; empty where nobody has said. */
  readonly gateSince: string
}

interface Condition {
  readonly type?: string
  readonly status?: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

interface PodSpec {
  readonly readinessGates?: readonly { readonly conditionType?: string }[]
}

interface PodStatus {
  readonly phase?: string
  readonly podIP?: string
  readonly podIPs?: readonly { readonly ip?: string }[]
  readonly hostIP?: string
  readonly hostIPs?: readonly { readonly ip?: string }[]
  readonly conditions?: readonly Condition[]
}

/** Null: it has ended, and its address may be somebody else's. */
export function keptPod({ metadata, ...fields }: ApiObject): KeptPod | null {
  const spec = (fields['spec'] ?? {}) as PodSpec
  const status = (fields['status'] ?? {}) as PodStatus
  if (status.phase === 'Failed' || status.phase === 'Succeeded') return null
  const conditions = new Map(status.conditions?.map((one) => [one.type ?? '', one]))
  const gates = (spec.readinessGates ?? []).map(({ conditionType }) => conditionType ?? '')
  const isTrue = (type: string) => conditions.get(type)?.status === 'True'
  const others = gates.filter((type) => type !== GATE_CONDITION)
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    annotations: ownAnnotations(metadata.annotations),
    addresses: addressesOf(status.podIPs, status.podIP),
    hostAddresses: addressesOf(status.hostIPs, status.hostIP),
    deleting: metadata.deletionTimestamp !== undefined,
    ready: isTrue('ContainersReady') && others.every(isTrue),
    gate: gates.includes(GATE_CONDITION) ? gateOf(conditions.get(GATE_CONDITION)) : null,
    gateSince: conditions.get(GATE_CONDITION)?.lastTransitionTime ?? '',
  }
}

function addressesOf(
  many: readonly { readonly ip?: string }[] | undefined,
  one: string | undefined,
): readonly string[] {
  const texts = many?.map(({ ip }) => ip ?? '') ?? [one ?? '']
  return texts.flatMap((text) => canonicalAddress(text) ?? [])
}

function gateOf(condition: Condition | undefined): PodGate {
  const { status = null, reason = '', message = '' } = condition ?? {}
  const isKnown = status === 'True' || status === 'False' || status === 'Unknown'
  return { status: isKnown ? status : null, reason, message }
}
