/**
 * What every skin of the UDP port keeps to, run over all of them: FFI (blocking and on the event
 * loop), dgram and memory. Skins differ only where their capabilities say so.
 */

import { MemoryNetwork, openUdpPort, type UdpPort } from '@sipcast/net'
import { describe } from 'vitest'
import { requires } from '../requires.ts'
import { drops } from './udp-port/drops.ts'
import { fairness } from './udp-port/fairness.ts'
import { opening } from './udp-port/opening.ts'
import { refusals } from './udp-port/refusals.ts'
import { sendErrors } from './udp-port/send-errors.ts'
import { transfer } from './udp-port/transfer.ts'
import { type Family, Trial } from './udp-port/trial.ts'
import { waiting } from './udp-port/waiting.ts'

const host = new MemoryNetwork().host(['127.0.0.1', '::1'])
const skins: Readonly<Record<string, () => UdpPort>> = {
  'ffi, blocking': () => openUdpPort({ skin: 'ffi', blocking: true }),
  'ffi, event loop': () => openUdpPort({ skin: 'ffi', blocking: false }),
  dgram: () => openUdpPort({ skin: 'dgram', blocking: false }),
  memory: () => host.openPort(),
}

const families: readonly Family[] = [
  { name: 'IPv4', loopback: '127.0.0.1', absent: '192.0.2.254' },
  { name: 'IPv6', loopback: '::1', absent: '2001:db8::fe' },
]

const suites = { opening, transfer, fairness, sendErrors, refusals, waiting, drops }

const hasIPv6 = requires('ipv6')

for (const [skin, open] of Object.entries(skins)) {
  for (const family of families) {
    describe.runIf(family.name === 'IPv4' || hasIPv6)(`${skin}, ${family.name}`, () => {
      const trial = new Trial(family, open)
      for (const [title, suite] of Object.entries(suites)) describe(title, () => suite(trial))
    })
  }
}
