/**
 * What the announcer needs from the world. Not here: any decision. Invariant: nothing behind these ports takes
 * longer than its time, whatever hangs.
 */

import type { Announcement, BgpSessionStatus } from '../announcement.ts'
import type { Proof } from '../proof.ts'
import type { TroubleOf } from '../troubles.ts'
import type { Present } from './ip-commands.ts'

/** Why there is no proof. */
export const Silence = {
  /** Nobody is behind the socket, or there is none: the balancer has ended, or has not begun. */
  absent: 'absent',
  /** No answer in time, or none that is a proof: it may hang, be frozen, or be slow. */
  silent: 'silent',
} as const
export type Silence = (typeof Silence)[keyof typeof Silence]

export interface ProofSource {
  /** Tells the balancer how this node fares, and asks it how it does. */
  prove(announcement: Announcement): Promise<Proof | Silence>
}

/** A run of `ip` that did not do what it was to. */
export class IpError extends Error {
  override readonly name = 'IpError'
}

export interface AddressTable {
  /** What there is. Fails with IpError. */
  list(): Promise<Present>
  /**
   * Does what it can of these lines of `ip -batch`, in their order; resolves to what `ip` said where that was not
   * all.
   */
  apply(lines: readonly string[]): Promise<string | null>
}

/** The half that deals with BIRD, as the look loop sees it. Nobody waits for it, but for its end. */
export interface Routers {
  /** What the balancer said last. */
  heard(proof: Proof): void
  /** Whether routers are to turn to others; takes effect at once. */
  setShuttingDown(isShuttingDown: boolean): void
  /** Somebody wants this node out of service, as a directory says; null: it has not been read yet. */
  readonly isInMaintenance: boolean | null
  /** A router listens. */
  readonly hasSession: boolean
  /** Addresses that the router is told of that is told of most. */
  readonly exported: { readonly ipv4: number; readonly ipv6: number }
  readonly sessions: readonly BgpSessionStatus[]
  /** BgpPeers that select this node; null: not known yet. */
  readonly sessionsWanted: number | null
  readonly problems: readonly TroubleOf[]
  /** Null: its own loop turns. */
  healthProblem(): string | null
  /** @param maintenanceChanged called when `isInMaintenance` has become another */
  start(maintenanceChanged: () => void): void
  /** @param isBirdToEnd BIRD is told to end, too */
  stop(isBirdToEnd: boolean): Promise<void>
}
