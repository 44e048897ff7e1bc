/**
 * What BIRD says of its sessions, as the words of the SipBalancer resource. Pure. Not here: asking it (`io/`).
 * Invariant: a line that is not understood is passed over: it is of a newer BIRD, and no reason to know nothing.
 */

import type { BfdState, BgpState } from '@sipcast/crds'
import type { Family } from './export-filter.ts'
import { WORDS_LENGTH_MAX } from './limits.ts'
import { nameOfSymbol } from './words.ts'

export interface BgpSession {
  /** Name of the BgpPeer. */
  readonly peer: string
  readonly peerAddress: string
  readonly state: BgpState
  /** When it came into this state; ISO 8601 in UTC. Null: BIRD does not say. */
  readonly since: string | null
  readonly bfd: BfdState
  /** When BFD came into its state; as above. */
  readonly bfdSince: string | null
  /** Routes sent to this router. */
  readonly exported: Readonly<Record<Family, number>>
  /** The last error, in BIRD's own words. */
  readonly message: string | null
  /** BIRD will not try again by itself: TCP 179 was another program's when the session was to begin. */
  readonly isGivenUp: boolean
}

export interface BirdStatus {
  readonly version: string
  readonly routerId: string
  readonly startedAt: string | null
  readonly configuredAt: string | null
}

/** @param lines of `show status` */
export function readStatus(lines: readonly string[]): BirdStatus {
  const after = (words: string): string =>
    lines.find((line) => line.startsWith(`${words} `))?.slice(words.length + 1) ?? ''
  return {
    version: after('BIRD'),
    routerId: after('Router ID is'),
    startedAt: instant(after('Last reboot on')),
    configuredAt: instant(after('Last reconfiguration on')),
  }
}

/**
 * @param protocols lines of `show protocols all`
 * @param bfd lines of `show bfd sessions`
 */
export function readSessions(
  protocols: readonly string[],
  bfd: readonly string[],
): readonly BgpSession[] {
  const bfdSessions = readBfd(bfd)
  return protocolsOf(protocols).flatMap(({ name, kind, state, since, details }) => {
    const peer = nameOfSymbol(name)
    if (kind !== 'BGP' || peer === null) return []
    const peerAddress = fieldOf(details, 'Neighbor address') ?? ''
    const message = fieldOf(details, 'Last error')
    const watched = bfdSessions.get(peerAddress)
    return [
      {
        peer,
        peerAddress,
        state: stateIn(BGP_STATES, fieldOf(details, 'BGP state') ?? '') ?? 'Idle',
        since,
        bfd: watched?.state ?? 'Off',
        bfdSince: watched?.since ?? null,
        exported: exportedOf(details),
        message: message === null ? null : message.slice(0, WORDS_LENGTH_MAX),
        isGivenUp: state === 'down' && message?.endsWith(NO_SOCKET) === true,
      },
    ]
  })
}

/**
 * When BIRD began, by the first protocol of every configuration of ours, which no reconfiguration restarts; null: it
 * does not say.
 * @param protocols lines of `show protocols all`
 */
export function readStart(protocols: readonly string[]): string | null {
  for (const line of protocols) {
    const head = headOf(line)
    if (head?.kind === 'Device') return head.since
  }
  return null
}

/** Destinations that `show route export` lists, each once: `203.0.113.10/32`. */
export function readRoutes(lines: readonly string[]): readonly string[] {
  const destinations = lines.map((line) => /^([0-9a-f.:]+\/[0-9]+)\s/.exec(line)?.[1])
  return [...new Set(destinations.filter((one) => one !== undefined))]
}

interface Protocol {
  readonly name: string
  readonly kind: string
  readonly state: string
  readonly since: string | null
  readonly details: readonly string[]
}

// Not by the closed sets of `crds`: their schemas take longer to load than a successor has time (`io/open.ts`).
/** By BIRD's words; it has two more states than RFC 4271: waiting for the router to call, and saying goodbye. */
const BGP_STATES: Readonly<Record<BgpState | 'Passive' | 'Close', BgpState>> = {
  Idle: 'Idle',
  Connect: 'Connect',
  Active: 'Active',
  OpenSent: 'OpenSent',
  OpenConfirm: 'OpenConfirm',
  Established: 'Established',
  Passive: 'Active',
  Close: 'Idle',
}

const BFD_STATES: Readonly<Record<Exclude<BfdState, 'Off'> | 'AdminDown', BfdState>> = {
  Down: 'Down',
  Init: 'Init',
  Up: 'Up',
  AdminDown: 'Down',
}

const NO_SOCKET = 'No listening socket'
const NO_ADDRESS = new Set(['0.0.0.0', '::'])

function stateIn<S>(states: Readonly<Record<string, S>>, word: string): S | null {
  return Object.hasOwn(states, word) ? (states[word] ?? null) : null
}

function protocolsOf(lines: readonly string[]): readonly Protocol[] {
  const found: (Protocol & { details: string[] })[] = []
  for (const line of lines) {
    const head = headOf(line)
    if (head === null) found.at(-1)?.details.push(line.trim())
    else found.push({ ...head, details: [] })
  }
  return found
}

/** `NAME PROTO TABLE STATE SINCE INFO`; null: a line of what follows under a protocol, which is indented. */
function headOf(line: string): Omit<Protocol, 'details'> | null {
  const head = /^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)/.exec(line)
  if (head === null) return null
  const [, name = '', kind = '', , state = '', since = ''] = head
  return { name, kind, state, since: instant(since) }
}

function fieldOf(details: readonly string[], name: string): string | null {
  const line = details.find((one) => one.startsWith(`${name}:`))
  return line === undefined ? null : line.slice(name.length + 1).trim()
}

/** `Channel ipv4`, and where it is up: `Routes: 0 imported, 2 exported, 0 preferred`, `BGP Next hop: 192.0.2.1`. */
function exportedOf(details: readonly string[]): BgpSession['exported'] {
  const exported = { ipv4: 0, ipv6: 0 }
  let family: Family = 'ipv4'
  let count = 0
  for (const line of details) {
    const channel = /^Channel (ipv[46])$/.exec(line)?.[1]
    if (channel !== undefined) family = channel === 'ipv6' ? 'ipv6' : 'ipv4'
    count = Number(/^Routes:.* ([0-9]+) exported/.exec(line)?.[1] ?? count)
    // Where the node has no address of this IP version BIRD has no next hop, counts all the same, and tells nobody.
    const nextHop = /^BGP Next hop: +(\S+)/.exec(line)?.[1]
    if (nextHop !== undefined && !NO_ADDRESS.has(nextHop)) exported[family] = count
  }
  return exported
}

/** By address of the router. */
function readBfd(lines: readonly string[]): ReadonlyMap<string, BfdSession> {
  const rows = lines.map((line) => line.trim().split(/\s+/))
  return new Map(
    rows.flatMap(([address = '', , word = '', since = '']) => {
      const state = stateIn(BFD_STATES, word)
      return state === null ? [] : [[address, { state, since: instant(since) }] as const]
    }),
  )
}

interface BfdSession {
  readonly state: BfdState
  readonly since: string | null
}

function instant(text: string): string | null {
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : new Date(at).toISOString()
}
