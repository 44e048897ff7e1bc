/**
 * Which SipProxy a request belongs to, and what of it is not forwardable (design 5.1, 5.2 step 1).
 * Not here: targets (`target.ts`), writing the answers (`answer.ts`).
 * Invariant: the order of the checks is the order of their cost and of RFC 3261 §16.3.
 */

import { localTagMatches, Method, sameIgnoringCase } from '@sipcast/sip'
import { NOT_FOUND } from './endpoint-map.ts'
import type { Forwarder } from './forwarder.ts'
import { isLoopback } from './loopback.ts'
import type { Pool } from './pool.ts'
import { readUriEndpoint } from './routes.ts'
import { Verdict } from './verdict.ts'

/** Sets `pool` and `isFromInside` for the request at hand; false where it belongs to no SipProxy. */
export function attributeRequest(state: Forwarder): boolean {
  const { received, sourceAt, arrival } = state
  const pool = arrival.pool ?? poolOfInsideRequest(state)
  if (pool === null) return false
  state.pool = pool
  state.isAttributed = true
  state.isFromInside = pool.isInside(received.peer, sourceAt)
  // The inside socket serves proxies alone: a phone that finds it must not pass for one, nor get a flow through it.
  return arrival.pool !== null || state.isFromInside
}

/** By own Route, then Request-URI, then the only SipProxy the sender is a member of. */
function poolOfInsideRequest(state: Forwarder): Pool | null {
  const { message, pools } = state
  const route = message.routeCount > 0 ? message.routes[0]!.uri : null
  for (const uri of route === null ? [message.uri] : [route, message.uri]) {
    if (!readUriEndpoint(state, uri)) continue
    const index = state.ownEndpoints.get(state.scratch, 0, state.scratch[4]!)
    if (index !== NOT_FOUND) return pools[index]!
  }
  let only: Pool | null = null
  for (const pool of pools) {
    if (pool.memberWithAddress(state.received.peer, state.sourceAt) === NOT_FOUND) continue
    if (only !== null) return null
    only = pool
  }
  return only
}

/** PASS, or the verdict on a request that goes no further. */
export function screen(state: Forwarder): Verdict | typeof PASS {
  const { message } = state
  if (isSelfTest(state)) return Verdict.answerSelfTest
  if (!state.isFromInside && isDeniedUserAgent(state)) return Verdict.dropUserAgent
  if (message.method === Method.ack && localTagMatches(message)) return Verdict.absorbAck
  if (message.maxForwards === 0) return Verdict.answerTooManyHops
  if (message.proxyRequireStart >= 0 && message.method !== Method.ack) {
    return Verdict.answerBadExtension
  }
  return message.method === Method.options && isForUs(state) ? Verdict.answerOptions : PASS
}

/** What `screen` returns for a request to be forwarded. */
export const PASS = -1

/** The balancer's own OPTIONS to its own address. */
function isSelfTest(state: Forwarder): boolean {
  const { message, received, sourceAt } = state
  return message.method === Method.options && isLoopback(received.peer, sourceAt) && isForUs(state)
}

/** An OPTIONS without a user, to one of our own addresses or aliases, with no Route left to follow. */
function isForUs(state: Forwarder): boolean {
  const { message, pool } = state
  const uri = message.uri
  if (uri.userStart >= 0 || message.routeCount > 0) return false
  if (readUriEndpoint(state, uri)) {
    return state.ownEndpoints.get(state.scratch, 0, state.scratch[4]!) !== NOT_FOUND
  }
  return pool.aliases.some((alias) =>
    sameIgnoringCase(message.bytes, uri.hostStart, uri.hostEnd, alias),
  )
}

function isDeniedUserAgent(state: Forwarder): boolean {
  const { bytes, userAgentStart, userAgentEnd } = state.message
  for (const denied of state.pool.denyUserAgents) {
    const lastStart = userAgentEnd - denied.length
    for (let start = userAgentStart; start >= 0 && start <= lastStart; start++) {
      if (sameIgnoringCase(bytes, start, start + denied.length, denied)) return true
    }
  }
  return false
}
