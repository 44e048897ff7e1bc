import { ENDPOINT_WORDS } from '@sipcast/sip'
import { beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from './clock.ts'
import { DatagramBatch } from './datagram-batch.ts'
import { Errno } from './errno.ts'
import { impaired } from './impairment.ts'
import { MemoryNetwork } from './memory-network.ts'
import { endpointWords, pseudoRandom } from './prober.fixture.ts'
import { RefusalBatch } from './refusal-batch.ts'
import type { BlockingUdpPort } from './udp-port.ts'

let clock: ManualClock
let network: MemoryNetwork

beforeEach(() => {
  clock = new ManualClock()
  network = new MemoryNetwork({ clock })
})

describe('an anycast address', () => {
  const anycast = '203.0.113.10'

  it('is spread over its holders, every flow staying with one', () => {
    const holders = [openOn(['10.0.0.1', anycast]), openOn(['10.0.0.2', anycast])]
    for (const holder of holders) holder.open({ address: anycast, port: 5060 })
    const phone = openOn(['198.51.100.1'])
    const sockets = Array.from({ length: 40 }, (_, index) =>
      phone.open({ address: '198.51.100.1', port: 6000 + index }),
    )
    const counts = [0, 0]
    for (const socket of sockets) {
      sendText(phone, socket, `${anycast}:5060`, 'one')
      sendText(phone, socket, `${anycast}:5060`, 'two')
      for (const [index, holder] of holders.entries()) {
        const heard = receiveAll(holder)
        expect([0, 2]).toContain(heard.length)
        counts[index]! += heard.length
      }
    }
    expect(counts[0]! + counts[1]!).toBe(80)
    expect(Math.min(...counts)).toBeGreaterThan(20)
  })

  it('is reached locally by a host that holds it itself', () => {
    const [here, there] = [openOn(['10.0.0.1', anycast]), openOn(['10.0.0.2', anycast])]
    for (const port of [here, there]) port.open({ address: anycast, port: 5060 })
    const proxy = here.open({ address: '10.0.0.1', port: 5080 })
    for (let turn = 0; turn < 20; turn++) sendText(here, proxy, `${anycast}:5060`, 'x')
    expect(receiveAll(here).length).toBe(20)
    expect(receiveAll(there)).toEqual([])
  })

  it('moves to the other holders when one lets go of it', () => {
    const first = network.host(['10.0.0.1', anycast])
    const port = first.openPort({ blocking: true })
    port.open({ address: anycast, port: 5060 })
    const second = openOn(['10.0.0.2', anycast])
    second.open({ address: anycast, port: 5060 })
    first.release(anycast)
    const phone = openOn(['198.51.100.1'])
    const socket = phone.open({ address: '198.51.100.1', port: 6000 })
    sendText(phone, socket, `${anycast}:5060`, 'x')
    expect(receiveAll(second)).toEqual(['x'])
    first.hold(anycast)
    expect(() => port.open({ address: anycast, port: 5060 })).toThrow('EADDRINUSE')
  })
})

describe('errors', () => {
  it('of a closed port come at once, of an absent host after the ARP timeout', () => {
    openOn(['10.0.0.2'])
    const port = openOn(['10.0.0.1'])
    const socket = port.open({ address: '10.0.0.1', port: 0 })
    sendText(port, socket, '10.0.0.2:5060', 'x')
    sendText(port, socket, '10.0.0.3:5060', 'x')
    const refused = new RefusalBatch(8)
    expect(port.refusals(refused)).toBe(1)
    expect(refused.errno[0]).toBe(Errno.refused)
    clock.advance(3059)
    expect(port.refusals(refused)).toBe(0)
    clock.advance(1)
    expect(port.refusals(refused)).toBe(1)
    expect(refused.errno[1]).toBe(Errno.hostUnreachable)
    expect([...refused.peer.subarray(5, 10)]).toEqual([...endpointWords('10.0.0.3:5060')])
  })

  it('are none where the network is told so, nor for a socket that is closed', () => {
    network = new MemoryNetwork({ clock, refuses: false })
    openOn(['10.0.0.2'])
    const port = openOn(['10.0.0.1'])
    const socket = port.open({ address: '10.0.0.1', port: 0 })
    sendText(port, socket, '10.0.0.2:5060', 'x')
    expect(port.refusals(new RefusalBatch(1))).toBe(0)
    expect(port.wait(10)).toBe(false)
  })
})

describe('fate', () => {
  it('delays, duplicates and loses', () => {
    const delays = [[5], [], [1, 9], [0]]
    network.fate = () => delays.shift()!
    const port = openOn(['10.0.0.1'])
    const socket = port.open({ address: '10.0.0.1', port: 5060 })
    for (const text of ['late', 'lost', 'twice', 'now']) {
      sendText(port, socket, '10.0.0.1:5060', text)
    }
    expect(receiveAll(port)).toEqual(['now'])
    clock.advance(5)
    expect(receiveAll(port)).toEqual(['twice', 'late'])
    clock.advance(10)
    expect(receiveAll(port)).toEqual(['twice'])
  })

  it('of the impaired kind is the same for the same random numbers', () => {
    const impairment = { loss: 0.2, duplicate: 0.1, delayMinMs: 2, delayMaxMs: 6 }
    const flight = {
      source: new Int32Array(5),
      target: new Int32Array(5),
      payload: new Uint8Array(0),
    }
    const [one, two] = [3, 3].map((seed) => {
      const fate = impaired(impairment, pseudoRandom(seed))
      return Array.from({ length: 2000 }, () => fate(flight))
    })
    expect(one).toEqual(two)
    const lost = one!.filter((copies) => copies.length === 0).length
    const doubled = one!.filter((copies) => copies.length === 2).length
    expect(lost).toBeGreaterThan(300)
    expect(lost).toBeLessThan(500)
    expect(doubled).toBeGreaterThan(100)
    for (const delayMs of one!.flat()) expect(delayMs >= 2 && delayMs < 6).toBe(true)
  })
})

describe('wildcards', () => {
  it('hear what no closer socket does, and send from the host’s address', () => {
    const port = openOn(['10.0.0.1', 'fd00::1'])
    const any = port.open({ address: '0.0.0.0', port: 5060 })
    const exact = openOn(['10.0.0.2'])
    const socket = exact.open({ address: '10.0.0.2', port: 7000 })
    sendText(exact, socket, '10.0.0.1:5060', 'hello')
    expect(receiveAll(port)).toEqual(['hello'])
    sendText(port, any, '10.0.0.2:7000', 'back')
    const batch = new DatagramBatch(1)
    exact.receive(batch)
    expect([...batch.peer]).toEqual([...endpointWords('10.0.0.1:5060')])
    expect(() => port.open({ address: '10.0.0.1', port: 5060 })).toThrow('EADDRINUSE')
    expect(port.open({ address: '::', port: 5060 })).toBeGreaterThan(0)
  })
})

function openOn(addresses: readonly string[]): BlockingUdpPort {
  return network.host(addresses).openPort({ blocking: true })
}

function sendText(port: BlockingUdpPort, socket: number, to: string, text: string): void {
  const batch = new DatagramBatch(1)
  batch.append(socket, endpointWords(to), 0, Buffer.from(text))
  expect(port.send(batch)).toBe(1)
  expect(batch.peer.length).toBe(ENDPOINT_WORDS)
}

function receiveAll(port: BlockingUdpPort): string[] {
  const batch = new DatagramBatch(32)
  port.receive(batch)
  return Array.from({ length: batch.count }, (_, index) =>
    Buffer.from(batch.payload(index)).toString(),
  )
}
