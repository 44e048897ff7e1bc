/** The endpoint that a socket is to be bound to, checked; the same for every skin. */

import { ENDPOINT_WORDS, parseAddressText } from '@sipcast/sip'
import { UdpError, UdpErrorCode } from './udp-port.ts'

const PORT_MAX = 65535

/** Five endpoint words. Throws UdpError (EINVAL) for anything but an IP literal without brackets and a port. */
export function localEndpoint(address: string, port: number): Int32Array {
  const words = new Int32Array(ENDPOINT_WORDS)
  if (address.startsWith('[') || !parseAddressText(address, words, 0)) {
    throw new UdpError(UdpErrorCode.invalidAddress, `not an IP address: "${address}"`)
  }
  if (!Number.isInteger(port) || port < 0 || port > PORT_MAX) {
    throw new UdpError(UdpErrorCode.invalidAddress, `not a port: ${port}`)
  }
  words[ENDPOINT_WORDS - 1] = port
  return words
}
