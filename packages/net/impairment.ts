/** A fate for a memory network's datagrams: random loss, delay and duplicates from a given source of chance. */

import type { Fate } from './memory-network.ts'

export interface Impairment {
  /** Probabilities, 0…1. */
  readonly loss?: number
  readonly duplicate?: number
  /** Every copy's delay is drawn evenly between these, so datagrams overtake each other. */
  readonly delayMinMs?: number
  readonly delayMaxMs?: number
}

/** `random` returns numbers in [0, 1), as Math.random does. */
export function impaired(impairment: Impairment, random: () => number): Fate {
  const { loss = 0, duplicate = 0, delayMinMs = 0 } = impairment
  const delayMaxMs = Math.max(delayMinMs, impairment.delayMaxMs ?? 0)
  return () => {
    if (random() < loss) return []
    const copies = random() < duplicate ? 2 : 1
    return Array.from({ length: copies }, () => delayMinMs + random() * (delayMaxMs - delayMinMs))
  }
}
