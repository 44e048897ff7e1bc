/**
 * Where a request goes: the rules a to h of design 5.2, in their order, the same for phones and proxies.
 * Not here: dropping and answering what is not forwardable (`classify.ts`), edits (`rewrite.ts`).
 * Invariant: from outside, only our MAC or the key decides; no Route, no Request-URI leads past the pool.
 */

import {
  copyEndpoint,
  ENDPOINT_WORDS,
  isIPv4,
  sameAddress,
  sameIgnoringCase,
  type UriView,
} from '@sipcast/sip'
import { NO_MEMBER, rendezvousScore } from '@sipcast/mapping'
import { NOT_FOUND } from './endpoint-map.ts'
import type { Forwarder, OpenSocket } from './forwarder.ts'
import { findSlot } from './key.ts'
import { ROUTE_PASSES_MAX } from './limits.ts'
import { popOwnRoutes, readUriEndpoint } from './routes.ts'
import { Verdict } from './verdict.ts'

/** Decides the target of the request at hand, or why it is answered; the letters are design 5.2's. */
export function chooseTarget(state: Forwarder): Verdict {
  for (let pass = 0; pass < ROUTE_PASSES_MAX; pass++) {
    if (!popOwnRoutes(state)) return Verdict.answerBadToken // a
    const step = followRoute(state) // b, c
    if (step === Step.member) return Verdict.toMember
    if (step === Step.end) break
  }
  if (state.tokenCount >= (state.isFromInside ? 1 : 2)) return sendToFlow(state) // d
  if (state.poppedRoutes < state.message.routeCount) return Verdict.answerForeignRoute // e
  if (followRequestUri(state)) return Verdict.toMember // f
  if (state.isFromInside && !isServedHost(state, state.message.uri)) {
    return Verdict.answerForeignDomain // g
  }
  return sendByKey(state) // h
}

const Step = { member: 0, again: 1, end: 2 } as const
type Step = (typeof Step)[keyof typeof Step]

/** b and c: the next Route is a member, or was one; only for those who are inside or proved a token. */
function followRoute(state: Forwarder): Step {
  const { message, pool, scratch } = state
  if (state.poppedRoutes >= message.routeCount) return Step.end
  if (!state.isFromInside && state.tokenCount === 0) return Step.end
  if (!readUriEndpoint(state, message.routes[state.poppedRoutes]!.uri)) return Step.end

  const member = pool.memberAt(scratch, 0)
  if (member !== NOT_FOUND && pool.isLive(member)) {
    sendToMember(state, member)
    return Step.member
  }
  const isGone = member !== NOT_FOUND || pool.isFormer(scratch, 0, state.nowMs)
  if (!isGone && !pool.isInsideNetwork(scratch, 0)) return Step.end
  state.poppedRoutes++
  return Step.again
}

/** d: the last token's flow, from the address it names. */
function sendToFlow(state: Forwarder): Verdict {
  const token = state.tokens[state.tokenCount - 1]!
  copyEndpoint(token.flow, 0, state.target, 0)
  state.targetSocket = state.outsideSocket(token.local, 0)
  return Verdict.toFlow
}

/** f: the Request-URI names a live member, or the one token does. */
function followRequestUri(state: Forwarder): boolean {
  const { pool, message } = state
  if (!state.isFromInside && state.tokenCount === 0) return false
  let member = readUriEndpoint(state, message.uri) ? pool.memberAt(state.scratch, 0) : NOT_FOUND
  if (member !== NOT_FOUND && !pool.isLive(member)) member = NOT_FOUND
  if (member === NOT_FOUND && !state.isFromInside) {
    member = pool.memberWithTag(state.tokens[state.tokenCount - 1]!.member)
    if (member !== NOT_FOUND && !pool.isLive(member)) member = NOT_FOUND
  }
  if (member === NOT_FOUND) return false
  sendToMember(state, member)
  return true
}

/** Ours (an address or alias of this SipProxy), in `domains`, or any host where `domains` is empty. */
function isServedHost(state: Forwarder, uri: UriView): boolean {
  const { pool, message, scratch } = state
  if (pool.domains.length === 0 || uri.hostStart < 0) return true
  if (readUriEndpoint(state, uri)) {
    for (let at = 0; at < pool.addresses.length; at += ENDPOINT_WORDS) {
      if (sameAddress(pool.addresses, at, scratch, 0)) return true
    }
  }
  for (const alias of pool.aliases) {
    if (sameIgnoringCase(message.bytes, uri.hostStart, uri.hostEnd, alias)) return true
  }
  for (const domain of pool.domains) {
    if (sameIgnoringCase(message.bytes, uri.hostStart, uri.hostEnd, domain)) return true
  }
  return false
}

/** h: the owner of the slot; dead by our own evidence, its backup; both dead, the live member of the highest score. */
function sendByKey(state: Forwarder): Verdict {
  const { pool } = state
  findSlot(state)
  const owner = pool.table.owners[state.slot]!
  if (owner !== NO_MEMBER && pool.isLive(owner)) {
    sendToMember(state, owner)
    return Verdict.toOwner
  }
  const backup = pool.table.backups[state.slot]!
  if (backup !== NO_MEMBER && pool.isLive(backup)) {
    sendToMember(state, backup)
    return Verdict.toBackup
  }
  const substitute = substituteFor(state)
  if (substitute === NOT_FOUND) return Verdict.answerNoProxy
  sendToMember(state, substitute)
  return Verdict.toSubstitute
}

/** Rendezvous over live members, so that balancers with the same evidence agree. */
function substituteFor(state: Forwarder): number {
  const { pool } = state
  let best = NOT_FOUND
  let bestScore = -Infinity
  for (let member = 0; member < pool.table.members.length; member++) {
    if (!pool.isLive(member)) continue
    const { weight } = pool.table.members[member]!
    const score = rendezvousScore(state.slot, pool.memberTags[member]! >>> 0, weight)
    if (score <= bestScore) continue
    best = member
    bestScore = score
  }
  return best
}

function sendToMember(state: Forwarder, member: number): void {
  const { pool, target } = state
  copyEndpoint(pool.members, member * ENDPOINT_WORDS, target, 0)
  state.targetMember = member
  state.targetSocket = socketTowardsPool(state, target)
}

/** `insideSource`: the inside socket, or one of the SipProxy's own addresses, of the target's IP version. */
export function socketTowardsPool(state: Forwarder, target: Int32Array): OpenSocket | null {
  const { pool, arrival } = state
  const wantIPv4 = isIPv4(target, 0)
  if (!pool.sourceIsShared) return state.insideSocket(wantIPv4)
  if (arrival.pool === pool && isIPv4(arrival.words, 0) === wantIPv4) return arrival
  for (let at = 0; at < pool.addresses.length; at += ENDPOINT_WORDS) {
    const socket =
      isIPv4(pool.addresses, at) === wantIPv4 ? state.outsideSocket(pool.addresses, at) : null
    if (socket !== null) return socket
  }
  return null
}
