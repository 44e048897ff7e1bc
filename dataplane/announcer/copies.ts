/**
 * Which addresses are announced: each by a copy of it on a link of ours, the only one whose addresses BIRD looks
 * at. Pure. Not here: which addresses may be held (`hold.ts`), when to renew (`announcer.ts`). Invariants: only what
 * is held, and so within the pools and nobody else's, has a copy; everything on the link is ours but the kernel's own
 * addresses; a link of that name and another kind is somebody else's, and left alone.
 */

import { isLinkLocal } from '../address-text.ts'
import { ANNOUNCE_LINK } from './bird/limits.ts'
import type { PresentAddress } from './hold.ts'

export interface PresentLink {
  /** As the kernel calls it: `dummy`; null: a real one, or unknown. */
  readonly kind: string | null
  readonly isUp: boolean
}

export interface CopyPlan {
  readonly add: readonly string[]
  readonly renew: readonly string[]
  readonly remove: readonly string[]
}

export const NO_COPIES: CopyPlan = { add: [], renew: [], remove: [] }

/** A bridge without ports does where the kernel has no dummy devices. */
export const LINK_KINDS: readonly string[] = ['dummy', 'bridge']

export function isOurLink({ kind }: PresentLink): boolean {
  return kind !== null && LINK_KINDS.includes(kind)
}

/**
 * @param ready to be announced, in canonical spelling
 * @param held what the node holds and may hold
 */
export function planCopies(
  ready: readonly string[],
  held: readonly string[],
  present: readonly PresentAddress[],
): CopyPlan {
  const copies = copiesIn(present)
  const wanted = held.filter((address) => ready.includes(address))
  return {
    add: wanted.filter((address) => !copies.includes(address)),
    renew: wanted.filter((address) => copies.includes(address)),
    remove: copies.filter((address) => !wanted.includes(address)),
  }
}

export function copiesIn(present: readonly PresentAddress[]): readonly string[] {
  const ours = present.filter((one) => one.isOurs && one.interface === ANNOUNCE_LINK)
  return ours.map(({ address }) => address).filter((address) => !isLinkLocal(address))
}
