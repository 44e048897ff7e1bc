/**
 * What probing costs: 10 000 proxies at one probe a second from one thread (design 8).
 *
 *   node test/bench/probing/run.ts [SECONDS]
 */

import { argv, exit, threadCpuUsage } from 'node:process'
import { Worker } from 'node:worker_threads'
import { OptionsProber, openUdpPort, systemClock } from '@sipcast/net'

const TARGETS = 10_000
const WARM_UP_MS = 3000
const seconds = Number(argv[2] ?? 10)

const worker = new Worker(new URL('responder.ts', import.meta.url))
const at = await new Promise<number>((resolve) => void worker.once('message', resolve))

const port = openUdpPort({ skin: 'ffi', blocking: false })
const socket = await port.open({ address: '127.0.0.1', port: 0, receiveBufferBytes: 4 << 20 })
const sentBy = `127.0.0.1:${port.localPort(socket)}`
const outcomes = new Map<string, number>()
const rtts: number[] = []
const prober = new OptionsProber({
  port,
  socketFor: (family) => (family === 4 ? { socket, sentBy } : null),
  clock: systemClock,
  random: Math.random,
  onResult: ({ outcome, rttMs }) => {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (rttMs !== null) rtts.push(rttMs)
  },
})
prober.setTargets(
  Array.from({ length: TARGETS }, (_, index) => ({
    id: `default/registrars/registrar-${index}`,
    address: `127.1.${index >> 8}.${index & 255}`,
    port: at,
    requestUri: null,
    from: null,
    intervalMs: 1000,
    timeoutMs: 800,
    acceptedCodes: ['2xx', '404', '405', '483'],
  })),
)
prober.start()
await pause(WARM_UP_MS)
outcomes.clear()
rtts.length = 0
const began = threadCpuUsage()
await pause(seconds * 1000)
const { user, system } = threadCpuUsage(began)
const probes = [...outcomes.values()].reduce((sum, count) => sum + count, 0)
rtts.sort((a, b) => a - b)
console.log(
  `${Math.round(probes / seconds)} probes/s: ${((user + system) / probes).toFixed(1)} µs each, ` +
    `${((user + system) / seconds / 10_000).toFixed(1)} % of a core; ` +
    `RTT p50 ${rtts[rtts.length >> 1]!.toFixed(2)} ms, p99 ${rtts[Math.floor(rtts.length * 0.99)]!.toFixed(2)} ms`,
  Object.fromEntries(outcomes),
)
exit(0)

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
