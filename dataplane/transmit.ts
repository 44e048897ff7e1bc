/**
 * The last step of every datagram that leaves: edits applied into the sending batch, target and socket set.
 * Not here: what the edits are. Invariant: either one whole datagram is added to the batch or nothing is.
 */

import { copyEndpoint, ENDPOINT_WORDS } from '@sipcast/sip'
import type { Forwarder, OpenSocket } from './forwarder.ts'
import { DATAGRAM_BYTES_MAX } from './limits.ts'

/** Sends the edited message to `state.target` by `state.targetSocket`; false where it does not fit a datagram. */
export function finish(state: Forwarder): boolean {
  const { sending, message, edits } = state
  const at = sending.slotOffset(sending.count)
  const length = edits.apply(message, sending.bytes, at, at + DATAGRAM_BYTES_MAX)
  if (length < 0) return false
  emit(state, length, state.targetSocket!, state.target, 0)
  return true
}

/** Takes the next datagram of the sending batch, whose `length` bytes already stand in its slot. */
export function emit(
  state: Forwarder,
  length: number,
  socket: OpenSocket,
  peer: Int32Array,
  peerAt: number,
): void {
  const { sending } = state
  const index = sending.count++
  sending.offset[index] = sending.slotOffset(index)
  sending.length[index] = length
  sending.socket[index] = socket.id
  sending.error[index] = 0
  copyEndpoint(peer, peerAt, sending.peer, index * ENDPOINT_WORDS)
}
