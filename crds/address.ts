/**
 * Fields that hold IP literals, networks and host names. Values come out in one spelling each (RFC 5952 for IPv6,
 * lower case for hosts), so that comparing them is comparing text. Not here: name resolution (nothing in sipcast
 * resolves names) and who may use which address.
 */
import { z } from 'zod'
import { withRules } from './rules.ts'
import { celPattern, spelt } from './text.ts'

const ADDRESS_LENGTH_MAX = 45
const CIDR_LENGTH_MAX = 49
const HOST_LENGTH_MAX = 253
const HOST =
  /^[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?)*\.?$/

/** The canonical text of an IP literal; null for anything else, IPv4-mapped IPv6 and scoped addresses included. */
export function canonicalAddress(text: string): string | null {
  if (text.length > ADDRESS_LENGTH_MAX) return null
  if (z.regexes.ipv4.test(text)) return text
  if (!text.includes(':') || !/^[0-9A-Fa-f:.]+$/.test(text)) return null
  const url = URL.parse(`http://[${text}]/`)
  if (url === null) return null
  const address = url.hostname.slice(1, -1)
  return /^::ffff:[0-9a-f]+:[0-9a-f]+$/.test(address) ? null : address
}

/**
 * Addresses no socket of ours may send to or be bound to: unspecified, multicast, broadcast, IPv6 link-local (it
 * would need a scope).
 */
function isUnusable(address: string): boolean {
  if (address.includes(':')) return /^(::$|ff[0-9a-f]{2}:|fe[89ab][0-9a-f]:)/.test(address)
  const first = Number(address.slice(0, address.indexOf('.')))
  return first === 0 || first >= 224
}

/** An IP address one can talk to. */
export function ipAddress() {
  const text = withRules(
    z.string().max(ADDRESS_LENGTH_MAX),
    [
      {
        cel: 'isIP(self)',
        message: 'must be an IPv4 or IPv6 address',
        holds: (value) => canonicalAddress(value) !== null,
      },
      {
        cel: "!isIP(self) || (ip(self).family() == 4 ? !self.matches('^(0|22[4-9]|2[345][0-9])[.]') : ip(self).isGlobalUnicast() || ip(self).isLoopback())",
        message:
          'must not be an unspecified, multicast, broadcast, reserved or IPv6 link-local address',
        holds: (value) => !isUnusable(canonicalAddress(value) ?? '127.0.0.1'),
      },
    ],
    { spelling: 'an IPv4 or IPv6 address' },
  )
  return text.transform((value) => canonicalAddress(value) ?? value)
}

/** A network in CIDR notation. */
export function cidr() {
  const text = withRules(
    z.string().max(CIDR_LENGTH_MAX),
    [
      {
        cel: 'isCIDR(self)',
        message: 'must be a network such as 10.0.0.0/8 or 2001:db8::/32',
        holds: (value) => canonicalCidr(value) !== null,
      },
    ],
    { spelling: 'a network such as 10.0.0.0/8 or 2001:db8::/32' },
  )
  return text.transform((value) => canonicalCidr(value) ?? value)
}

function canonicalCidr(text: string): string | null {
  const [addressText = '', prefixText = '', ...rest] = text.split('/')
  const address = canonicalAddress(addressText)
  if (address === null || rest.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(prefixText)) return null
  const prefix = Number(prefixText)
  return prefix <= (address.includes(':') ? 128 : 32) ? `${address}/${prefix}` : null
}

/** A host name, compared without case and without a closing dot. */
export function hostName() {
  return spelt({
    pattern: HOST,
    spelling: 'a host name',
    lengthMax: HOST_LENGTH_MAX,
  }).transform((value) => value.toLowerCase().replace(/\.$/, ''))
}

/** The host of a SIP URI: a name or an IP literal, IPv6 with or without brackets (without, when parsed). */
export function uriHost() {
  return withRules(
    z.string().max(HOST_LENGTH_MAX),
    [
      {
        cel: `self.matches(${celPattern(HOST)}) || isIP(self.startsWith('[') && self.endsWith(']') ? self.substring(1, size(self) - 1) : self)`,
        message: 'must be a host name or an IP address',
        holds: (value) => HOST.test(value) || canonicalAddress(unbracketed(value)) !== null,
      },
    ],
    { spelling: 'a host name or an IP address' },
  ).transform(
    (value) => canonicalAddress(unbracketed(value)) ?? value.toLowerCase().replace(/\.$/, ''),
  )
}

function unbracketed(text: string): string {
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
}
