/**
 * Numbers and structure layouts of the Linux socket interface on x86-64 and arm64.
 *
 * Both are little-endian 64-bit and share all of these but the packing of epoll_event. Nothing else
 * knows an offset or a flag.
 *
 *   mmsghdr (64)  0 name* │ 8 namelen │ 16 iov* │ 24 iovlen │ 32 control* │ 40 controllen │ 48 flags │ 56 len
 *   iovec   (16)  0 base* │ 8 len
 *   sockaddr_in   0 family │ 2 port (be) │ 4 address (be) │ 8 zero                        16 bytes
 *   sockaddr_in6  0 family │ 2 port (be) │ 4 flow │ 8 address (be) │ 24 scope             28 bytes
 */

import { arch } from 'node:process'

export const AddressFamily = { ipv4: 2, ipv6: 10 } as const
export const SOCKET_DATAGRAM = 2
export const SOCKET_NONBLOCK = 0o4000
export const SOCKET_CLOSE_ON_EXEC = 0o2000000

export const Level = { socket: 1, ip: 0, ipv6: 41 } as const

export const SocketOption = {
  error: 4,
  sendBuffer: 7,
  receiveBuffer: 8,
  reusePort: 15,
  sendBufferForce: 32,
  receiveBufferForce: 33,
  memoryInfo: 55,
} as const
export const IpOption = { mtuDiscover: 10, receiveErrors: 11 } as const
export const Ipv6Option = { mtuDiscover: 23, receiveErrors: 25, v6Only: 26 } as const
/** IP_PMTUDISC_DONT and its IPv6 twin: never set DF. */
export const MTU_DISCOVER_NEVER = 0

/** Words of SO_MEMINFO; the last that we read is SK_MEMINFO_DROPS. */
export const MEMORY_INFO_WORDS = 9
export const MEMORY_INFO_DROPS = 8

/** MSG_TRUNC on receive: report a datagram's true length even if it was cut. */
export const MESSAGE_TRUE_LENGTH = 0x20
export const MESSAGE_ERROR_QUEUE = 0x2000

export const MMSGHDR_SIZE = 64
export const IOVEC_SIZE = 16
export const SOCKADDR_SIZE_IPV4 = 16
export const SOCKADDR_SIZE_IPV6 = 28
/** One sockaddr of either family, rounded up to a power of two. */
export const SOCKADDR_STRIDE = 32

export const EpollOperation = { add: 1, delete: 2 } as const
export const EpollEvent = { readable: 1, error: 8 } as const
export const EPOLL_CLOSE_ON_EXEC = 0o2000000
/** epoll_event: u32 events, then u64 data; packed on x86-64 only. */
export const EPOLL_EVENT_SIZE = arch === 'x64' ? 12 : 16
export const EPOLL_DATA_OFFSET = arch === 'x64' ? 4 : 8

export const POLL_WRITABLE = 4

/** struct sock_extended_err behind a 16-byte cmsghdr. */
export const CONTROL_HEADER_SIZE = 16
export const ExtendedError = { errno: 0, origin: 4 } as const
/** SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6: others are of local origin and no evidence about a peer. */
export const ERROR_ORIGIN_ICMP = 2
export const ERROR_ORIGIN_ICMP6 = 3
