/**
 * What the half that deals with BIRD needs from the world. Not here: any decision (`keeper.ts`). Invariant: everything
 * here ends in a bounded time, and fails with BirdError alone.
 */

import { WORDS_LENGTH_MAX } from './limits.ts'
import type { BgpSession } from './sessions.ts'

export const BirdErrorCode = {
  /** No such socket, nobody behind it, or cut off: BIRD does not run. */
  absent: 'absent',
  /** No answer in time: it hangs, or works on something large. */
  silent: 'silent',
  /** It said no; the message is its own words. */
  refused: 'refused',
  /** Not the control protocol, or too much of it. */
  garbled: 'garbled',
  /** The configuration's file cannot be read or written. */
  unwritable: 'unwritable',
} as const
export type BirdErrorCode = (typeof BirdErrorCode)[keyof typeof BirdErrorCode]

export class BirdError extends Error {
  override readonly name = 'BirdError'
  readonly code: BirdErrorCode

  constructor(code: BirdErrorCode, message: string, options?: ErrorOptions) {
    super(message.slice(0, WORDS_LENGTH_MAX), options)
    this.code = code
  }
}

export interface BirdDaemon {
  /** One per BgpPeer in the configuration in use. */
  sessions(): Promise<readonly BgpSession[]>
  /** Begins a session again that BIRD has given up. */
  enable(peer: string): Promise<void>
  /** Ends BIRD, in order: it says goodbye to its routers. */
  down(): Promise<void>
}

export interface ConfigurationStore {
  /** Writes the text that a BIRD without a file starts with; one that is there stays. */
  prepare(text: string): Promise<void>
  /** Puts the text into use; where that fails, everything is as it was. */
  apply(text: string): Promise<void>
}
