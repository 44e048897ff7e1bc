/**
 * One SipProxy's table, compiled for the packet path: who is inside, who is live, which names are ours.
 * Not here: choosing a target (`target.ts`), checking the table (`@sipcast/mapping` did).
 * Invariants: immutable but for the two shared arrays; built once per table, never per packet.
 */

import { ENDPOINT_WORDS, isIPv4, parseAddressText } from '@sipcast/sip'
import { MemberState, memberTag, SlotHash, type Table } from '@sipcast/mapping'
import { EndpointMap, NOT_FOUND } from './endpoint-map.ts'
import { Networks } from './networks.ts'
import { OwnAddress } from './own-address.ts'
import type { PoolConfig } from './worker-config.ts'

/** In `EndpointMap`s keyed by address alone. */
const ANY_PORT = 0

export class Pool {
  readonly table: Table
  readonly slotHash: SlotHash
  /** Endpoint words of `table.addresses`, each with `table.port`. */
  readonly addresses: Int32Array
  /** The first address of each IP version, where there is one. */
  readonly firstIPv4: OwnAddress | null
  readonly firstIPv6: OwnAddress | null
  /** Endpoint words by member index. */
  readonly members: Int32Array
  readonly memberTags: Int32Array
  /** 1: dead by this balancer's own evidence. Written by the main thread. */
  readonly dead: Uint8Array
  readonly packets: Float64Array
  readonly aliases: readonly Uint8Array[]
  readonly domains: readonly Uint8Array[]
  readonly denyUserAgents: readonly Uint8Array[]
  readonly sourceIsShared: boolean
  readonly #down: Uint8Array
  readonly #memberByEndpoint: EndpointMap
  readonly #memberByAddress: EndpointMap
  readonly #hosts: EndpointMap
  /** By member. */
  readonly #hostsOf: readonly Networks[]
  readonly #insideNetworks: Networks
  readonly #trustedNetworks: Networks
  readonly #former: EndpointMap
  readonly #formerUntilMs: Float64Array

  constructor(config: PoolConfig) {
    const table = config.table
    this.table = table
    this.slotHash = new SlotHash(table.seed)
    this.addresses = endpoints(table.addresses.map((address) => ({ address, port: table.port })))
    this.firstIPv4 = firstOfVersion(this.addresses, true)
    this.firstIPv6 = firstOfVersion(this.addresses, false)
    this.members = endpoints(table.members)
    this.memberTags = Int32Array.from(table.members, (member) => memberTag(member.id))
    this.dead = new Uint8Array(config.dead)
    this.packets = new Float64Array(config.packets)
    this.aliases = table.aliases.map(lowerCaseBytes)
    this.domains = table.domains.map(lowerCaseBytes)
    this.denyUserAgents = table.edge.denyUserAgents.map(lowerCaseBytes)
    this.sourceIsShared = table.edge.insideSource === 'Shared'
    this.#down = Uint8Array.from(table.members, (member) =>
      member.state === MemberState.down ? 1 : 0,
    )
    this.#memberByEndpoint = indexByEndpoint(this.members)
    this.#memberByAddress = indexByAddress(this.members)
    const hostAddresses = table.members.flatMap((member) => member.hostAddresses)
    this.#hostsOf = table.members.map((member) => new Networks(member.hostAddresses))
    this.#hosts = indexByAddress(endpoints(hostAddresses.map((address) => ({ address, port: 0 }))))
    this.#insideNetworks = new Networks(table.edge.insideNetworks)
    this.#trustedNetworks = new Networks(table.edge.trustedNetworks)
    this.#former = indexByEndpoint(endpoints(table.former))
    this.#formerUntilMs = Float64Array.from(table.former, (former) => Date.parse(former.until))
  }

  /** Is the sender on the proxies' side: a member, a node that hosts one, or in `insideNetworks`? */
  isInside(words: Int32Array, at: number): boolean {
    return (
      this.#memberByAddress.get(words, at, ANY_PORT) !== NOT_FOUND ||
      this.#hosts.get(words, at, ANY_PORT) !== NOT_FOUND ||
      this.#insideNetworks.has(words, at)
    )
  }

  /** Does this member's node have this address? */
  isHostOf(member: number, words: Int32Array, at: number): boolean {
    return this.#hostsOf[member]!.has(words, at)
  }

  isTrusted(words: Int32Array, at: number): boolean {
    return this.#trustedNetworks.has(words, at)
  }

  /** In `insideNetworks` alone: hops of ours that are no members, popped from Route sets. */
  isInsideNetwork(words: Int32Array, at: number): boolean {
    return this.#insideNetworks.has(words, at)
  }

  /** Index of the member at exactly this address and port, or NOT_FOUND. */
  memberAt(words: Int32Array, at: number): number {
    return this.#memberByEndpoint.get(words, at, words[at + 4]!)
  }

  /** Index of the (first) member with this address, whatever the port, or NOT_FOUND. */
  memberWithAddress(words: Int32Array, at: number): number {
    return this.#memberByAddress.get(words, at, ANY_PORT)
  }

  /** Index of the one member whose id has this tag; NOT_FOUND where none has or, by a rare chance, two. */
  memberWithTag(tag: number): number {
    const first = this.memberTags.indexOf(tag | 0)
    return first >= 0 && this.memberTags.indexOf(tag | 0, first + 1) < 0 ? first : NOT_FOUND
  }

  /** A member that left or changed its address within the time the table still names it. */
  isFormer(words: Int32Array, at: number, nowMs: number): boolean {
    const index = this.#former.get(words, at, words[at + 4]!)
    return index !== NOT_FOUND && this.#formerUntilMs[index]! > nowMs
  }

  /** In the table in use, not `Down` there, not marked dead here; Draining and NotReady are live (design 5.2). */
  isLive(member: number): boolean {
    return this.#down[member] === 0 && this.dead[member] === 0
  }
}

function endpoints(list: readonly { address: string; port: number }[]): Int32Array {
  const words = new Int32Array(list.length * ENDPOINT_WORDS)
  list.forEach(({ address, port }, index) => {
    parseAddressText(address, words, index * ENDPOINT_WORDS)
    words[index * ENDPOINT_WORDS + 4] = port
  })
  return words
}

function firstOfVersion(words: Int32Array, wantIPv4: boolean): OwnAddress | null {
  for (let at = 0; at < words.length; at += ENDPOINT_WORDS) {
    if (isIPv4(words, at) === wantIPv4) return new OwnAddress(words.slice(at, at + ENDPOINT_WORDS))
  }
  return null
}

function indexByEndpoint(words: Int32Array): EndpointMap {
  const map = new EndpointMap(words.length / ENDPOINT_WORDS)
  for (let at = 0; at < words.length; at += ENDPOINT_WORDS) {
    map.put(words, at, words[at + 4]!, at / ENDPOINT_WORDS)
  }
  return map
}

function indexByAddress(words: Int32Array): EndpointMap {
  const map = new EndpointMap(words.length / ENDPOINT_WORDS)
  for (let at = 0; at < words.length; at += ENDPOINT_WORDS) {
    map.put(words, at, ANY_PORT, at / ENDPOINT_WORDS)
  }
  return map
}

function lowerCaseBytes(text: string): Uint8Array {
  return Uint8Array.from(text.toLowerCase(), (character) => character.charCodeAt(0) & 0xff)
}
