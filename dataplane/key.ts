/**
 * The key of a request and its slot (design 5.2, step 3). Not here: spelling rules of a user part (`userKey`
 * in @sipcast/sip), who owns the slot (`target.ts`). Invariant: CANCEL and the ACK to a non-2xx repeat the
 * INVITE's Request-URI and so have its key (RFC 3261 §9.1, §17.1.1.3).
 */

import { Method, userKey } from '@sipcast/sip'
import { slotOf } from '@sipcast/mapping'
import type { Forwarder } from './forwarder.ts'

const AT_SIGN = 0x40

/** Writes the key of the request at hand to `state.key` and its slot to `state.slot`. */
export function findSlot(state: Forwarder): void {
  const { pool } = state
  if (pool.table.key === 'CallId' || !writeUserKey(state)) writeCallIdKey(state)
  const hash = pool.slotHash.hash(state.key, 0, state.keyLength)
  state.slot = slotOf(hash, pool.table.slots)
  state.keyHash = hash
}

/** False where the URI that counts has no user. */
function writeUserKey(state: Forwarder): boolean {
  const { message, key } = state
  const uri = message.method === Method.register ? message.toUri : message.uri
  if (uri.userStart < 0 || uri.userEnd <= uri.userStart) return false
  let length = userKey(message.bytes, uri.userStart, uri.userEnd, key, 0)
  if (length === 0) return false
  if (state.pool.table.key === 'UserAndHost') {
    if (length < key.length) key[length++] = AT_SIGN
    length = appendLowerCase(message.bytes, uri.hostStart, uri.hostEnd, key, length)
  }
  state.keyLength = length
  return true
}

function writeCallIdKey(state: Forwarder): void {
  const { bytes, callIdStart, callIdEnd } = state.message
  const length = Math.min(callIdEnd - callIdStart, state.key.length)
  for (let index = 0; index < length; index++) state.key[index] = bytes[callIdStart + index]!
  state.keyLength = length
}

function appendLowerCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  outAt: number,
): number {
  let at = outAt
  for (let index = start; index < end && at < out.length; index++) {
    const byte = bytes[index]!
    out[at++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
  }
  return at
}
