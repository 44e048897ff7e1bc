/**
 * What is announced, and how it is marked: the export half of a BIRD configuration. Pure. Invariants: nothing leaves
 * the node but host routes (/32, /128) that come from an address of this node and lie in an address pool; nothing is
 * taken in (`import none`, in `render.ts`).
 */

import { strict as assert } from 'node:assert'
import type { BgpPeerSpec } from '@sipcast/crds'
import { ENDPOINT_WORDS, formatAddress, isIPv4, parseAddressText } from '@sipcast/sip'
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
  const networks = (pools ?? [FAMILIES.ipv4.all, FAMILIES.ipv6.all]).map(networkOf)
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

interface Network {
  readonly family: Family
  /** Without bits behind its length, which BIRD refuses. */
  readonly text: string
}

function networkOf(cidr: string): Network {
  const [addressText = '', lengthText, ...rest] = cidr.split('/')
  const words = new Int32Array(ENDPOINT_WORDS)
  assert(
    rest.length === 0 && parseAddressText(addressText, words, 0),
    'an address pool is no network',
  )
  const family = isIPv4(words, 0) ? Family.ipv4 : Family.ipv6
  const { hostBits } = FAMILIES[family]
  assert(/^[0-9]{1,3}$/.test(lengthText ?? '0'), 'the length of an address pool is no number')
  const length = Number(lengthText ?? hostBits)
  const written = whole(length, 0, hostBits)
  for (let word = 0; word < 4; word++) {
    const ones = Math.min(32, Math.max(0, length + 128 - hostBits - word * 32))
    words[word] = words[word]! & (ones === 0 ? 0 : -1 << (32 - ones))
  }
  return { family, text: `${formatAddress(words, 0)}/${written}` }
}
