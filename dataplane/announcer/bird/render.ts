/**
 * BgpPeers as a configuration of BIRD 2.0.12 (design section 5.7). Pure: the same objects give the same text, whatever
 * order they come in. Not here: checking it with BIRD and putting it into use (`io/`).
 *
 * Invariants: a session's name in BIRD comes from its object's name alone, so that adding a router resets no other
 * session; a change of marks or pools changes filters only, which BIRD applies without a reset; nothing is taken in,
 * and there is no kernel protocol: BIRD changes no route of this node and needs no right to.
 */

import type { BgpPeerSpec } from '@sipcast/crds'
import { Family, hostRoutes, type HostRoutes, isSharedFunction, marks } from './export-filter.ts'
import {
  ANNOUNCE_LINK,
  BGP_PORT,
  CONNECT_DELAY_SECONDS,
  CONNECT_RETRY_SECONDS,
  DEVICE_SCAN_SECONDS,
  ERROR_WAIT_SECONDS,
} from './limits.ts'
import { type ChosenPeer, choosePeers, type PeerQuestion, type RefusedPeer } from './peers.ts'
import { address, ipv4, quoted, symbol, whole } from './words.ts'

export interface BirdQuestion extends PeerQuestion {
  readonly nodeName: string
  /** An IPv4 address that no other router uses for itself (`router-id.ts`). */
  readonly routerId: string
  /** Networks of which host routes may be announced; null: of all. */
  readonly pools: readonly string[] | null
  /** The node is about to leave: routers are asked to turn to others first (RFC 8326). */
  readonly isShuttingDown: boolean
  /** Where routers reach this node; another one where a second BGP program has 179. Default: 179. */
  readonly listenPort?: number
}

export interface BirdConfiguration {
  readonly text: string
  /** Names of the BgpPeers in it. */
  readonly peers: readonly string[]
  readonly refused: readonly RefusedPeer[]
}

export function renderBird(question: BirdQuestion): BirdConfiguration {
  const { chosen, refused } = choosePeers(question)
  const shared = hostRoutes(question.pools)
  const sections = [
    preamble(question),
    ADDRESSES,
    ...(chosen.some(({ peer }) => peer.spec.bfd.enabled) ? [BFD] : []),
    ...families(shared).map(([family, set]) => isSharedFunction(family, set)),
    ...chosen.map((one) => session(one, shared, question)),
  ]
  const text = `${sections.join('\n\n')}\n`
  return { text, peers: chosen.map(({ peer }) => peer.name), refused }
}

function preamble({ nodeName, routerId }: BirdQuestion): string {
  return `# Written by sipcast from its BgpPeers: changes made here are lost.
log stderr { info, remote, warning, error, auth, fatal, bug };
timeformat base "${TIME_FORMAT}";
timeformat log "${TIME_FORMAT}";
timeformat protocol "${TIME_FORMAT}";
hostname ${quoted(nodeName)};
router id ${ipv4(routerId)};`
}

/** ISO 8601 with the distance to UTC: what BIRD prints is read again (`sessions.ts`). */
const TIME_FORMAT = '%FT%T.%3f%z'

const ADDRESSES = `protocol device {
  scan time ${DEVICE_SCAN_SECONDS};
}

# What is held on the loopback interface is not announced; this link's addresses are.
protocol direct {
  interface "${ANNOUNCE_LINK}";
  ipv4;
  ipv6;
}`

// How fast it is, each session says for itself.
const BFD = `protocol bfd {
}`

function session(
  { peer, password, source }: ChosenPeer,
  shared: HostRoutes,
  question: BirdQuestion,
): string {
  const { spec } = peer
  const lines = [
    ...ends(spec, source, question.listenPort ?? BGP_PORT),
    ...timers(spec),
    // Routers that keep the routes of a session that broke would send to a node that died.
    'graceful restart off;',
    'long lived graceful restart off;',
    ...bfd(spec),
    ...(password === null ? [] : [`password ${quoted(password)};`]),
    ...channels(spec, shared, question.isShuttingDown),
  ]
  return `protocol bgp ${symbol(peer.name)} {\n${indented(lines)}\n}`
}

function ends(spec: BgpPeerSpec, source: string | null, listenPort: number): readonly string[] {
  const from = source === null ? '' : `${address(source)} `
  const local = `port ${whole(listenPort, 1, 65_535)} as ${asn(spec.localASN)}`
  const router = `${address(spec.peerAddress)} port ${whole(spec.port, 1, 65_535)}`
  return [
    `local ${from}${local};`,
    `neighbor ${router} as ${asn(spec.peerASN)};`,
    spec.multihop === 1 ? 'direct;' : `multihop ${whole(spec.multihop, 2, 255)};`,
  ]
}

function timers({ holdTimeMs }: BgpPeerSpec): readonly string[] {
  const holdSeconds = holdTimeMs / 1000
  const hold = whole(holdSeconds, 3, 65_535)
  return [
    `hold time ${hold};`,
    `startup hold time ${hold};`,
    `keepalive time ${Math.floor(holdSeconds / 3)};`,
    `connect delay time ${CONNECT_DELAY_SECONDS};`,
    `connect retry time ${CONNECT_RETRY_SECONDS};`,
    `error wait time ${ERROR_WAIT_SECONDS.min}, ${ERROR_WAIT_SECONDS.max};`,
  ]
}

function bfd({ bfd: { enabled, intervalMs, multiplier } }: BgpPeerSpec): readonly string[] {
  if (!enabled) return []
  const interval = whole(intervalMs, 10, 60_000)
  return [`bfd { interval ${interval} ms; multiplier ${whole(multiplier, 1, 255)}; };`]
}

/** Both families in one session, whichever it runs over; one that the router does not know stays down by itself. */
function channels(
  spec: BgpPeerSpec,
  shared: HostRoutes,
  isShuttingDown: boolean,
): readonly string[] {
  const open = families(shared)
  // BIRD wants at least one channel.
  if (open.length === 0) return ['ipv4 { import none; export none; };']
  return open.map(([family]) => {
    const filter = [
      `if ! is_shared_${family}() then reject;`,
      ...marks(spec, isShuttingDown),
      'accept;',
    ]
    return `${family} {\n  import none;\n  export filter {\n${indented(filter, 4)}\n  };\n};`
  })
}

function families(shared: HostRoutes): readonly (readonly [Family, string])[] {
  return Object.values(Family).flatMap((family) => {
    const set = shared[family]
    return set === null ? [] : [[family, set] as const]
  })
}

function asn(value: number): string {
  return whole(value, 1, 0xffff_fffe)
}

function indented(lines: readonly string[], columns = 2): string {
  return lines.join('\n').replaceAll(/^/gm, ' '.repeat(columns))
}
