/**
 * A wire-tap: every UDP packet to some addresses that passes a device, with the kernel's own time, by tcpdump. Of a
 * datagram in fragments the first one carries text, the others none. Not here: what the packets mean.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { guard } from '../process/guard.ts'
import { type Packet, PcapReader } from './pcap.ts'

export interface TapOptions {
  readonly namespace: string
  readonly device: string
  /** Of packets that pass in this direction. */
  readonly direction: 'in' | 'out'
  /** Packets to these only. */
  readonly to: readonly string[]
  /** So much of each; enough for what is looked at. */
  readonly bytes?: number
}

/** Ethernet, IPv6 and UDP headers. */
const HEADERS_BYTES = 70

/** Calls back with each packet, until the returned function is called. */
export async function tap(
  { namespace, device, direction, to, bytes = HEADERS_BYTES }: TapOptions,
  onPacket: (packet: Packet) => void,
): Promise<() => Promise<void>> {
  const what = to.map((address) => `dst host ${address}`).join(' or ')
  const how = ['-i', device, '-Q', direction, '-s', String(bytes), '-n', '-U', '-w', '-']
  const tcpdump = ['tcpdump', '--immediate-mode', ...how, `(${what})`]
  const child = spawn('ip', ['netns', 'exec', namespace, ...tcpdump], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (child.pid !== undefined) guard.watchGroup(child.pid)
  const exited = once(child, 'exit')
  let errors = ''
  const listening = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk
      if (errors.includes('listening on')) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`tcpdump on ${device}: ${errors.trim()}`)))
  })
  const reader = new PcapReader(onPacket)
  child.stdout.on('data', (chunk: Buffer) => reader.read(chunk))
  await listening
  return async () => {
    child.kill('SIGTERM')
    await exited
    if (child.pid !== undefined) guard.forgetGroup(child.pid)
  }
}
