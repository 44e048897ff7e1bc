import { afterEach, describe, expect, it } from 'vitest'
import { requires } from '../../../test/requires.ts'
import { addressOf, loadLibc } from './libc.ts'
import { IpOption, Ipv6Option, Level, SocketOption } from './linux.ts'
import { kernelDrops, type OpenSocket, openSocket } from './socket.ts'

const libc = loadLibc()
const opened: OpenSocket[] = []

afterEach(() => {
  for (const { fd } of opened.splice(0)) libc.close(fd)
})

describe('a socket', () => {
  it('never sets DF and queues ICMP errors', () => {
    const { fd } = open('127.0.0.1')
    expect(option(fd, Level.ip, IpOption.mtuDiscover)).toBe(0)
    expect(option(fd, Level.ip, IpOption.receiveErrors)).toBe(1)
    expect(option(fd, Level.socket, SocketOption.reusePort)).toBe(0)
  })

  it.runIf(requires('ipv6'))('of IPv6 does the same, and hears no IPv4', () => {
    const { fd } = open('::1')
    expect(option(fd, Level.ipv6, Ipv6Option.mtuDiscover)).toBe(0)
    expect(option(fd, Level.ipv6, Ipv6Option.receiveErrors)).toBe(1)
    expect(option(fd, Level.ipv6, Ipv6Option.v6Only)).toBe(1)
  })

  it('gets the buffers it asks for, as far as the kernel lets it', () => {
    const sizes = { receiveBufferBytes: 50_000, sendBufferBytes: 60_000 }
    const socket = openSocket(libc, { address: '127.0.0.1', port: 0, ...sizes })
    opened.push(socket)
    // The kernel doubles them, for its bookkeeping (socket(7)).
    expect(option(socket.fd, Level.socket, SocketOption.receiveBuffer)).toBe(100_000)
    expect(option(socket.fd, Level.socket, SocketOption.sendBuffer)).toBe(120_000)
  })

  it('starts without drops', () => {
    expect(kernelDrops(libc, open('127.0.0.1').fd)).toBe(0)
  })

  it('leaves no descriptor behind when it cannot be bound', () => {
    const before = open('127.0.0.1').fd
    for (let turn = 0; turn < 20; turn++) {
      expect(() => openSocket(libc, { address: '192.0.2.254', port: 0 })).toThrow('EADDRNOTAVAIL')
    }
    expect(open('127.0.0.1').fd).toBeLessThan(before + 10)
  })
})

function open(address: string): OpenSocket {
  const socket = openSocket(libc, { address, port: 0 })
  opened.push(socket)
  return socket
}

function option(fd: number, level: number, name: number): number {
  const words = new Int32Array(new ArrayBuffer(8))
  words[1] = 4
  const address = addressOf(words)
  expect(libc.getsockopt(fd, level, name, address, address + 4)).toBe(0)
  return words[0]!
}
