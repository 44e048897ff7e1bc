/**
 * The edits of a forwarded request (design 5.2 step 4): popped Routes out; Path or Record-Route, our Via, received and
 * rport, Max-Forwards in. All other bytes stay as they are.
 * Not here: where it goes. Invariant: what is written depends on the message, the table and the key alone, never on
 * which balancer writes it, so that retransmissions and CANCELs match whoever forwards them.
 */

import {
  BRANCH_LENGTH,
  copyEndpoint,
  ENDPOINT_WORDS,
  isIPv4,
  Method,
  parseAddress,
  removeRoutes,
  sameAddress,
  TokenKind,
  asText,
  VIA_FLOW_PARAM,
  writeBranch,
  writeToken,
  writeViaFlow,
} from '@sipcast/sip'
import { NOT_FOUND } from './endpoint-map.ts'
import type { Forwarder } from './forwarder.ts'
import { MAX_FORWARDS_DEFAULT } from './limits.ts'
import type { OwnAddress } from './own-address.ts'
import { finish } from './transmit.ts'
import { Verdict } from './verdict.ts'

/** Rewrites the request at hand and sends it to `state.target`; `verdict` where that went well. */
export function rewriteRequest(state: Forwarder, verdict: Verdict): Verdict {
  const { edits, message, pool, keys } = state
  if (!keys.has(pool.table.signingKey)) return Verdict.dropNoKey

  edits.clear()
  removeRoutes(edits, message, state.poppedRoutes)
  addRoutesBack(state)
  pushVia(state)
  markSource(state)
  countHop(state)
  if (!finish(state)) return Verdict.dropTooBig
  if (state.targetMember !== NOT_FOUND) pool.packets[state.targetMember]!++
  return verdict
}

/** Path on REGISTER (RFC 3327), Record-Route on what forms a dialog: tokens that lead later messages to the phone. */
function addRoutesBack(state: Forwarder): void {
  const { message, pool, isFromInside } = state
  const isToMember = state.targetMember !== NOT_FOUND
  if (isFromInside === isToMember) return // From proxy to proxy, or from phone to phone: no flow to name.

  const { path, recordRoute } = pool.table.edge
  if (message.method === Method.register) {
    if (path && isToMember) addPath(state)
  } else if (recordRoute && formsDialog(state)) {
    addRecordRoute(state)
  }
}

/** RFC 3261 §12.1, RFC 6665 §4.1 and §4.5, RFC 3515: requests outside a dialog that may begin one. */
function formsDialog(state: Forwarder): boolean {
  const { method, toTagStart } = state.message
  if (toTagStart >= 0) return false
  return (
    method === Method.invite ||
    method === Method.subscribe ||
    method === Method.refer ||
    method === Method.notify
  )
}

const PATH = asText('Path: <sip:')
const SUPPORTED_PATH = asText('Supported: path\r\n')
const RECORD_ROUTE = asText('Record-Route: <sip:')

/** As the first header line: proxies put their own above the top Via, and order is the route set (design 5.2). */
function addPath(state: Forwarder): void {
  const { edits, message } = state
  edits.begin(message.headersStart, message.headersStart)
  edits.text(PATH)
  composeToken(state, TokenKind.path)
  addToken(state)
  const { routeEnd, outboundRouteEnd } = ourAddress(state, isIPv4(state.target, 0))
  edits.text(message.contactHasRegId ? outboundRouteEnd : routeEnd)
  if (!message.supportedPath) edits.text(SUPPORTED_PATH)
  edits.end()
}

/** Doubled where the two sides differ in IP version, the target's side on top (RFC 5658). */
function addRecordRoute(state: Forwarder): void {
  const { edits, message, received, sourceAt } = state
  const targetIsIPv4 = isIPv4(state.target, 0)
  composeToken(state, TokenKind.recordRoute)
  edits.begin(message.headersStart, message.headersStart)
  addRecordRouteLine(state, targetIsIPv4)
  if (isIPv4(received.peer, sourceAt) !== targetIsIPv4) addRecordRouteLine(state, !targetIsIPv4)
  edits.end()
}

function addRecordRouteLine(state: Forwarder, wantIPv4: boolean): void {
  const { edits } = state
  edits.text(RECORD_ROUTE)
  addToken(state)
  edits.text(ourAddress(state, wantIPv4).routeEnd)
}

/** The phone's flow, our address that it talks to, and the proxy of this dialog. */
function composeToken(state: Forwarder, kind: TokenKind): void {
  const { message, pool, received, sourceAt, tokenText } = state
  const token = state.tokenOut
  token.kind = kind
  token.keyId = pool.table.signingKey
  if (state.isFromInside) {
    const followed = state.tokens[state.tokenCount - 1]!
    copyEndpoint(followed.flow, 0, token.flow, 0)
    copyEndpoint(followed.local, 0, token.local, 0)
  } else {
    copyEndpoint(received.peer, sourceAt, token.flow, 0)
    copyEndpoint(state.arrival.words, 0, token.local, 0)
  }
  const member = state.isFromInside ? sendingMember(state) : state.targetMember
  token.member = member === NOT_FOUND ? 0 : pool.memberTags[member]! >>> 0
  tokenText.open(tokenText.bytes, 0, tokenText.bytes.length)
  writeToken(token, state.keys, message, tokenText)
}

