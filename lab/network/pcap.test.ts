import { expect, test } from 'vitest'
import { type Packet, PcapReader } from './pcap.ts'

const STATION = 'aa:bb:cc:00:11:22'

function file(...frames: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4)
  return Buffer.concat([header, ...frames.map(record)])
}

function record(frame: Buffer): Buffer {
  const header = Buffer.alloc(16)
  header.writeUInt32LE(1_700_000_000, 0)
  header.writeUInt32LE(250_500, 4)
  header.writeUInt32LE(frame.length, 8)
  return Buffer.concat([header, frame])
}

function ethernet(type: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const header = Buffer.alloc(14)
  Buffer.from(STATION.replaceAll(':', ''), 'hex').copy(header)
  header.writeUInt16BE(type, 12)
  return Buffer.concat([header, ...parts.map((part) => Buffer.from(part))])
}

function ipv4(offset: number): Buffer {
  const header = Buffer.alloc(20)
  header[0] = 0x45
  header[9] = 17
  header.writeUInt16BE(offset, 6)
  return header
}

function ipv6(next: number): Buffer {
  const header = Buffer.alloc(40)
  header[6] = next
  return header
}

const udp = Buffer.alloc(8)

function read(bytes: Buffer, chunk = bytes.length): readonly Packet[] {
  const packets: Packet[] = []
  const reader = new PcapReader((packet) => packets.push(packet))
  for (let at = 0; at < bytes.length; at += chunk) reader.read(bytes.subarray(at, at + chunk))
  return packets
}

test('packets of both IP versions, however they arrive', () => {
  const bytes = file(
    ethernet(0x0800, ipv4(0), udp, 'INVITE'),
    ethernet(0x86dd, ipv6(17), udp, 'BYE'),
  )
  const wanted = [
    { atMs: 1_700_000_000_250.5, station: STATION, isIPv6: false, text: 'INVITE' },
    { atMs: 1_700_000_000_250.5, station: STATION, isIPv6: true, text: 'BYE' },
  ]
  for (const chunk of [bytes.length, 7, 1]) expect(read(bytes, chunk)).toEqual(wanted)
})

test('of a datagram in fragments the first has the text', () => {
  const first = Buffer.from([17, 0, 0, 1, 0, 0, 0, 9])
  const later = Buffer.from([17, 0, 5, 0xa8, 0, 0, 0, 9])
  const bytes = file(
    ethernet(0x0800, ipv4(0x2000), udp, 'INVITE'),
    ethernet(0x0800, ipv4(0x00b9), 'the rest'),
    ethernet(0x86dd, ipv6(44), first, udp, 'INVITE'),
    ethernet(0x86dd, ipv6(44), later, 'the rest'),
  )
  expect(read(bytes).map(({ text }) => text)).toEqual(['INVITE', '', 'INVITE', ''])
})

test('what is no IP is passed over', () => {
  expect(read(file(ethernet(0x0806, 'who has'), Buffer.alloc(3)))).toEqual([])
})
