/**
 * The way back of a response (design 5.4): our Via comes off, the source it recorded gets the rest.
 * Not here: requests. Invariant: a response without our valid Via reaches nobody.
 */

import { copyEndpoint, readViaFlow, removeTopVia } from '@sipcast/sip'
import { NOT_FOUND } from './endpoint-map.ts'
import type { Forwarder, OpenSocket } from './forwarder.ts'
import type { Pool } from './pool.ts'
import { socketTowardsPool } from './target.ts'
import { finish } from './transmit.ts'
import { Verdict } from './verdict.ts'

export function returnResponse(state: Forwarder): Verdict {
  const { message, viaFlow } = state
  if (message.viaCount < 2 || !readViaFlow(viaFlow, state.keys, message)) {
    return Verdict.dropForeignResponse
  }
  const pool = poolOfResponse(state)
  if (pool === null) return Verdict.dropNoSipProxy
  state.pool = pool
  state.isAttributed = true
  state.isFromInside = pool.isInside(state.received.peer, state.sourceAt)
  copyEndpoint(viaFlow.source, 0, state.target, 0)
  state.targetSocket = socketTowardsSource(state)
  if (state.targetSocket === null) return Verdict.dropNoSocket

  state.edits.clear()
  removeTopVia(state.edits, message)
  return finish(state) ? Verdict.toSource : Verdict.dropTooBig
}

/** The SipProxy whose address the request came in on; on the inside socket, the one its sender is a member of. */
function poolOfResponse(state: Forwarder): Pool | null {
  const { viaFlow, pools } = state
  const index = state.ownEndpoints.get(viaFlow.local, 0, viaFlow.local[4]!)
  if (index !== NOT_FOUND) return pools[index]!
  return pools.find((pool) => pool.isInside(viaFlow.source, 0)) ?? null
}

/**
 * To a member's own address as `insideSource` says; else from where the request came in, since neither a NAT nor a
 * masquerading node lets anything else through.
 */
function socketTowardsSource(state: Forwarder): OpenSocket | null {
  const { pool, viaFlow } = state
  if (pool.memberWithAddress(viaFlow.source, 0) !== NOT_FOUND) {
    return socketTowardsPool(state, viaFlow.source)
  }
  return state.outsideSocket(viaFlow.local, 0) ?? state.insideSocketAt(viaFlow.local, 0)
}
