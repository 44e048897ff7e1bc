/**
 * Which namespaces may have which addresses: whoever may create a SipProxy must not be able to seize any address
 * (design section 3). Pure.
 * Not here: who of those that may has it (claims.ts); the announcer's own check, which does not trust this one.
 * Invariants: without pools nothing is allowed; an IPv4 network never holds an IPv6 address.
 */
import { isIPv4, isIPv6 } from 'node:net'

export interface AddressPool {
  /** `203.0.113.0/28`, `2001:db8::/64`; host bits do not count. */
  readonly cidr: string
  /** Undefined: all. */
  readonly namespaces?: readonly string[] | undefined
}

interface Network {
  readonly sizeBits: number
  readonly prefixBits: number
  readonly bits: bigint
}

export class AddressPools {
  readonly #pools: readonly { readonly pool: AddressPool; readonly network: Network }[]

  /** @throws RangeError where a cidr is none */
  constructor(pools: readonly AddressPool[]) {
    this.#pools = pools.map((pool) => {
      const network = parseNetwork(pool.cidr)
      if (network === null) throw new RangeError(`${pool.cidr} is not a network in CIDR notation`)
      return { pool, network }
    })
  }

  allow(address: string, namespace: string): boolean {
    return this.#pools.some(
      ({ pool, network }) => isOpenTo(pool, namespace) && holds(network, address),
    )
  }

  /** The networks a namespace may choose from. */
  of(namespace: string): readonly string[] {
    return this.#pools.filter(({ pool }) => isOpenTo(pool, namespace)).map(({ pool }) => pool.cidr)
  }
}

function isOpenTo({ namespaces }: AddressPool, namespace: string): boolean {
  return namespaces === undefined || namespaces.includes(namespace)
}

function holds({ sizeBits, prefixBits, bits }: Network, address: string): boolean {
  const own = bitsOf(address)
  if (own === null || own.sizeBits !== sizeBits) return false
  const ignored = BigInt(sizeBits - prefixBits)
  return own.bits >> ignored === bits >> ignored
}

function parseNetwork(cidr: string): Network | null {
  const [address = '', prefix = '', ...rest] = cidr.split('/')
  const parsed = bitsOf(address)
  const prefixBits = Number(prefix)
  if (parsed === null || rest.length > 0 || !/^[0-9]{1,3}$/.test(prefix)) return null
  return prefixBits <= parsed.sizeBits ? { ...parsed, prefixBits } : null
}

function bitsOf(address: string): Omit<Network, 'prefixBits'> | null {
  if (isIPv4(address)) return { sizeBits: 32, bits: joined(address.split('.').map(Number), 8) }
  if (!isIPv6(address) || address.includes('%')) return null
  const groups = groupsOf(address)
  return { sizeBits: 128, bits: joined(groups, 16) }
}

/** The eight groups of an IPv6 address; its last two may be written as IPv4. */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::')
  const before = partOf(head)
  const after = partOf(tail ?? '')
  const missing = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...new Array<number>(missing).fill(0), ...after]
}

function partOf(text: string): readonly number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

function joined(parts: readonly number[], width: number): bigint {
  return parts.reduce((bits, part) => (bits << BigInt(width)) | BigInt(part), 0n)
}
