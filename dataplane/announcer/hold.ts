/**
 * Which addresses are to be added, renewed and removed: wanted against present. Not here: running `ip`
 * (`io/`), when to look (`announcer.ts`). Invariants: nothing is removed that does not carry our mark; an
 * address that somebody else gave this node is never taken, also if that happens after us; what no pool
 * allows is not held, and the kinds of addresses below are not held whatever the pools say.
 */

import { ENDPOINT_WORDS, isIPv4, parseAddressText } from '@sipcast/sip'
import { canonicalAddress } from '../address-text.ts'
import { Networks } from '../networks.ts'
import { ADDRESSES_MAX } from './limits.ts'

export interface PresentAddress {
  readonly interface: string
  /** In its one canonical spelling. */
  readonly address: string
  /** It carries our mark. */
  readonly isOurs: boolean
}

/** Why a wanted address is not held. */
export const HoldRefusal = {
  /** Not an IP address. */
  malformed: 'AddressMalformed',
  /** Loopback, link-local, multicast, unspecified, broadcast or reserved. */
  forbidden: 'AddressForbidden',
  outsidePools: 'AddressOutsidePools',
  /** The node has it without us. */
  foreign: 'AddressForeign',
  tooMany: 'TooManyAddresses',
} as const
export type HoldRefusal = (typeof HoldRefusal)[keyof typeof HoldRefusal]

export interface RefusedAddress {
  readonly address: string
  readonly reason: HoldRefusal
}

export interface HoldPlan {
  readonly add: readonly string[]
  readonly renew: readonly string[]
  readonly remove: readonly string[]
  readonly refused: readonly RefusedAddress[]
}

export interface HoldQuestion {
  readonly wanted: readonly string[]
  /** False: what is not wanted may only not be known yet, and is not removed. */
  readonly isComplete: boolean
  /** Of all interfaces. */
  readonly present: readonly PresentAddress[]
  readonly pools: AddressPools
  /** Where our addresses are. */
  readonly interface: string
}

export function planHold(question: HoldQuestion): HoldPlan {
  const { wanted, isComplete, present, pools, interface: ours } = question
  const held = new Set(
    present.filter((one) => one.isOurs && one.interface === ours).map(({ address }) => address),
  )
  const foreign = new Set(present.filter((one) => !one.isOurs).map(({ address }) => address))
  const accepted = new Set<string>()
  const refused: RefusedAddress[] = []
  for (const text of new Set(wanted.map((one) => canonicalAddress(one) ?? one))) {
    const reason = foreign.has(text) ? HoldRefusal.foreign : pools.refusal(text)
    if (reason !== null) refused.push({ address: text, reason })
    else if (accepted.size === ADDRESSES_MAX) {
      refused.push({ address: text, reason: HoldRefusal.tooMany })
    } else accepted.add(text)
  }
  return {
    add: [...accepted].filter((address) => !held.has(address)),
    renew: [...accepted].filter((address) => held.has(address)),
    remove: [...held].filter(
      (address) => foreign.has(address) || (isComplete && !accepted.has(address)),
    ),
    refused,
  }
}

const FORBIDDEN = new Networks([
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
])

export class AddressPools {
  /** By IP version: `::/0` allows no IPv4 address. */
  readonly #ipv4: Networks
  readonly #ipv6: Networks
  readonly #isOpen: boolean

  /** @param cidrs null: every address that is not forbidden */
  constructor(cidrs: readonly string[] | null) {
    const isIPv6 = (cidr: string): boolean => cidr.includes(':')
    this.#isOpen = cidrs === null
    this.#ipv4 = new Networks((cidrs ?? []).filter((cidr) => !isIPv6(cidr)))
    this.#ipv6 = new Networks((cidrs ?? []).filter(isIPv6))
  }

  refusal(address: string): HoldRefusal | null {
    const words = new Int32Array(ENDPOINT_WORDS)
    if (!parseAddressText(address, words, 0)) return HoldRefusal.malformed
    if (FORBIDDEN.has(words, 0)) return HoldRefusal.forbidden
    const pools = isIPv4(words, 0) ? this.#ipv4 : this.#ipv6
    return this.#isOpen || pools.has(words, 0) ? null : HoldRefusal.outsidePools
  }
}
