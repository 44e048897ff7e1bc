export { type BatchArena, DatagramBatch, SLOT_SIZE_DEFAULT } from './datagram-batch.ts'
export { Errno } from './errno.ts'
export { openFfiPort } from './ffi/ffi-port.ts'
export { RefusalBatch } from './refusal-batch.ts'
export {
  type BlockingUdpPort,
  type SocketOptions,
  type UdpCapabilities,
  UdpError,
  UdpErrorCode,
  type UdpPort,
} from './udp-port.ts'
