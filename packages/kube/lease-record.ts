/** What a Lease of coordination.k8s.io says, read and written. Its times are for people: nothing here compares them. */
import type { ApiObject } from './api-object.ts'

export interface LeaseRecord {
  /** Empty: nobody holds it. */
  readonly holder: string
  /** As the holder promised. */
  readonly durationMs: number
  readonly transitions: number
}

interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly leaseTransitions?: number
}

export function readLease(lease: ApiObject): LeaseRecord {
  const spec = (lease['spec'] ?? {}) as LeaseSpec
  return {
    holder: spec.holderIdentity ?? '',
    durationMs: (spec.leaseDurationSeconds ?? 0) * 1000,
    transitions: spec.leaseTransitions ?? 0,
  }
}

/** Renewed now: `lease` with the record's fields, and all its others. */
export function renewedLease(lease: ApiObject, record: LeaseRecord): ApiObject {
  const spec = {
    ...(lease['spec'] as object | undefined),
    holderIdentity: record.holder,
    leaseDurationSeconds: Math.max(1, Math.round(record.durationMs / 1000)),
    leaseTransitions: record.transitions,
    renewTime: microTime(),
  }
  return { ...lease, spec }
}

/** As `renewedLease`, by a new holder. */
export function takenLease(lease: ApiObject, record: LeaseRecord): ApiObject {
  const taken = renewedLease(lease, record)
  return { ...taken, spec: { ...(taken['spec'] as object), acquireTime: microTime() } }
}

export function newLease(namespace: string, name: string): ApiObject {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace, name },
  }
}

/** Kubernetes' MicroTime: six digits of a second. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}
