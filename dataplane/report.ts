/**
 * What this balancer says of itself: the status of its SipBalancer, made from the main thread's state. Not
 * here: writing it (`io/`), deciding when (`balancer.ts`). Invariants: a table is reported as in use only
 * when every running worker uses it; texts and lists stay within what the schema allows.
 */

import type { BalancedSipProxy, SipBalancerStatus } from '@sipcast/crds'
import type { BgpSessionStatus } from './announcement.ts'
import { announcementInForce, announcing, announcingSummary } from './announcing.ts'
import { isIPv4Text } from './address-text.ts'
import { readiness } from './health.ts'
import { displayName, splitId } from './sip-proxy-id.ts'
import type { BalancerState } from './state.ts'
import type { Trouble } from './troubles.ts'
import { type SocketReport, SocketState } from './worker-config.ts'

export interface ReportFrame {
  readonly name: string
  readonly version: string
  /** ISO-8601 */
  readonly heartbeatAt: string
  readonly packetsPerSecond: NonNullable<SipBalancerStatus['packetsPerSecond']>
  /** When the condition of this type last changed between True and False. */
  readonly since: (type: string, isTrue: boolean) => string
}

// Of crds/sip-balancer.ts.
const LIST_MAX = 16
const SESSIONS_MAX = 64
const MEMBERS_MAX = 2048
const HELD_MAX = 1024
const MESSAGE_LENGTH_MAX = 1024

export function composeReport(state: BalancerState, frame: ReportFrame): SipBalancerStatus {
  return {
    name: frame.name,
    heartbeatAt: frame.heartbeatAt,
    version: frame.version,
    maintenance: state.isInMaintenance === true,
    sipProxies: [...reportedIds(state)].map((id) => composeSipProxy(state, id)),
    acceptedKeyIds: [...state.keys.ids],
    packetsPerSecond: frame.packetsPerSecond,
    heldAddresses: heldAddresses(state),
    ...announced(state),
    summary: summarize(state),
    conditions: composeConditions(state, frame),
  }
}

/** Nothing where this node announces to nobody. */
function announced(state: BalancerState): Partial<SipBalancerStatus> {
  const said = announcementInForce(state)
  if (said === null) return {}
  return {
    announcedAddresses: said.announced.slice(0, HELD_MAX),
    bgpSessions: said.sessions.slice(0, SESSIONS_MAX).map(boundedSession),
    problems: said.problems.slice(0, LIST_MAX).map(shortened),
  }
}

type Conditions = NonNullable<SipBalancerStatus['conditions']>

function composeConditions(state: BalancerState, { since }: ReportFrame): Conditions {
  const ready = readiness(state)
  const said = announcing(state)
  const condition = (type: string, isTrue: boolean, said: Trouble): Conditions[number] => ({
    type,
    status: isTrue ? 'True' : 'False',
    lastTransitionTime: since(type, isTrue),
    ...shortened(said),
  })
  return [
    condition('Ready', ready.isReady, ready),
    ...(said === null ? [] : [condition('Announcing', said.isAnnouncing, said)]),
  ]
}

/** One word that the schema does not take must not cost the whole report. */
function boundedSession({ since, message, ...session }: BgpSessionStatus): BgpSessionStatus {
  const isTime = since !== undefined && !Number.isNaN(Date.parse(since)) && since.endsWith('Z')
  return {
    ...session,
    ...(isTime ? { since } : {}),
    ...(message === undefined ? {} : { message: message.slice(0, MESSAGE_LENGTH_MAX) }),
  }
}

function shortened({ reason, message }: Trouble): Trouble {
  return { reason, message: message.slice(0, MESSAGE_LENGTH_MAX) }
}

/** As the announcer says; else as the sockets tell, of what is to be served: an absent address can't be bound. */
function heldAddresses(state: BalancerState): string[] {
  const { sockets, announcement, isAnnouncerSilent } = state
  if (announcement !== null && !isAnnouncerSilent) return announcement.held.slice(0, HELD_MAX)
  const outside = sockets.merged().filter(({ role }) => role === 'outside')
  const isHeld = ({ state }: SocketReport): boolean =>
    state === SocketState.bound || state === SocketState.portInUse
  return [...new Set(outside.filter(isHeld).map(({ address }) => address))].slice(0, HELD_MAX)
}

function summarize(state: BalancerState): NonNullable<SipBalancerStatus['summary']> {
  const { tables, inUse, sockets } = state
  const current = tables.ids.filter((id) => inUse.has(id) && tables.problem(id) === null)
  const outside = sockets.merged().filter(({ role }) => role === 'outside')
  const bound = outside.filter((socket) => socket.state === SocketState.bound)
  return {
    sipProxies: `${current.length}/${tables.ids.length}`,
    serving: `${bound.length}/${outside.length}`,
    ...announcingSummary(state),
  }
}

