/**
 * Batched UDP with three skins (FFI, `node:dgram`, memory), and the prober that asks proxies for OPTIONS.
 */
export { type Clock, ManualClock, systemClock } from './clock.ts'
export { type BatchArena, DatagramBatch, SLOT_SIZE_DEFAULT } from './datagram-batch.ts'
export { openDgramPort } from './dgram-port.ts'
export { Errno, isAboutPeer } from './errno.ts'
export { openFfiPort } from './ffi/ffi-port.ts'
export { trimMemory } from './ffi/libc.ts'
export { OpenDescriptors } from './ffi/open-descriptors.ts'
export type { Flight } from './flight.ts'
export { type Impairment, impaired } from './impairment.ts'
export type { MemoryHost } from './memory-host.ts'
export { type Fate, MemoryNetwork, type MemoryNetworkOptions } from './memory-network.ts'
export { openUdpPort, type UdpPortOptions } from './open-udp-port.ts'
export { ProbeOutcome, type ProbeResult, type ProbeTarget } from './probe.ts'
export {
  OptionsProber,
  type OptionsProberOptions,
  PROBE_TARGETS_MAX,
  type ProbeSocket,
} from './prober.ts'
export { RefusalBatch } from './refusal-batch.ts'
export {
  type BlockingUdpPort,
  type SocketOptions,
  type UdpCapabilities,
  UdpError,
  UdpErrorCode,
  type UdpPort,
} from './udp-port.ts'
