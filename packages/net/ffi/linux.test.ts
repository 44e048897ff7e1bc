import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { requires } from '../../../test/requires.ts'
import { Errno } from '../errno.ts'
import * as linux from './linux.ts'

/** What we say, and how the machine's own headers say it. */
const facts: readonly (readonly [number, string])[] = [
  [linux.AddressFamily.ipv4, 'AF_INET'],
  [linux.AddressFamily.ipv6, 'AF_INET6'],
  [linux.SOCKET_DATAGRAM, 'SOCK_DGRAM'],
  [linux.SOCKET_NONBLOCK, 'SOCK_NONBLOCK'],
  [linux.SOCKET_CLOSE_ON_EXEC, 'SOCK_CLOEXEC'],
  [linux.Level.socket, 'SOL_SOCKET'],
  [linux.Level.ip, 'IPPROTO_IP'],
  [linux.Level.ipv6, 'IPPROTO_IPV6'],
  [linux.SocketOption.error, 'SO_ERROR'],
  [linux.SocketOption.sendBuffer, 'SO_SNDBUF'],
  [linux.SocketOption.receiveBuffer, 'SO_RCVBUF'],
  [linux.SocketOption.reusePort, 'SO_REUSEPORT'],
  [linux.SocketOption.sendBufferForce, 'SO_SNDBUFFORCE'],
  [linux.SocketOption.receiveBufferForce, 'SO_RCVBUFFORCE'],
  [linux.SocketOption.memoryInfo, 'SO_MEMINFO'],
  [linux.IpOption.mtuDiscover, 'IP_MTU_DISCOVER'],
  [linux.IpOption.receiveErrors, 'IP_RECVERR'],
  [linux.Ipv6Option.mtuDiscover, 'IPV6_MTU_DISCOVER'],
  [linux.Ipv6Option.receiveErrors, 'IPV6_RECVERR'],
  [linux.Ipv6Option.v6Only, 'IPV6_V6ONLY'],
  [linux.MTU_DISCOVER_NEVER, 'IP_PMTUDISC_DONT'],
  [linux.MTU_DISCOVER_NEVER, 'IPV6_PMTUDISC_DONT'],
  [linux.MEMORY_INFO_DROPS, 'SK_MEMINFO_DROPS'],
  [linux.MEMORY_INFO_WORDS, 'SK_MEMINFO_VARS'],
  [linux.MESSAGE_TRUE_LENGTH, 'MSG_TRUNC'],
  [linux.MESSAGE_ERROR_QUEUE, 'MSG_ERRQUEUE'],
  [linux.MMSGHDR_SIZE, 'sizeof(struct mmsghdr)'],
  [0, 'offsetof(struct mmsghdr, msg_hdr.msg_name)'],
  [8, 'offsetof(struct mmsghdr, msg_hdr.msg_namelen)'],
  [16, 'offsetof(struct mmsghdr, msg_hdr.msg_iov)'],
  [24, 'offsetof(struct mmsghdr, msg_hdr.msg_iovlen)'],
  [32, 'offsetof(struct mmsghdr, msg_hdr.msg_control)'],
  [40, 'offsetof(struct mmsghdr, msg_hdr.msg_controllen)'],
  [56, 'offsetof(struct mmsghdr, msg_len)'],
  [linux.IOVEC_SIZE, 'sizeof(struct iovec)'],
  [linux.SOCKADDR_SIZE_IPV4, 'sizeof(struct sockaddr_in)'],
  [linux.SOCKADDR_SIZE_IPV6, 'sizeof(struct sockaddr_in6)'],
  [2, 'offsetof(struct sockaddr_in, sin_port)'],
  [4, 'offsetof(struct sockaddr_in, sin_addr)'],
  [8, 'offsetof(struct sockaddr_in6, sin6_addr)'],
  [linux.EpollOperation.add, 'EPOLL_CTL_ADD'],
  [linux.EpollOperation.delete, 'EPOLL_CTL_DEL'],
  [linux.EpollEvent.readable, 'EPOLLIN'],
  [linux.EpollEvent.error, 'EPOLLERR'],
  [linux.EPOLL_CLOSE_ON_EXEC, 'EPOLL_CLOEXEC'],
  [linux.EPOLL_EVENT_SIZE, 'sizeof(struct epoll_event)'],
  [linux.EPOLL_DATA_OFFSET, 'offsetof(struct epoll_event, data)'],
  [linux.POLL_WRITABLE, 'POLLOUT'],
  [linux.CONTROL_HEADER_SIZE, 'sizeof(struct cmsghdr)'],
  [linux.ExtendedError.errno, 'offsetof(struct sock_extended_err, ee_errno)'],
  [linux.ExtendedError.origin, 'offsetof(struct sock_extended_err, ee_origin)'],
  [linux.ERROR_ORIGIN_ICMP, 'SO_EE_ORIGIN_ICMP'],
  [linux.ERROR_ORIGIN_ICMP6, 'SO_EE_ORIGIN_ICMP6'],
  [Errno.notPermitted, 'EPERM'],
  [Errno.badSocket, 'EBADF'],
  [Errno.again, 'EAGAIN'],
  [Errno.accessDenied, 'EACCES'],
  [Errno.invalid, 'EINVAL'],
  [Errno.tooManyFilesInSystem, 'ENFILE'],
  [Errno.tooManyFiles, 'EMFILE'],
  [Errno.messageSize, 'EMSGSIZE'],
  [Errno.familyUnsupported, 'EAFNOSUPPORT'],
  [Errno.addressInUse, 'EADDRINUSE'],
  [Errno.addressAbsent, 'EADDRNOTAVAIL'],
  [Errno.networkUnreachable, 'ENETUNREACH'],
  [Errno.noBuffers, 'ENOBUFS'],
  [Errno.refused, 'ECONNREFUSED'],
  [Errno.hostUnreachable, 'EHOSTUNREACH'],
]

const headers = [
  'errno.h',
  'netinet/in.h',
  'poll.h',
  'stddef.h',
  'stdio.h',
  'sys/epoll.h',
  'sys/socket.h',
  'linux/errqueue.h',
  'linux/sock_diag.h',
]

it.runIf(requires('cc'))('agrees with the machine’s C headers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sipcast-layout-'))
  try {
    const prints = facts.map(([, name]) => `printf("%ld\\n", (long)(${name}));`)
    const includes = headers.map((header) => `#include <${header}>`)
    const lines = ['#define _GNU_SOURCE', ...includes, 'int main() {', ...prints, '}']
    writeFileSync(join(folder, 'facts.c'), `${lines.join('\n')}\n`)
    execFileSync('cc', ['-o', join(folder, 'facts'), join(folder, 'facts.c')])
    const said = execFileSync(join(folder, 'facts'), { encoding: 'utf8' }).trim().split('\n')
    expect(facts.map(([value, name]) => `${name} = ${value}`)).toEqual(
      facts.map(([, name], index) => `${name} = ${said[index]}`),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
