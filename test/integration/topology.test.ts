/**
 * The lab's little internet does what its users rely on: spreading datagrams, keeping fragments together,
 * NATs of the worst kind.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Node,
  SHARED_IPV4,
  SHARED_IPV6,
  Topology,
  namespacesUnavailable,
  openSocket,
} from '@sipcast/lab'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'

describe.runIf(requires({ missing: await namespacesUnavailable() })).each([
  { version: 'ipv4' as const, shared: SHARED_IPV4 },
  { version: 'ipv6' as const, shared: SHARED_IPV6 },
])('$version', ({ version, shared }) => {
  interface Arrival {
    readonly at: string
    readonly length: number
    readonly from: string
    readonly port: number
  }
  let topology: Topology
  let arrivals: Arrival[] = []

  beforeAll(async () => {
    topology = await Topology.create({ balancers: 2, registrars: 1, homes: 2 })
    for (const node of topology.balancers) await listen(node, shared)
    for (const node of topology.registrars) await listen(node, node[version])
  })
  beforeEach(() => {
    arrivals = []
  })
  afterAll(async () => {
    await topology?.close()
  })

  async function listen(node: Node, address: string): Promise<void> {
    const socket = await openSocket(address, 5060, node.namespace)
    socket.on('message', (bytes, { address: from, port }) => {
      arrivals.push({ at: node.name, length: bytes.length, from, port })
      socket.send(bytes.subarray(0, 4), port, from)
    })
  }

  async function send(from: Node, to: string, count: number, length: number): Promise<number> {
    const socket = await openSocket(from[version], 0, from.namespace)
    let answers = 0
    socket.on('message', () => answers++)
    for (let sent = 0; sent < count; sent++) {
      socket.send('x'.repeat(length), 5060, to)
      await sleep(2)
    }
    await sleep(100)
    socket.close()
    return answers
  }

  test('datagrams to the shared address are spread over the balancers, all are answered', async () => {
    expect(await send(topology.homes[0] as Node, shared, 40, 100)).toBe(40)
    expect(new Set(arrivals.map(({ at }) => at))).toEqual(new Set(['balancer-0', 'balancer-1']))
  })

  test('fragments of a datagram stay together', async () => {
    expect(await send(topology.gateway, shared, 40, 4000)).toBe(40)
    expect(arrivals.every(({ length }) => length === 4000)).toBe(true)
    expect(new Set(arrivals.map(({ at }) => at)).size).toBe(2)
  })

  test('a withdrawn balancer gets nothing', async () => {
    await topology.spreadOver(topology.balancers.slice(1))
    expect(await send(topology.homes[0] as Node, shared, 20, 100)).toBe(20)
    expect(new Set(arrivals.map(({ at }) => at))).toEqual(new Set(['balancer-1']))
    await topology.spreadOver(topology.balancers)
  })

  test('a NAT maps each destination to another port and lets nobody else in', async () => {
    const [home] = topology.homes as [Node]
    const registrar = topology.registrars[0] as Node
    const socket = await openSocket(home[version], 5060, home.namespace)
    const received: string[] = []
    socket.on('message', (bytes) => received.push(String(bytes)))
    for (const to of [shared, registrar[version]]) socket.send('abcd', 5060, to)
    await sleep(100)
    expect(received).toEqual(['abcd', 'abcd'])
    const [one, other] = arrivals as [Arrival, Arrival]
    expect(one.from).toBe(other.from)
    expect(one.port).not.toBe(other.port)
    expect(one.from).not.toBe(home[version])
    const stranger = await openSocket(topology.gateway[version], 0, topology.gateway.namespace)
    stranger.send('intruder', one.port, one.from)
    await sleep(100)
    expect(received).toHaveLength(2)
    for (const each of [socket, stranger]) each.close()
  })
})
