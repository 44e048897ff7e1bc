/**
 * What is announced, and how it is marked: the export half of a BIRD configuration. Pure. Invariants: nothing leaves
 * the node but host routes (/32, /128) that come from an address of this node and lie in an address pool; nothing is
 * taken in (`import none`, in `render.ts`).
 */

import { strict as assert } from 'node:assert'
import type { BgpPeerSpec } from '@sipcast/crds'
import { formatAddress, isIPv4 } from '@sipcast/sip'
import { parseNetwork } from '../../networks.ts'
import { whole } from './words.ts'

export const Family = { ipv4: 'ipv4', ipv6: 'ipv6' } as const
export type Family = (typeof Family)[keyof typeof Family]

const FAMILIES = {
  ipv4: { all: '0.0.0.0/0', hostBits: 32 },
  ipv6: { all: '::/0', hostBits: 128 },
} as const

/** Networks of one family as BIRD's set of the host routes in them; null: nothing of this family is shared. */
export type HostRoutes = Readonly<Record<Family, string | null>>

/** @param pools null: every address */
export function hostRoutes(pools: readonly string[] | null): HostRoutes {
  const networks = (pools ?? [FAMILIES.ipv4.all, FAMILIES.ipv6.all]).map(writtenNetwork)
  const setOf = (family: Family): string | null => {
    const { hostBits } = FAMILIES[family]
    const ours = networks.filter((one) => one.family === family).map(({ text }) => text)
    if (ours.length === 0) return null
    return [...new Set(ours)].map((text) => `${text}{${hostBits},${hostBits}}`).join(', ')
  }
  return { ipv4: setOf(Family.ipv4), ipv6: setOf(Family.ipv6) }
}

/** Declares what the filters below ask. */
export function isSharedFunction(family: Family, set: string): string {
  return `function is_shared_${family}() {
  return source = RTS_DEVICE && net ~ [ ${set} ];
}`
}

/** The marks on what goes to one router; lines inside its filter. */
export function marks(
  { communities, localASN, peerASN }: BgpPeerSpec,
  isShuttingDown: boolean,
): readonly string[] {
  return [
    ...communities.map(communityLine),
    // RFC 8326, section 4: the router turns to others while this one still serves.
    ...(isShuttingDown ? ['bgp_community.add((65535, 0)); # GRACEFUL_SHUTDOWN'] : []),
    ...(isShuttingDown && localASN === peerASN ? ['bgp_local_pref = 0;'] : []),
  ]
}

function communityLine(text: string): string {
  const parts = text.split(':').map(Number)
  assert(parts.length === 2 || parts.length === 3, 'a community of neither two nor three parts')
  const isLarge = parts.length === 3
  const written = parts.map((part) => whole(part, 0, isLarge ? 0xffff_ffff : 0xffff)).join(', ')
  return `${isLarge ? 'bgp_large_community' : 'bgp_community'}.add((${written}));`
}

/** Without bits behind its length, which BIRD refuses. */
function writtenNetwork(cidr: string): { readonly family: Family; readonly text: string } {
  const network = parseNetwork(cidr)
  assert(network !== null, 'an address pool is no network')
  const { address, lengthBits } = network
  return {
    family: isIPv4(address, 0) ? Family.ipv4 : Family.ipv6,
    text: `${formatAddress(address, 0)}/${lengthBits}`,
  }
}
