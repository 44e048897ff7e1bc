/**
 * What can be made to go wrong with requests to the fake API server: while a fault is injected, the requests it is
 * meant for meet its effect. Faults of streams that are open already, and of the whole server, are methods of the
 * server.
 */
import type { Verb } from '@sipcast/kube'

export type FaultEffect =
  /** The connection is reset. */
  | { readonly kind: 'reset' }
  /** The connection is closed without an answer. */
  | { readonly kind: 'hangUp' }
  /** Accepted and never answered, not even once the fault is over. */
  | { readonly kind: 'silence' }
  /** Carried out, then never answered. */
  | { readonly kind: 'lostAnswer' }
  /** Answered late. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** What comes back is no JSON. */
  | { readonly kind: 'garbage' }
  /** Refused, with a Status. */
  | {
      readonly kind: 'refusal'
      readonly status: number
      readonly reason?: string
      readonly retryAfterSeconds?: number
    }
  /** Lists show what was when the fault was injected. */
  | { readonly kind: 'staleLists' }

export interface Fault {
  readonly effect: FaultEffect
  /** Empty: all. */
  readonly verbs?: readonly Verb[]
  /** In the plural, as in paths (`pods`); without it: all. */
  readonly resource?: string
  /** After so many requests it is over by itself. */
  readonly times?: number
}

interface Active {
  readonly fault: Fault
  left: number
}

export class Faults {
  readonly #active = new Set<Active>()

  /** The returned function ends it. */
  inject(fault: Fault): () => void {
    const active = { fault, left: fault.times ?? Number.POSITIVE_INFINITY }
    this.#active.add(active)
    return () => void this.#active.delete(active)
  }

  clear(): void {
    this.#active.clear()
  }

  /** The effect that this request meets, the oldest fault's first. */
  effectOn(verb: Verb, resource: string): FaultEffect | null {
    for (const active of this.#active) {
      const { effect, verbs = [], resource: wanted } = active.fault
      const isMeant = verbs.length === 0 || verbs.includes(verb)
      if (!isMeant || (wanted !== undefined && wanted !== resource)) continue
      active.left -= 1
      if (active.left <= 0) this.#active.delete(active)
      return effect
    }
    return null
  }
}
