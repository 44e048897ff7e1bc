/**
 * Which routers this node talks to, and why not to the others. Pure. Invariant: a router that cannot be talked to does
 * not keep the node from talking to the rest.
 */

import type { BgpPeer } from '@sipcast/crds'
import { PASSWORD_LENGTH_MAX, PEERS_MAX } from './limits.ts'
import { isWritable } from './words.ts'

/** Why a selected router is left out. */
export const PeerRefusal = {
  passwordMissing: 'PasswordMissing',
  passwordUnusable: 'PasswordUnusable',
  /** BIRD wants to know it for BFD over several hops, and would refuse all routers without it. */
  sourceMissing: 'SourceAddressMissing',
  /** Another BgpPeer names the same router; the first by name counts. */
  duplicate: 'DuplicatePeer',
  tooMany: 'TooManyPeers',
} as const
export type PeerRefusal = (typeof PeerRefusal)[keyof typeof PeerRefusal]

export interface RefusedPeer {
  readonly peer: string
  readonly reason: PeerRefusal
  readonly message: string
}

export interface PeerQuestion {
  readonly peers: readonly BgpPeer[]
  readonly nodeLabels: Readonly<Record<string, string>>
  /** Sessions over several hops come from the first of the router's IP version, unless they say otherwise. */
  readonly nodeAddresses: readonly string[]
  /** By name of the BgpPeer; of those that name a Secret. */
  readonly passwords: ReadonlyMap<string, string>
  /** Where a missing password is to be put, in words. */
  readonly passwordRemedy?: string
}

export interface ChosenPeer {
  readonly peer: BgpPeer
  readonly password: string | null
  /** Where the session comes from; null: as the node's routes say. */
  readonly source: string | null
}

export interface PeerChoice {
  /** By name, so that the order in which objects arrive changes nothing. */
  readonly chosen: readonly ChosenPeer[]
  readonly refused: readonly RefusedPeer[]
}

export function choosePeers(question: PeerQuestion): PeerChoice {
  const { peers, nodeLabels, passwords, passwordRemedy = '' } = question
  const chosen: ChosenPeer[] = []
  const refused: RefusedPeer[] = []
  const routers = new Map<string, string>()
  const ofNode = peers.filter(({ spec }) => matches(spec.nodeSelector, nodeLabels))
  for (const peer of ofNode.toSorted(byName)) {
    const router = `${peer.spec.peerAddress} port ${peer.spec.port}`
    const password = peer.spec.passwordSecretRef === null ? null : passwords.get(peer.name)
    const source = sourceOf(peer, question.nodeAddresses)
    const refusal =
      duplicateOf(router, routers.get(router)) ??
      passwordRefusal(peer, password, passwordRemedy) ??
      sourceRefusal(peer, source) ??
      (chosen.length === PEERS_MAX ? TOO_MANY : null)
    if (refusal !== null) {
      refused.push({ peer: peer.name, ...refusal })
      continue
    }
    routers.set(router, peer.name)
    chosen.push({ peer, password: password ?? null, source })
  }
  return { chosen, refused }
}

function matches(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  )
}

type Refusal = Omit<RefusedPeer, 'peer'>

const TOO_MANY: Refusal = {
  reason: PeerRefusal.tooMany,
  message: `a node talks to at most ${PEERS_MAX} routers; the first by name count`,
}

function duplicateOf(router: string, first: string | undefined): Refusal | null {
  if (first === undefined) return null
  const message = `${router} is the router of BgpPeer ${first} already`
  return { reason: PeerRefusal.duplicate, message }
}

function sourceOf({ spec }: BgpPeer, nodeAddresses: readonly string[]): string | null {
  if (spec.sourceAddress !== null || spec.multihop === 1) return spec.sourceAddress
  return nodeAddresses.find((one) => isIPv6(one) === isIPv6(spec.peerAddress)) ?? null
}

function sourceRefusal({ spec }: BgpPeer, source: string | null): Refusal | null {
  if (source !== null || spec.multihop === 1 || !spec.bfd.enabled) return null
  const version = isIPv6(spec.peerAddress) ? 'IPv6' : 'IPv4'
  const message = `BFD over several hops needs an ${version} address of this node, and none is known: set spec.sourceAddress, or spec.bfd.enabled to false`
  return { reason: PeerRefusal.sourceMissing, message }
}

function isIPv6(address: string): boolean {
  return address.includes(':')
}

/** @param password null: none is needed */
function passwordRefusal(
  { spec }: BgpPeer,
  password: string | null | undefined,
  remedy: string,
): Refusal | null {
  if (password === null) return null
  const { name, key } = spec.passwordSecretRef ?? {}
  const where = `key ${key} of Secret ${name}`
  if (password === undefined || password === '') {
    const message = `no password in ${where}${remedy === '' ? '' : `: ${remedy}`}`
    return { reason: PeerRefusal.passwordMissing, message }
  }
  if (password.length <= PASSWORD_LENGTH_MAX && isWritable(password)) return null
  const rule = `at most ${PASSWORD_LENGTH_MAX} printable ASCII characters without quotation marks`
  return {
    reason: PeerRefusal.passwordUnusable,
    message: `the password in ${where} is not ${rule}`,
  }
}

function byName(one: BgpPeer, other: BgpPeer): number {
  return one.name < other.name ? -1 : 1
}
