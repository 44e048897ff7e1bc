/**
 * Reads what tcpdump writes: packets of Ethernet with IPv4 or IPv6. Pure. Anything else in it is passed over.
 *
 *   file     24 bytes: magic, version, …          record   16 bytes: s, µs, bytes kept, bytes of old
 *   frame    6 to · 6 from · 2 type               IPv4     4·IHL bytes: …, 6 offset, 9 protocol, 12 from, 16 to
 *   IPv6     40 bytes: …, 6 next, 8 from, 24 to   UDP      8 bytes: from, to, length, sum
 */

export interface Packet {
  /** On the clock of Date.now(), with fractions. */
  readonly atMs: number
  /** The station that it is for, `aa:bb:cc:dd:ee:ff`. */
  readonly station: string
  readonly isIPv6: boolean
  /** What UDP carries, as far as it was kept; empty in all fragments but the first. */
  readonly text: string
}

const FILE_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const FRAME_HEADER_BYTES = 14
const IPV6_HEADER_BYTES = 40
const FRAGMENT_HEADER_BYTES = 8
const UDP_HEADER_BYTES = 8
const MAGIC_OF_MICROSECONDS = 0xa1b2c3d4

const EtherType = { ipv4: 0x0800, ipv6: 0x86dd } as const
const Protocol = { udp: 17, ipv6Fragment: 44 } as const

export class PcapReader {
  readonly #onPacket: (packet: Packet) => void
  #rest = Buffer.alloc(0)
  #isOpened = false

  constructor(onPacket: (packet: Packet) => void) {
    this.#onPacket = onPacket
  }

  read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (!this.#isOpened && bytes.length >= FILE_HEADER_BYTES) {
      if (bytes.readUInt32LE(0) !== MAGIC_OF_MICROSECONDS)
        throw new Error('not what tcpdump writes')
      bytes = bytes.subarray(FILE_HEADER_BYTES)
      this.#isOpened = true
    }
    while (this.#isOpened && bytes.length >= RECORD_HEADER_BYTES) {
      const end = RECORD_HEADER_BYTES + bytes.readUInt32LE(8)
      if (bytes.length < end) break
      const atMs = bytes.readUInt32LE(0) * 1_000 + bytes.readUInt32LE(4) / 1_000
      const packet = packetOf(atMs, bytes.subarray(RECORD_HEADER_BYTES, end))
      if (packet !== null) this.#onPacket(packet)
      bytes = bytes.subarray(end)
    }
    this.#rest = Buffer.from(bytes)
  }
}

function packetOf(atMs: number, frame: Buffer): Packet | null {
  if (frame.length < FRAME_HEADER_BYTES) return null
  const type = frame.readUInt16BE(12)
  const station = frame.toString('hex', 0, 6).replaceAll(/..(?!$)/g, '$&:')
  const bytes = frame.subarray(FRAME_HEADER_BYTES)
  if (type === EtherType.ipv4) return { atMs, station, isIPv6: false, text: textOfIPv4(bytes) }
  if (type === EtherType.ipv6) return { atMs, station, isIPv6: true, text: textOfIPv6(bytes) }
  return null
}

function textOfIPv4(packet: Buffer): string {
  const isLater = (packet.readUInt16BE(6) & 0x1fff) !== 0
  if (isLater || packet[9] !== Protocol.udp) return ''
  return packet.toString('latin1', ((packet[0] ?? 0) & 0xf) * 4 + UDP_HEADER_BYTES)
}

function textOfIPv6(packet: Buffer): string {
  if (packet[6] === Protocol.udp) {
    return packet.toString('latin1', IPV6_HEADER_BYTES + UDP_HEADER_BYTES)
  }
  const isFragment = packet[6] === Protocol.ipv6Fragment
  const fragment = packet.subarray(IPV6_HEADER_BYTES)
  const isFirst = isFragment && fragment.length >= 4 && fragment.readUInt16BE(2) >> 3 === 0
  if (!isFirst || fragment[0] !== Protocol.udp) return ''
  return fragment.toString('latin1', FRAGMENT_HEADER_BYTES + UDP_HEADER_BYTES)
}
