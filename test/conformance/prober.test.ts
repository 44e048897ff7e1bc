/** The prober through the FFI port against real sockets: answers, refusals, a proxy that dies and comes back. */

import { createSocket, type Socket } from 'node:dgram'
import {
  OptionsProber,
  openUdpPort,
  type ProbeResult,
  systemClock,
  type UdpPort,
} from '@sipcast/net'
import { afterEach, beforeEach, expect, it } from 'vitest'

let port: UdpPort
let prober: OptionsProber
let results: ProbeResult[]
const responders: Socket[] = []

beforeEach(async () => {
  results = []
  port = openUdpPort({ skin: 'ffi', blocking: false })
  const socket = await port.open({ address: '127.0.0.1', port: 0 })
  const sentBy = `127.0.0.1:${port.localPort(socket)}`
  prober = new OptionsProber({
    port,
    socketFor: (family) => (family === 4 ? { socket, sentBy } : null),
    clock: systemClock,
    random: Math.random,
    onResult: (result) => void results.push(result),
  })
})

afterEach(async () => {
  await prober.stop()
  port.shutdown()
  for (const responder of responders.splice(0)) responder.close()
})

it('tells living proxies from dead ones within milliseconds', async () => {
  const alive = await respond(0)
  const dead = await respond(0)
  responders.pop()!.close()
  prober.setTargets([target('alive', alive), target('dead', dead)])
  prober.start()
  await expect.poll(() => results.length, { timeout: 5000 }).toBeGreaterThan(40)
  for (const { id, outcome, rttMs, statusCode } of results) {
    expect(outcome).toBe(id === 'alive' ? 'accepted' : 'refused')
    expect(statusCode).toBe(id === 'alive' ? 200 : null)
    if (rttMs !== null) expect(rttMs).toBeLessThan(500)
  }
})

it('sees a proxy die and come back', async () => {
  const at = await respond(0)
  prober.setTargets([target('proxy', at)])
  prober.start()
  const last = () => results.at(-1)?.outcome
  await expect.poll(last).toBe('accepted')
  responders.pop()!.close()
  await expect.poll(last).toBe('refused')
  await respond(at)
  await expect.poll(last).toBe('accepted')
})

it('reports nothing any more once stopped', async () => {
  prober.setTargets([target('proxy', await respond(0))])
  prober.start()
  await expect.poll(() => results.length).toBeGreaterThan(0)
  await prober.stop()
  const count = results.length
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(results.length).toBe(count)
  prober.start()
  await expect.poll(() => results.length).toBeGreaterThan(count)
})

function target(id: string, at: number) {
  return {
    id,
    address: '127.0.0.1',
    port: at,
    requestUri: null,
    from: null,
    intervalMs: 20,
    timeoutMs: 20,
    acceptedCodes: ['2xx'],
  }
}

/** Answers every OPTIONS with 200; resolves to its port. */
async function respond(at: number): Promise<number> {
  const responder = createSocket('udp4')
  responders.push(responder)
  responder.on('message', (request, { port: sourcePort, address }) => {
    const answer = request
      .toString('latin1')
      .replace(/^OPTIONS .* SIP\/2\.0/, 'SIP/2.0 200 OK')
      .replace(/;rport/, `;rport=${sourcePort};received=${address}`)
    responder.send(answer, sourcePort, address)
  })
  await new Promise<void>((resolve) => responder.bind(at, '127.0.0.1', resolve))
  return responder.address().port
}
