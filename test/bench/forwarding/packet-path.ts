/**
 * The balancer's packet path without sockets: bytes in, verdict and bytes out, in batches laid out as in production
 * (one arena for both). For making traffic, for measuring `forward` alone, and for fuzzing it.
 */
import { DatagramBatch } from '@sipcast/net'
import { formatEndpoint, KeyRing } from '@sipcast/sip'
import { forward } from '../../../dataplane/forward.ts'
import { Forwarder, OpenSocket } from '../../../dataplane/forwarder.ts'
import { Pool } from '../../../dataplane/pool.ts'
import { Verdict } from '../../../dataplane/verdict.ts'
import { endpoint, INSIDE, SHARED, workerConfig } from './setting.ts'

const BATCH_SIZE = 64
/** As in production but for the largest datagrams, which a test here has no use for. */
const SLOT_SIZE = 65_600

export class PacketPath {
  readonly forwarder = new Forwarder()
  readonly received: DatagramBatch
  readonly sending: DatagramBatch
  readonly pool: Pool
  readonly sockets: readonly OpenSocket[]

  constructor() {
    const half = BATCH_SIZE * SLOT_SIZE
    const bytes = new Uint8Array(new ArrayBuffer(2 * half))
    this.received = new DatagramBatch(BATCH_SIZE, { bytes, offset: 0, slotSize: SLOT_SIZE })
    this.sending = new DatagramBatch(BATCH_SIZE, { bytes, offset: half, slotSize: SLOT_SIZE })
    const { pools, keys } = workerConfig()
    const ring = new KeyRing()
    for (const { id, secret } of keys) ring.add(id, secret)
    this.pool = new Pool(pools[0]!)
    this.sockets = [
      new OpenSocket(0, this.pool, endpoint(SHARED)),
      new OpenSocket(1, null, endpoint(INSIDE)),
    ]
    this.forwarder.nowMs = Date.parse('2026-01-01T12:00:00.000Z')
    this.forwarder.use({ pools: [this.pool], keys: ring, sockets: this.sockets })
  }

  /** Appends a datagram to the batch received; `to` is SHARED or INSIDE. */
  arrive(from: Int32Array, to: string, bytes: Uint8Array): void {
    const isThere = this.received.append(to === SHARED ? 0 : 1, from, 0, bytes)
    if (!isThere) throw new Error('the batch is full')
  }

  /** Forwards the whole batch received. */
  forwardAll(): void {
    const { forwarder, received, sending } = this
    sending.clear()
    for (let index = 0; index < received.count; index++) {
      forward(forwarder, received, index, sending)
    }
  }

  /** One datagram as text, forwarded: where it goes and what. */
  relay(from: string, to: string, text: string): { readonly target: string; readonly out: string } {
    this.received.clear()
    this.sending.clear()
    this.arrive(endpoint(from), to, Buffer.from(text, 'latin1'))
    const verdict = forward(this.forwarder, this.received, 0, this.sending)
    if (verdict > Verdict.toSource) throw new Error(`not forwarded (verdict ${verdict}): ${text}`)
    const out = Buffer.from(this.sending.payload(0)).toString('latin1')
    return { target: formatEndpoint(this.sending.peer, 0), out }
  }
}
