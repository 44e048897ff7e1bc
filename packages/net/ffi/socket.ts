/**
 * One UDP socket: opened with the options that the design asks for, and bound.
 *
 * Never sets DF (the ICMP would go to whichever balancer the routers pick, and the datagram be lost),
 * queues ICMP errors, keeps IPv4 out of IPv6 sockets. Knows no batches.
 */

import { ENDPOINT_WORDS, formatEndpoint } from '@sipcast/sip'
import { Errno } from '../errno.ts'
import { localEndpoint } from '../local-endpoint.ts'
import { type SocketOptions, UdpError, UdpErrorCode } from '../udp-port.ts'
import { addressOf, type Libc } from './libc.ts'
import {
  AddressFamily,
  IpOption,
  Ipv6Option,
  Level,
  MEMORY_INFO_DROPS,
  MEMORY_INFO_WORDS,
  MTU_DISCOVER_NEVER,
  SOCKADDR_STRIDE,
  SOCKET_CLOSE_ON_EXEC,
  SOCKET_DATAGRAM,
  SOCKET_NONBLOCK,
  SocketOption,
} from './linux.ts'
import { familyOf, readSockaddr, writeSockaddr } from './sockaddr.ts'

export interface OpenSocket {
  readonly fd: number
  readonly family: number
  readonly localPort: number
}

/** For option values and addresses; the last word for their length. */
const SCRATCH_WORDS = 16
const SCRATCH_LENGTH_WORD = SCRATCH_WORDS - 1
const scratch = new Int32Array(new ArrayBuffer(SCRATCH_WORDS * 4))

/** Asked when used, as koffi may not be there when this module loads. */
function scratchAddress(word = 0): number {
  return addressOf(scratch) + word * 4
}

/** Throws UdpError; leaves nothing open then. */
export function openSocket(libc: Libc, options: SocketOptions): OpenSocket {
  const endpoint = localEndpoint(options.address, options.port)
  const family = familyOf(endpoint, 0)
  const fd = libc.socket(family, SOCKET_DATAGRAM | SOCKET_NONBLOCK | SOCKET_CLOSE_ON_EXEC, 0)
  if (fd < 0) throw openError(libc.errno(), 'socket', endpoint)
  try {
    setOptions(libc, fd, family, options)
    const length = writeSockaddr(endpoint, 0, family, scratch, 0)
    if (libc.bind(fd, scratchAddress(), length) < 0) throw openError(libc.errno(), 'bind', endpoint)
    return { fd, family, localPort: boundPort(libc, fd) }
  } catch (error) {
    libc.close(fd)
    throw error
  }
}

/** Datagrams that the kernel dropped at this socket so far (SK_MEMINFO_DROPS); -1 if it won't say. */
export function kernelDrops(libc: Libc, fd: number): number {
  if (!readOption(libc, fd, SocketOption.memoryInfo, MEMORY_INFO_WORDS)) return -1
  return scratch[MEMORY_INFO_DROPS]! >>> 0
}

/** Takes the socket's pending error, so that no later call fails with it. */
export function clearPendingError(libc: Libc, fd: number): void {
  readOption(libc, fd, SocketOption.error, 1)
}

/** Reads a socket option of so many words into `scratch`. */
function readOption(libc: Libc, fd: number, name: number, words: number): boolean {
  scratch[SCRATCH_LENGTH_WORD] = words * 4
  const length = scratchAddress(SCRATCH_LENGTH_WORD)
  return libc.getsockopt(fd, Level.socket, name, scratchAddress(), length) === 0
}

function setOptions(libc: Libc, fd: number, family: number, options: SocketOptions): void {
  const set = (level: number, name: number, value: number): boolean => {
    scratch[0] = value
    return libc.setsockopt(fd, level, name, scratchAddress(), 4) === 0
  }
  const demand = (level: number, name: number, value: number): void => {
    if (set(level, name, value)) return
    throw new UdpError(
      UdpErrorCode.unsupported,
      `setsockopt ${level}/${name}, errno ${libc.errno()}`,
    )
  }
  if (family === AddressFamily.ipv4) {
    demand(Level.ip, IpOption.mtuDiscover, MTU_DISCOVER_NEVER)
    demand(Level.ip, IpOption.receiveErrors, 1)
  } else {
    demand(Level.ipv6, Ipv6Option.v6Only, 1)
    demand(Level.ipv6, Ipv6Option.mtuDiscover, MTU_DISCOVER_NEVER)
    demand(Level.ipv6, Ipv6Option.receiveErrors, 1)
  }
  if (options.reusePort) demand(Level.socket, SocketOption.reusePort, 1)
  const { receiveBufferBytes, sendBufferBytes } = options
  // The forced kind passes net.core.rmem_max and needs CAP_NET_ADMIN; the plain kind is cut to it silently.
  if (receiveBufferBytes !== undefined) {
    if (!set(Level.socket, SocketOption.receiveBufferForce, receiveBufferBytes)) {
      demand(Level.socket, SocketOption.receiveBuffer, receiveBufferBytes)
    }
  }
  if (sendBufferBytes !== undefined) {
    if (!set(Level.socket, SocketOption.sendBufferForce, sendBufferBytes)) {
      demand(Level.socket, SocketOption.sendBuffer, sendBufferBytes)
    }
  }
}

function boundPort(libc: Libc, fd: number): number {
  const endpoint = new Int32Array(ENDPOINT_WORDS)
  scratch[SCRATCH_LENGTH_WORD] = SOCKADDR_STRIDE
  libc.getsockname(fd, scratchAddress(), scratchAddress(SCRATCH_LENGTH_WORD))
  readSockaddr(scratch, 0, endpoint, 0)
  return endpoint[ENDPOINT_WORDS - 1]!
}

const openErrorCodes: Readonly<Record<number, UdpErrorCode>> = {
  [Errno.notPermitted]: UdpErrorCode.accessDenied,
  [Errno.accessDenied]: UdpErrorCode.accessDenied,
  [Errno.addressInUse]: UdpErrorCode.addressInUse,
  [Errno.addressAbsent]: UdpErrorCode.addressAbsent,
  // A kernel without IPv6 has no IPv6 address either.
  [Errno.familyUnsupported]: UdpErrorCode.addressAbsent,
  [Errno.invalid]: UdpErrorCode.invalidAddress,
  [Errno.tooManyFiles]: UdpErrorCode.tooManySockets,
  [Errno.tooManyFilesInSystem]: UdpErrorCode.tooManySockets,
}

function openError(errno: number, call: string, endpoint: Int32Array): UdpError {
  const code = openErrorCodes[errno] ?? UdpErrorCode.other
  return new UdpError(code, `${call} ${formatEndpoint(endpoint, 0)} failed with errno ${errno}`)
}
