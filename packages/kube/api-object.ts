/** What all objects of the API have in common, and the order of their versions. Not here: any kind's own fields. */

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface ObjectMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface ApiObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMetadata
  readonly [field: string]: unknown
}

/** `NAMESPACE/NAME`, or `NAME` of what has no namespace. */
export function idOf({ metadata: { namespace, name } }: ApiObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** Whether version `a` is older than `b`; null where they cannot be compared. */
export function isOlder(a: string | undefined, b: string | undefined): boolean | null {
  if (a === undefined || b === undefined || !isNumber(a) || !isNumber(b)) return null
  return a.length === b.length ? a < b : a.length < b.length
}

function isNumber(version: string): boolean {
  return /^(0|[1-9]\d*)$/.test(version)
}
