/**
 * Own Route entries on top of a request: which they are, popping them, keeping the tokens in their user parts.
 * Not here: what follows from them (`target.ts`), deleting the header lines (`rewrite.ts`).
 * Invariant: an own Route with a user part that is no valid token is refused, never ignored: it would come back by key
 * and loop (design 5.2, rule a).
 */

import {
  isIPv4,
  parseAddress,
  type RouteView,
  readToken,
  sameIgnoringCase,
  TokenKind,
  type UriView,
} from '@sipcast/sip'
import { NOT_FOUND } from './endpoint-map.ts'
import type { Forwarder } from './forwarder.ts'
import { TOKENS_MAX } from './limits.ts'
import type { Pool } from './pool.ts'

/** RFC 3261 §19.1.2: the port of a sip URI that names none. */
const SIP_PORT = 5060

/** Pops own entries from `poppedRoutes` on; false where one carries a bad token. */
export function popOwnRoutes(state: Forwarder): boolean {
  const message = state.message
  while (state.poppedRoutes < message.routeCount) {
    const route = message.routes[state.poppedRoutes]!
    if (!isOwn(state, route.uri)) return true
    if (hasUser(route) && !isSecondHalf(state, state.poppedRoutes) && !keepToken(state, route)) {
      return false
    }
    state.poppedRoutes++
  }
  return true
}

/** Reads the host and port of a URI into `state.scratch`; false where the host is no IP literal. */
export function readUriEndpoint(state: Forwarder, uri: UriView): boolean {
  const scratch = state.scratch
  if (uri.hostStart < 0) return false
  if (!parseAddress(state.message.bytes, uri.hostStart, uri.hostEnd, scratch, 0)) return false
  scratch[4] = uri.port === 0 ? SIP_PORT : uri.port
  return true
}

/** Address and port of any SipProxy served here, or an alias with that port or none. */
function isOwn(state: Forwarder, uri: UriView): boolean {
  if (readUriEndpoint(state, uri)) {
    return state.ownEndpoints.get(state.scratch, 0, state.scratch[4]!) !== NOT_FOUND
  }
  for (const pool of state.pools) {
    if ((uri.port === 0 || uri.port === pool.table.port) && isAlias(state, uri, pool)) return true
  }
  return false
}

function isAlias(state: Forwarder, uri: UriView, pool: Pool): boolean {
  for (const alias of pool.aliases) {
    if (sameIgnoringCase(state.message.bytes, uri.hostStart, uri.hostEnd, alias)) return true
  }
  return false
}

function hasUser(route: RouteView): boolean {
  return route.uri.userStart >= 0 && route.uri.userEnd > route.uri.userStart
}

/** A Record-Route doubled for two IP versions (RFC 5658) is one hop: the same token again, in the other version. */
function isSecondHalf(state: Forwarder, index: number): boolean {
  if (index === 0) return false
  const { bytes, routes } = state.message
  const before = routes[index - 1]!
  const here = routes[index]!
  const length = here.uri.userEnd - here.uri.userStart
  if (!hasUser(before) || before.uri.userEnd - before.uri.userStart !== length) return false
  for (let offset = 0; offset < length; offset++) {
    if (bytes[before.uri.userStart + offset] !== bytes[here.uri.userStart + offset]) return false
  }
  if (!readUriEndpoint(state, before.uri)) return false
  const beforeIsIPv4 = isIPv4(state.scratch, 0)
  return readUriEndpoint(state, here.uri) && isIPv4(state.scratch, 0) !== beforeIsIPv4
}

function keepToken(state: Forwarder, route: RouteView): boolean {
  if (state.tokenCount === TOKENS_MAX) return false
  const token = state.tokens[state.tokenCount]!
  const { userStart, userEnd } = route.uri
  if (!readToken(token, state.keys, state.message, userStart, userEnd)) return false
  if (token.kind === TokenKind.path && !state.isFromInside) return false
  state.tokenCount++
  return true
}
