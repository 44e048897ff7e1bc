/**
 * Who may send how much (design 5.6). Not here: the buckets (`rate-limiter.ts`).
 * Invariant: the inside and trusted networks have no limit per source: one of them speaks for many users; nor has
 * this node itself, which tests all its addresses.
 */

import type { Forwarder } from './forwarder.ts'
import { isLoopback } from './loopback.ts'

/** Is the sender over its SipProxy's rate? Decided before the datagram is read, so that a flood costs little. */
export function isOverRate(state: Forwarder): boolean {
  const { arrival, received, sourceAt } = state
  const limit = arrival.pool?.table.edge.rateLimit ?? null
  if (arrival.pool === null || limit === null) return false
  const pool = arrival.pool
  if (pool.isInside(received.peer, sourceAt) || pool.isTrusted(received.peer, sourceAt))
    return false
  if (isLoopback(received.peer, sourceAt)) return false
  return !state.rates.take(
    received.peer,
    sourceAt,
    state.pools.indexOf(pool) + 1,
    limit,
    state.nowMs,
  )
}