function addToken({ edits, tokenText }: Forwarder): void {
  edits.slice(tokenText.view, 0, tokenText.at)
}

/** The member that sent the request: by source address, else by the top Via's sent-by, else none. */
function sendingMember(state: Forwarder): number {
  const { pool, received, sourceAt } = state
  const exact = pool.memberAt(received.peer, sourceAt)
  if (exact !== NOT_FOUND) return exact
  const named = memberInVia(state)
  return named === NOT_FOUND ? pool.memberWithAddress(received.peer, sourceAt) : named
}

/** The member that the top Via's sent-by names, or NOT_FOUND. */
function memberInVia({ pool, message, scratch }: Forwarder): number {
  const { hostStart, hostEnd, port } = message.via
  if (!parseAddress(message.bytes, hostStart, hostEnd, scratch, 0)) return NOT_FOUND
  scratch[4] = port === 0 ? 5060 : port
  return pool.memberAt(scratch, 0)
}

const FLOW = asText(`;${VIA_FLOW_PARAM}=`)
const LINE_END = asText('\r\n')

function pushVia(state: Forwarder): void {
  const { edits, message, viaFlow, received, sourceAt, arrival } = state
  viaFlow.keyId = state.pool.table.signingKey
  if (!answersToMasqueraded(state)) copyEndpoint(received.peer, sourceAt, viaFlow.source, 0)
  copyEndpoint(arrival.words, 0, viaFlow.local, 0)
  writeBranch(viaFlow.branch, 0, message)

  edits.begin(message.via.lineStart, message.via.lineStart)
  edits.text(ourAddress(state, isIPv4(state.target, 0)).via)
  edits.slice(viaFlow.branchView, 0, BRANCH_LENGTH)
  edits.text(FLOW)
  writeViaFlow(viaFlow, state.keys, message, edits)
  edits.text(LINE_END)
  edits.end()
}

/**
 * A member's node masquerades it: only the balancer that took the request is in that NAT's table, and the answer may
 * come by another. So it goes to the member's own address, which its Via names and which balancers reach anyway.
 */
function answersToMasqueraded(state: Forwarder): boolean {
  const { pool, received, sourceAt, viaFlow } = state
  if (!state.isFromInside) return false
  if (pool.memberWithAddress(received.peer, sourceAt) !== NOT_FOUND) return false
  const member = memberInVia(state)
  if (member === NOT_FOUND || !pool.isHostOf(member, received.peer, sourceAt)) return false
  copyEndpoint(pool.members, member * ENDPOINT_WORDS, viaFlow.source, 0)
  return true
}

/**
 * Our shared address of one IP version: the one that the request came in on or, for the other version or the inside
 * socket, our first of that version.
 */
function ourAddress(state: Forwarder, wantIPv4: boolean): OwnAddress {
  const { address, pool } = state.arrival
  if (pool !== null && address.isIPv4 === wantIPv4) return address
  return (wantIPv4 ? state.pool.firstIPv4 : state.pool.firstIPv6) ?? address
}

const RECEIVED = asText(';received=')
const RPORT = asText(';rport=')

/** RFC 3581 §4 and RFC 3261 §18.2.1: the top Via learns where the request really came from. */
function markSource(state: Forwarder): void {
  const { edits, message, received, sourceAt, scratch } = state
  const via = message.via
  const hasRport = via.rportStart >= 0
  const isAsSaid =
    parseAddress(message.bytes, via.hostStart, via.hostEnd, scratch, 0) &&
    sameAddress(scratch, 0, received.peer, sourceAt)
  if (hasRport) {
    edits.begin(via.rportStart, via.rportEnd)
    edits.text(RPORT)
    edits.number(received.peer[sourceAt + 4]!)
    edits.end()
  }
  if (!hasRport && isAsSaid && via.receivedStart < 0) return
  if (via.receivedStart >= 0) edits.begin(via.receivedStart, via.receivedEnd)
  else edits.begin(via.valueEnd, via.valueEnd)
  edits.text(RECEIVED)
  // Without brackets, also in IPv6 (RFC 3261 §25.1, via-received).
  edits.address(received.peer, sourceAt)
  edits.end()
}

const MAX_FORWARDS = asText('Max-Forwards: ')

/** RFC 3261 §16.6 step 3. */
function countHop(state: Forwarder): void {
  const { edits, message } = state
  if (message.maxForwards > 0) {
    edits.begin(message.maxForwardsStart, message.maxForwardsEnd)
    edits.number(message.maxForwards - 1)
    edits.end()
    return
  }
  edits.begin(message.via.lineStart, message.via.lineStart)
  edits.text(MAX_FORWARDS)
  edits.number(MAX_FORWARDS_DEFAULT)
  edits.text(LINE_END)
  edits.end()
}