/** A removed SipProxy stays until the last worker has let go of it: the operator waits for that. */
function reportedIds({ tables, inUse }: BalancerState): ReadonlySet<string> {
  return new Set([...tables.ids, ...inUse.keys()])
}

/** Everything that is wrong about one SipProxy here, for the report and the log. */
export function problemsOf(state: BalancerState, id: string): readonly Trouble[] {
  const refused = state.tables.problem(id)
  const isVanished = state.listed !== null && state.pools.has(id) && !state.listed.has(id)
  const isPanicking = state.pools.get(id)?.liveness.isPanicking === true
  return [
    ...(refused === null ? [] : [refused]),
    ...(isVanished ? [{ reason: 'TableVanished', message: 'the last good table serves on' }] : []),
    ...(state.lost.get(id) ?? []).map(({ address, port, to }) => ({
      reason: 'AddressTaken',
      message: `${address} port ${port} is of ${displayName(to)}`,
    })),
    ...(isPanicking ? [PANIC] : []),
    ...notHeld(state, id),
    ...noInside(state, id),
    ...unbound(state, id),
  ]
}

/** What is wrong about the side of the proxies, for all SipProxies alike. */
export function insideTroubles({ sockets }: BalancerState): readonly Trouble[] {
  return sockets
    .merged()
    .filter(({ role, state }) => role === 'inside' && state !== SocketState.bound)
    .map(({ address, port, message }) => ({
      reason: 'InsideNotBound',
      message: `${address} port ${port}: ${message}`,
    }))
}

/** It was there, and is not any more: told once, for all SipProxies alike. */
export function announcerTroubles(state: BalancerState): readonly Trouble[] {
  const said = announcing(state)
  return said?.reason === 'AnnouncerSilent' ? [said] : []
}

const PANIC: Trouble = {
  reason: 'ProbePanic',
  message: 'too many proxies time out at once: none is marked dead',
}

function composeSipProxy(state: BalancerState, id: string): BalancedSipProxy {
  const inUse = state.inUse.get(id)
  const liveness = state.pools.get(id)?.liveness
  return {
    ...splitId(id),
    uid: inUse?.table.uid ?? null,
    epoch: inUse?.table.epoch ?? null,
    sha256: inUse?.table.sha256 ?? null,
    inUseSince: inUse?.since ?? null,
    deadMarks: (liveness?.marks() ?? []).slice(0, MEMBERS_MAX).map((mark) => ({ ...mark })),
    unanswered: (liveness?.unanswered() ?? []).slice(0, MEMBERS_MAX),
    announced: announcedOf(state, id),
    addresses: socketsOf(state, id)
      .slice(0, LIST_MAX)
      .map(({ address, port, state, message }) => ({
        address,
        port,
        state,
        ...(message === '' ? {} : { message: message.slice(0, MESSAGE_LENGTH_MAX) }),
      })),
    problems: [...problemsOf(state, id), ...insideTroubles(state)]
      .slice(0, LIST_MAX)
      .map(shortened),
  }
}

function announcedOf(state: BalancerState, id: string): string[] {
  const own = state.pools.get(id)?.table.addresses ?? []
  const said = announcementInForce(state)
  return own.filter((address) => said?.announced.includes(address) ?? false).slice(0, LIST_MAX)
}

/** Why the announcer does not hold an address: its problems about one name nothing else. */
function notHeld({ pools, announcement, isAnnouncerSilent }: BalancerState, id: string) {
  const own = pools.get(id)?.table.addresses ?? []
  const problems = isAnnouncerSilent ? [] : (announcement?.problems ?? [])
  return problems.filter(({ message }) => own.includes(message))
}

/** Proxies of an IP version in which this balancer has no inside address: it can't reach them. */
function noInside(state: BalancerState, id: string): readonly Trouble[] {
  const versions = new Set(state.inside.map(({ address }) => isIPv4Text(address)))
  const unreached = (state.pools.get(id)?.table.members ?? []).filter(
    ({ address }) => !versions.has(isIPv4Text(address)),
  )
  if (unreached.length === 0) return []
  const version = isIPv4Text(unreached[0]!.address) ? 'IPv4' : 'IPv6'
  const message = `no --inside address of ${version}, which ${unreached.length} proxies need`
  return [{ reason: 'NoInsideAddress', message }]
}

function unbound(state: BalancerState, id: string): readonly Trouble[] {
  return socketsOf(state, id)
    .filter((socket) => socket.state !== SocketState.bound)
    .map((socket) => ({
      reason: socket.state === SocketState.failed ? 'SocketFailed' : socket.state,
      message: `${socket.address} port ${socket.port}: ${socket.message}`,
    }))
}

function socketsOf(state: BalancerState, id: string) {
  const table = state.pools.get(id)?.table
  return state.sockets
    .merged()
    .filter(
      ({ role, address, port }) =>
        role === 'outside' && port === table?.port && table.addresses.includes(address),
    )
}
