/**
 * What our readiness gate should say on a pod: whether it answers OPTIONS, for every SipProxy that it is a proxy of
 * (design section 4, "Readiness"). Pure, but for remembering what each SipProxy said.
 * Not here: writing it (gates.ts). Invariant: while one of its SipProxies knows nothing of a pod yet, and none speaks
 * against it, it is left as it is.
 */
import type { Key, PodGate } from './ports.ts'

/** What one SipProxy says of one of its pods. */
export interface Opinion {
  readonly isUp: boolean
  /** CamelCase. */
  readonly reason: string
  /** `proxies.port` differs between SipProxies. */
  readonly endpoint: string
}

export class Readiness {
  /** By `NAMESPACE/POD`. */
  readonly #opinions = new Map<string, Map<Key, Opinion | null>>()
  readonly #podsOf = new Map<Key, ReadonlySet<string>>()

  /**
   * Takes all that one SipProxy says, by `NAMESPACE/POD`; null: it has the pod, but knows nothing yet. Returns the
   * others that share a pod about which it changed.
   */
  set(key: Key, opinions: ReadonlyMap<string, Opinion | null>): readonly Key[] {
    const others = new Set<Key>()
    const before = this.#podsOf.get(key) ?? new Set()
    for (const pod of before.difference(opinions)) this.#forget(pod, key, others)
    for (const [pod, opinion] of opinions) {
      const ofPod = this.#opinions.get(pod) ?? new Map<Key, Opinion | null>()
      if (ofPod.get(key)?.isUp !== opinion?.isUp) addOthers(ofPod, key, others)
      this.#opinions.set(pod, ofPod.set(key, opinion))
    }
    if (opinions.size === 0) this.#podsOf.delete(key)
    else this.#podsOf.set(key, new Set(opinions.keys()))
    return [...others]
  }

  delete(key: Key): readonly Key[] {
    return this.set(key, new Map())
  }

  /** Null: it cannot be said yet. */
  of(pod: string): PodGate | null {
    const opinions = this.#opinions.get(pod)
    return opinions === undefined ? null : gateOf(opinions)
  }

  /** Whether any SipProxy has this pod. */
  isAnybodys(pod: string): boolean {
    return this.#opinions.has(pod)
  }

  #forget(pod: string, key: Key, others: Set<Key>): void {
    const ofPod = this.#opinions.get(pod)
    if (ofPod === undefined) return
    ofPod.delete(key)
    addOthers(ofPod, key, others)
    if (ofPod.size === 0) this.#opinions.delete(pod)
  }
}

export function sameGate(a: PodGate, b: PodGate): boolean {
  return a.status === b.status && a.reason === b.reason && a.message === b.message
}

function gateOf(opinions: ReadonlyMap<Key, Opinion | null>): PodGate | null {
  const sorted = [...opinions].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const against = sorted.flatMap(([key, opinion]) =>
    opinion === null || opinion.isUp ? [] : [{ ...opinion, key }],
  )
  const [worst] = against
  if (worst !== undefined) {
    const message = against.map((one) => `SipProxy ${one.key}: ${sentence(one)}`).join(' ')
    return { status: 'False', reason: worst.reason, message }
  }
  if (sorted.some(([, opinion]) => opinion === null)) return null
  const message = `Answers OPTIONS for ${sorted.map(([key]) => `SipProxy ${key}`).join(', ')}.`
  return { status: 'True', reason: 'Answers', message }
}

function sentence({ reason, endpoint }: Opinion): string {
  return WORDS[reason]?.replace('@', endpoint) ?? `OPTIONS to ${endpoint}: ${reason}.`
}

const WORDS: Readonly<Record<string, string>> = {
  NoAnswer: 'no answer to OPTIONS at @.',
  Refused: 'nobody listens at @ (ICMP).',
  StatusRejected: 'the answer of @ to OPTIONS is not among acceptedCodes.',
  Unavailable: '@ answers OPTIONS with 503 and Retry-After: it takes no new users.',
  DownBefore: 'no answer to OPTIONS at @ so far.',
}

function addOthers(ofPod: ReadonlyMap<Key, unknown>, key: Key, others: Set<Key>): void {
  for (const other of ofPod.keys()) if (other !== key) others.add(other)
}
