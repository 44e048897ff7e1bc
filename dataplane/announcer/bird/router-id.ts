/**
 * Which router id a node gives itself. Pure. Invariant: the same node has the same one after every restart; routers
 * use it to tell their neighbours apart and to break ties.
 */

import { createHash } from 'node:crypto'
import { isIPv4Text } from '../../address-text.ts'

/** Its first IPv4 address, which is unique anyway; where it has none, a number made of its name (RFC 6286). */
export function routerIdOf(nodeName: string, addresses: readonly string[]): string {
  const [own] = addresses.filter(isIPv4Text)
  if (own !== undefined) return own
  const bytes = createHash('sha256').update(nodeName).digest().subarray(0, 4)
  // 240.0.0.0/4 is nobody's address.
  return [0xf0 | bytes[0]!, ...bytes.subarray(1)]
    .join('.')
    .replace('255.255.255.255', '255.255.255.254')
}
