/**
 * Whether a text is an IP literal or a CIDR network, so that a table with anything else is refused whole. The
 * balancer turns the text into words (packages/sip, address.ts); this package imports nothing and only looks.
 */

const DECIMAL_BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const IPV4 = new RegExp(`^(?:${DECIMAL_BYTE}\\.){3}${DECIMAL_BYTE}$`)
const HEX_GROUP = /^[0-9A-Fa-f]{1,4}$/
const PREFIX_LENGTH = /^(?:0|[1-9][0-9]{0,2})$/

export function isIpLiteral(text: string): boolean {
  return isIpv4(text) || isIpv6(text)
}

/** "10.0.0.0/8", "2001:db8::/32". Host bits may be set: they are ignored, as in routing tools. */
export function isNetwork(text: string): boolean {
  const slash = text.indexOf('/')
  if (slash === -1) return false
  const address = text.slice(0, slash)
  const prefix = text.slice(slash + 1)
  if (!PREFIX_LENGTH.test(prefix)) return false
  return isIpv4(address) ? Number(prefix) <= 32 : isIpv6(address) && Number(prefix) <= 128
}

function isIpv4(text: string): boolean {
  return IPV4.test(text)
}

/** RFC 4291 §2.2: eight groups, or fewer around one "::", the last two possibly written as IPv4. No zone. */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const [head = '', tail] = halves
  const groupsBefore = groupCount(head, tail === undefined)
  if (tail === undefined) return groupsBefore === 8
  const groupsAfter = groupCount(tail, true)
  return groupsBefore >= 0 && groupsAfter >= 0 && groupsBefore + groupsAfter <= 7
}

/** Groups in one side of "::", or -1000 if it is none. */
function groupCount(text: string, mayEndInIpv4: boolean): number {
  if (text === '') return 0
  const groups = text.split(':')
  let count = groups.length
  for (const [i, group] of groups.entries()) {
    if (HEX_GROUP.test(group)) continue
    if (!mayEndInIpv4 || i !== groups.length - 1 || !isIpv4(group)) return -1000
    count++
  }
  return count
}
