/**
 * What this balancer says of itself: the status of its SipBalancer, made from the main thread's state. Not
 * here: writing it (`io/`), deciding when (`balancer.ts`). Invariants: a table is reported as in use only
 * when every running worker uses it; texts and lists stay within what the schema allows.
 */

import type { BalancedSipProxy, SipBalancerStatus } from '@sipcast/crds'
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
  /** When `Ready` last changed between True and False. */
  readonly readySince: string
}

// Of crds/sip-balancer.ts.
const LIST_MAX = 16
const MEMBERS_MAX = 2048
const HELD_MAX = 1024
const MESSAGE_LENGTH_MAX = 1024

export function composeReport(state: BalancerState, frame: ReportFrame): SipBalancerStatus {
  const { isReady, reason, message } = readiness(state)
  return {
    name: frame.name,
    heartbeatAt: frame.heartbeatAt,
    version: frame.version,
    maintenance: state.isInMaintenance,
    sipProxies: [...reportedIds(state)].map((id) => composeSipProxy(state, id)),
    acceptedKeyIds: [...state.keys.ids],
    packetsPerSecond: frame.packetsPerSecond,
    heldAddresses: heldAddresses(state),
    summary: summarize(state),
    conditions: [
      {
        type: 'Ready',
        status: isReady ? 'True' : 'False',
        lastTransitionTime: frame.readySince,
        reason,
        message,
      },
    ],
  }
}

/** Of what is to be served, as the sockets tell: an address that is not there can't be bound. */
function heldAddresses({ sockets }: BalancerState): string[] {
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
    announced: [],
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
      .map(({ reason, message }) => ({ reason, message: message.slice(0, MESSAGE_LENGTH_MAX) })),
  }
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
