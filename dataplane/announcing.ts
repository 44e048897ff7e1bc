/**
 * What the announcer's word means for this node: whether it announces, in one condition that says why not, and what
 * its report has of it. Not here: hearing it (`balancer.ts`), the rest of the report (`report.ts`). Invariants: a node
 * that announces to nobody (`announce: none`), or whose announcer has not been heard yet, says nothing about it; what
 * a silent announcer said last counts no more.
 */

import type { SipBalancerStatus } from '@sipcast/crds'
import type { HeardAnnouncement } from './announcement.ts'
import type { BalancerState } from './state.ts'
import type { Trouble } from './troubles.ts'
import { SocketState } from './worker-config.ts'

export interface Announcing extends Trouble {
  readonly isAnnouncing: boolean
}

/** What the announcer said, as long as it counts; null: it holds only, is silent, or has not been heard yet. */
export function announcementInForce(state: BalancerState): AnnouncingNode | null {
  const { announcement, isAnnouncerSilent } = state
  return isAnnouncerSilent || !isToAnnounce(announcement) ? null : announcement
}

interface AnnouncingNode extends HeardAnnouncement {
  readonly sessions: NonNullable<HeardAnnouncement['sessions']>
}

/** Null: there is nothing to say. */
export function announcing(state: BalancerState): Announcing | null {
  const { announcement, isAnnouncerSilent } = state
  if (!isToAnnounce(announcement)) return null
  if (isAnnouncerSilent) {
    return no('AnnouncerSilent', 'the announcer beside this balancer says nothing any more')
  }
  if (state.isStopping) return no('Leaving', 'the balancer ends: its addresses are withdrawn')
  if (state.isInMaintenance) return no('Maintenance', 'out of service by `spec.maintenance`')
  return withoutAddress(state, announcement) ?? withoutSession(state, announcement) ?? yes(state)
}

/** Every address that this node should serve. */
function ownAddresses({ sockets }: BalancerState): readonly string[] {
  const outside = sockets.merged().filter(({ role }) => role === 'outside')
  return [...new Set(outside.map(({ address }) => address))]
}

/** For `kubectl get`; empty where there is nothing to say. */
export function announcingSummary(
  state: BalancerState,
): Pick<NonNullable<SipBalancerStatus['summary']>, 'announced' | 'bgp'> {
  const said = announcementInForce(state)
  if (said === null) return {}
  const own = ownAddresses(state)
  const announced = own.filter((address) => said.announced.includes(address))
  const established = said.sessions.filter((session) => session.state === 'Established')
  return {
    announced: `${announced.length}/${own.length}`,
    bgp: `${established.length}/${said.sessionsWanted}`,
  }
}

function isToAnnounce(announcement: HeardAnnouncement | null): announcement is AnnouncingNode {
  return announcement !== null && announcement.sessions !== null
}

function withoutAddress(state: BalancerState, said: AnnouncingNode): Announcing | null {
  if (said.announced.length > 0) return null
  const own = ownAddresses(state)
  if (own.length === 0) return no('NothingToAnnounce', 'there is no address')
  const ready = state.proof?.ready ?? []
  if (ready.length === 0) return no('NotReady', whyNotReady(state, own))
  // Without a word about maintenance nothing is announced anew.
  const unheard = state.isInMaintenance === null ? state.ordersTrouble : null
  const problem = said.problems[0] ?? unheard
  return problem === null
    ? no('NotAnnouncedYet', `${ready.join(', ')} will be announced`)
    : no(problem.reason, problem.message)
}

function withoutSession(
  { ordersTrouble }: BalancerState,
  { sessions, sessionsWanted, problems }: AnnouncingNode,
): Announcing | null {
  if (sessions.some(({ state }) => state === 'Established')) return null
  const [problem] = problems
  if (problem !== undefined) return no(problem.reason, problem.message)
  if (sessionsWanted === 0 && ordersTrouble !== null) {
    return no(ordersTrouble.reason, ordersTrouble.message)
  }
  if (sessionsWanted === 0) return no('NoPeer', 'no BgpPeer selects this node')
  const states = sessions.map(({ peer, state, message }) => `${peer}: ${message ?? state}`)
  return no('NoSession', `no router has a session with this node: ${states.join('; ')}`)
}

function yes(state: BalancerState): Announcing {
  const { announced = [], problems = [] } = state.announcement ?? {}
  const unheard = problems.find(({ reason }) => reason === 'NotExported')
  if (unheard !== undefined) {
    return { isAnnouncing: true, reason: 'PartlyAnnounced', message: unheard.message }
  }
  const missing = ownAddresses(state).filter((address) => !announced.includes(address))
  if (missing.length === 0) {
    return { isAnnouncing: true, reason: 'Announced', message: announced.join(', ') }
  }
  const message = `not announced: ${missing.join(', ')}: ${whyNotReady(state, missing)}`
  return { isAnnouncing: true, reason: 'PartlyAnnounced', message }
}

/** The proof's word is about all addresses; sockets are the usual reason of a single one. */
function whyNotReady({ proof, sockets }: BalancerState, addresses: readonly string[]): string {
  const unbound = sockets
    .merged()
    .filter(({ role, address }) => role === 'outside' && addresses.includes(address))
    .find(({ state }) => state !== SocketState.bound)
  if (unbound !== undefined) return `${unbound.address}:${unbound.port} is ${unbound.state}`
  return `the balancer says ${proof?.reason ?? 'nothing yet'}`
}

function no(reason: string, message: string): Announcing {
  return { isAnnouncing: false, reason, message }
}
