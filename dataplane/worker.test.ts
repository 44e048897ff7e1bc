import { DatagramBatch, type MemoryHost, MemoryNetwork, type UdpPort } from '@sipcast/net'
import { beforeEach, describe, expect, it } from 'vitest'
import { Counters } from './counters.ts'
import {
  bytesOf,
  endpoint,
  KEY_ID,
  PHONE,
  request,
  SHARED,
  table,
  textOf,
  userOf,
} from './forward.fixture.ts'
import { BIND_RETRY_MS } from './limits.ts'
import { PacketWorker } from './worker.ts'
import { SocketState, type WorkerConfig } from './worker-config.ts'
import { Verdict } from './verdict.ts'

let network: MemoryNetwork
let balancerHost: MemoryHost
let worker: PacketWorker
let counters: Counters
let nowMs: number
let phone: UdpPort
let phoneSocket: number
let registrar: UdpPort

beforeEach(async () => {
  network = new MemoryNetwork()
  nowMs = 1_000_000
  counters = new Counters()
  balancerHost = network.host(['203.0.113.10', '10.0.9.1'])
  worker = new PacketWorker({
    port: balancerHost.openPort({ blocking: true }),
    received: new DatagramBatch(16),
    sending: new DatagramBatch(16),
    counters,
    nowMs: () => nowMs,
  })
  phone = network.host(['198.51.100.7']).openPort({ blocking: true })
  phoneSocket = await phone.open({ address: '198.51.100.7', port: 40000 })
  registrar = network.host(['10.0.0.1']).openPort({ blocking: true })
  await registrar.open({ address: '10.0.0.1', port: 5060 })
})

function config(change: Partial<WorkerConfig> = {}, epoch = 1): WorkerConfig {
  const one = table({ epoch, sha256: `sum-${epoch}`, addresses: ['203.0.113.10'] })
  const memory = { dead: new SharedArrayBuffer(3), packets: new SharedArrayBuffer(24) }
  return {
    generation: epoch,
    pools: [{ table: one, ...memory }],
    keys: [{ id: KEY_ID, secret: new Uint8Array(16) }],
    inside: [{ address: '10.0.9.1', port: 5070 }],
    addresses: null,
    ...change,
  }
}

function say(text: string): void {
  const batch = new DatagramBatch(1)
  batch.append(phoneSocket, endpoint(SHARED), 0, bytesOf(text))
  phone.send(batch)
}

function heard(port: UdpPort): string[] {
  const batch = new DatagramBatch(16)
  port.receive(batch)
  return Array.from({ length: batch.count }, (_, index) => textOf(batch.payload(index)))
}

const hello = request('MESSAGE', { uri: `sip:${userOf(0)}@x` })

describe('PacketWorker', () => {
  it('forwards what comes in and counts it', async () => {
    await worker.configure(config())
    for (let i = 0; i < 20; i++) say(hello)
    expect(await worker.turn()).toBe(16)
    expect(await worker.turn()).toBe(4)
    const arrived = [...heard(registrar), ...heard(registrar)]
    expect(arrived).toHaveLength(20)
    expect(arrived[0]).toMatch(/^MESSAGE /)
    expect(counters.verdicts(Verdict.toOwner)).toBe(20)
    expect(counters.turns).toBe(2)
  })

  it('goes on through a new table without closing a socket', async () => {
    await worker.configure(config())
    say(hello)
    await worker.configure(config({}, 2))
    expect(await worker.turn()).toBe(1)
    expect(heard(registrar)).toHaveLength(1)
  })

  it('serves only the addresses it is told, stops serving what a config no longer names', async () => {
    await worker.configure(config({ addresses: ['203.0.113.99'] }))
    expect(worker.sockets().map(({ role }) => role)).toEqual(['inside'])
    await worker.configure(config())
    expect(worker.sockets().map(({ role, state }) => [role, state])).toEqual([
      ['outside', SocketState.bound],
      ['inside', SocketState.bound],
    ])
    await worker.configure(config({ pools: [] }))
    say(hello)
    expect(await worker.turn()).toBe(0)
  })

  it('reports a socket that cannot be bound, tries again, and serves the others meanwhile', async () => {
    const elsewhere = config()
    const absent = table({ addresses: ['203.0.113.10', '203.0.113.11'], sha256: 'x' })
    const pools = [{ ...elsewhere.pools[0]!, table: absent }]
    await worker.configure({ ...elsewhere, pools })
    const stateOf = (address: string): string =>
      worker.sockets().find((one) => one.address === address)!.state
    expect([stateOf('203.0.113.10'), stateOf('203.0.113.11')]).toEqual([
      SocketState.bound,
      SocketState.addressAbsent,
    ])
    say(hello)
    expect(await worker.turn()).toBe(1)

    const revision = worker.socketsRevision
    nowMs += BIND_RETRY_MS
    await worker.turn()
    expect(worker.socketsRevision, 'nothing new to say').toBe(revision)
    balancerHost.hold('203.0.113.11')
    nowMs += BIND_RETRY_MS
    await worker.turn()
    expect(stateOf('203.0.113.11')).toBe(SocketState.bound)
    expect(worker.socketsRevision).toBeGreaterThan(revision)
  })

  it('tries a socket again also when the clock was set back', async () => {
    const absent = table({ addresses: ['203.0.113.11'] })
    await worker.configure(config({ pools: [{ ...config().pools[0]!, table: absent }] }))
    balancerHost.hold('203.0.113.11')
    nowMs -= 3_600_000
    await worker.turn()
    expect(worker.sockets()[0]?.state).toBe(SocketState.bound)
  })

  it('hands over ICMP refusals with the proxy they name', async () => {
    registrar.shutdown()
    await worker.configure(config())
    say(hello)
    await worker.turn()
    const refused: string[] = []
    worker.takeRefusals((address, port, errno) => refused.push(`${address}:${port} ${errno}`))
    expect(refused).toEqual(['10.0.0.1:5060 111'])
  })

  it('hears the answer and brings it back to the phone', async () => {
    await worker.configure(config())
    say(hello)
    await worker.turn()
    const batch = new DatagramBatch(1)
    registrar.receive(batch)
    const answer = textOf(batch.payload(0)).replace(/^MESSAGE .*\r\n/, 'SIP/2.0 200 OK\r\n')
    const back = new DatagramBatch(1)
    back.append(batch.socket[0]!, batch.peer, 0, bytesOf(answer))
    registrar.send(back)
    await worker.turn()
    expect(heard(phone)[0]).toMatch(/^SIP\/2\.0 200 OK\r\nVia: SIP\/2\.0\/UDP 192\.168\.1\.5/)
    expect(PHONE).toContain('198.51.100.7')
  })
})
