/** Opens the best UDP port that this machine has, or the one that is asked for. */

import { openDgramPort } from './dgram-port.ts'
import { openFfiPort } from './ffi/ffi-port.ts'
import type { OpenDescriptors } from './ffi/open-descriptors.ts'
import { type BlockingUdpPort, UdpError, UdpErrorCode, type UdpPort } from './udp-port.ts'

export interface UdpPortOptions {
  /** auto: FFI where it loads, else dgram. */
  readonly skin: 'auto' | 'ffi' | 'dgram'
  /** Whether `wait` blocks the thread; only FFI can. */
  readonly blocking: boolean
  /** Where FFI notes what it has open; `node:dgram` leaves nothing behind. */
  readonly descriptors?: OpenDescriptors
}

/** Throws UdpError (ENOTSUP) where the skin can't be had. */
export function openUdpPort(options: UdpPortOptions & { readonly blocking: true }): BlockingUdpPort
export function openUdpPort(options: UdpPortOptions): UdpPort
export function openUdpPort(options: UdpPortOptions): UdpPort {
  const { skin, blocking, descriptors } = options
  if (skin === 'dgram') {
    if (!blocking) return openDgramPort()
    throw new UdpError(UdpErrorCode.unsupported, 'the dgram skin cannot block')
  }
  try {
    return openFfiPort({ blocking, ...(descriptors === undefined ? {} : { descriptors }) })
  } catch (cause) {
    if (skin === 'auto' && !blocking) return openDgramPort()
    throw new UdpError(UdpErrorCode.unsupported, 'the FFI skin does not load here', { cause })
  }
}
