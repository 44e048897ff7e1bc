/**
 * The edits of a forwarded request (design 5.2 step 4): popped Routes out; Path or Record-Route, our Via, received and
 * rport, Max-Forwards in. All other bytes stay as they are.
 * Not here: where it goes. Invariant: what is written depends on the message, the table and the key alone, never on
 * which balancer writes it, so that retransmissions and CANCELs match whoever forwards them.
 */

import {
  ascii,
  isIPv4,
  Method,
  parseAddress,
  removeRoutes,
  sameAddress,
  TokenKind,
  VIA_FLOW_PARAM,
  writeAddress,
  writeBranch,
  writeToken,
  writeViaFlow,
} from '@sipcast/sip'
import { NOT_FOUND } from './endpoint-map.ts'
import type { Forwarder } from './forwarder.ts'
import { MAX_FORWARDS_DEFAULT } from './limits.ts'
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

const PATH = ascii('Path: <sip:')
const SUPPORTED_PATH = ascii('Supported: path\r\n')
const RECORD_ROUTE = ascii('Record-Route: <sip:')
const LOOSE_OUTBOUND_END = ascii(';lr;ob>\r\n')
const LOOSE_END = ascii(';lr>\r\n')

/** As the first header line: proxies put their own above the top Via, and order is the route set (design 5.2). */
function addPath(state: Forwarder): void {
  const { edits, message } = state
  edits.begin(message.headersStart, message.headersStart)
  edits.ascii(PATH)
  composeToken(state, TokenKind.path)
  addToken(state)
  edits.endpoint(ourAddress(state, isIPv4(state.target, 0)), 0)
  edits.ascii(message.contactHasRegId ? LOOSE_OUTBOUND_END : LOOSE_END)
  if (!message.supportedPath) edits.ascii(SUPPORTED_PATH)
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
  edits.ascii(RECORD_ROUTE)
  addToken(state)
  edits.endpoint(ourAddress(state, wantIPv4), 0)
  edits.ascii(LOOSE_END)
}

const AT_SIGN = 0x40

/** The phone's flow, our address that it talks to, and the proxy of this dialog. */
function composeToken(state: Forwarder, kind: TokenKind): void {
  const { message, pool, received, sourceAt, tokenText } = state
  const token = state.tokenOut
  token.kind = kind
  token.keyId = pool.table.signingKey
  if (state.isFromInside) {
    const followed = state.tokens[state.tokenCount - 1]!
    token.flow.set(followed.flow)
    token.local.set(followed.local)
  } else {
    for (let word = 0; word < 5; word++) token.flow[word] = received.peer[sourceAt + word]!
    token.local.set(state.arrival.words)
  }
  const member = state.isFromInside ? sendingMember(state) : state.targetMember
  token.member = member === NOT_FOUND ? 0 : pool.memberTags[member]! >>> 0
  tokenText.open(tokenText.bytes, 0, tokenText.bytes.length)
  writeToken(token, state.keys, message, tokenText)
}

function addToken({ edits, tokenText }: Forwarder): void {
  edits.slice(tokenText.bytes, 0, tokenText.at)
  edits.byte(AT_SIGN)
}

/** The member that sent the request: by source address, else by the top Via's sent-by, else none. */
function sendingMember(state: Forwarder): number {
  const { pool, received, sourceAt, message, scratch } = state
  const exact = pool.memberAt(received.peer, sourceAt)
  if (exact !== NOT_FOUND) return exact
  const { hostStart, hostEnd, port } = message.via
  if (parseAddress(message.bytes, hostStart, hostEnd, scratch, 0)) {
    scratch[4] = port === 0 ? 5060 : port
    const named = pool.memberAt(scratch, 0)
    if (named !== NOT_FOUND) return named
  }
  return pool.memberWithAddress(received.peer, sourceAt)
}

const VIA = ascii('Via: SIP/2.0/UDP ')
const RPORT_BRANCH = ascii(';rport;branch=')
const FLOW = ascii(`;${VIA_FLOW_PARAM}=`)
const LINE_END = ascii('\r\n')

function pushVia(state: Forwarder): void {
  const { edits, message, viaFlow, received, sourceAt, arrival } = state
  viaFlow.keyId = state.pool.table.signingKey
  for (let word = 0; word < 5; word++) viaFlow.source[word] = received.peer[sourceAt + word]!
  viaFlow.local.set(arrival.words)
  writeBranch(viaFlow.branch, 0, message)

  edits.begin(message.via.lineStart, message.via.lineStart)
  edits.ascii(VIA)
  edits.endpoint(sentBy(state), 0)
  edits.ascii(RPORT_BRANCH)
  edits.ascii(viaFlow.branch)
  edits.ascii(FLOW)
  writeViaFlow(viaFlow, state.keys, message, edits)
  edits.ascii(LINE_END)
  edits.end()
}

/** The address the request came in on or, for the other IP version or the inside socket, our first of the target's. */
function sentBy(state: Forwarder): Int32Array {
  return ourAddress(state, isIPv4(state.target, 0))
}

/** Our shared address of one IP version: the one that the request came in on if it is of that version. */
function ourAddress(state: Forwarder, wantIPv4: boolean): Int32Array {
  const { arrival, pool, ourWords } = state
  if (arrival.pool !== null && isIPv4(arrival.words, 0) === wantIPv4) return arrival.words
  const at = wantIPv4 ? pool.firstIPv4At : pool.firstIPv6At
  if (at === NOT_FOUND) return arrival.words
  for (let word = 0; word < 5; word++) ourWords[word] = pool.addresses[at + word]!
  return ourWords
}

const RECEIVED = ascii(';received=')
const RPORT = ascii(';rport=')

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
    edits.ascii(RPORT)
    edits.number(received.peer[sourceAt + 4]!)
    edits.end()
  }
  if (!hasRport && isAsSaid && via.receivedStart < 0) return
  if (via.receivedStart >= 0) edits.begin(via.receivedStart, via.receivedEnd)
  else edits.begin(via.valueEnd, via.valueEnd)
  edits.ascii(RECEIVED)
  // Without brackets, also in IPv6 (RFC 3261 §25.1, via-received).
  edits.slice(state.text, 0, writeAddress(received.peer, sourceAt, state.text, 0))
  edits.end()
}

const MAX_FORWARDS = ascii('Max-Forwards: ')

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
  edits.ascii(MAX_FORWARDS)
  edits.number(MAX_FORWARDS_DEFAULT)
  edits.ascii(LINE_END)
  edits.end()
}
