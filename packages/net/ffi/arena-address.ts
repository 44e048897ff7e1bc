/**
 * Where in memory an arena lies, remembered so that koffi is asked once per arena.
 *
 * Weak: forgetting a batch frees its arena. Whoever hands an address to the kernel holds the batch
 * until the call returns.
 */

import { addressOf } from './libc.ts'

const addresses = new WeakMap<Uint8Array, number>()

export function arenaAddress(bytes: Uint8Array): number {
  const known = addresses.get(bytes)
  if (known !== undefined) return known
  const address = addressOf(bytes)
  addresses.set(bytes, address)
  return address
}
