/**
 * What the announcer needs from the world. Not here: any decision. Invariant: nothing behind these ports takes
 * longer than its time, whatever hangs.
 */

import type { Proof } from '../proof.ts'
import type { PresentAddress } from './hold.ts'
import type { IpCommand } from './ip-commands.ts'

export interface ProofSource {
  /** Null: no proof in time, for whatever reason. */
  prove(): Promise<Proof | null>
}

/** A run of `ip` that did not do what it was to. */
export class IpError extends Error {
  override readonly name = 'IpError'
}

export interface AddressTable {
  /** What is on all interfaces. Fails with IpError. */
  list(): Promise<readonly PresentAddress[]>
  /** Does what it can of these, in their order; resolves to what `ip` said where that was not all. */
  apply(commands: readonly IpCommand[]): Promise<string | null>
}
