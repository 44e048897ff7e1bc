/** A prober on a memory network with proxies that answer as told, all by one clock moved by hand. */

import { ENDPOINT_WORDS, parseEndpointText } from '@sipcast/sip'
import { ManualClock } from './clock.ts'
import { DatagramBatch } from './datagram-batch.ts'
import { type Fate, MemoryNetwork } from './memory-network.ts'
import type { ProbeResult, ProbeTarget } from './probe.ts'
import { OptionsProber } from './prober.ts'
import type { UdpPort } from './udp-port.ts'

export const PROBER_ADDRESS = '10.0.0.1'
const PROBER_ADDRESS_IPV6 = 'fd00::1'
const PROBER_PORT = 5070

/** What a proxy sends back to a request, after so many ms; several, or none. */
export type Manner = (
  request: string,
) => readonly { readonly text: string; readonly afterMs: number }[]

export interface Reported extends ProbeResult {
  readonly atMs: number
}

export class ProberTrial {
  readonly clock = new ManualClock(1000)
  readonly network: MemoryNetwork
  readonly prober: OptionsProber
  readonly results: Reported[] = []
  /** Called with every result, before it is kept. */
  onResult: (result: ProbeResult) => void = () => {}
  hasSocket = true
  readonly #proxies: Proxy[] = []

  constructor(fate: Fate = () => [0]) {
    this.network = new MemoryNetwork({ clock: this.clock, fate })
    const port = this.network.host([PROBER_ADDRESS, PROBER_ADDRESS_IPV6]).openPort()
    const sockets = {
      4: { socket: port.open({ address: PROBER_ADDRESS, port: PROBER_PORT }) as number },
      6: { socket: port.open({ address: PROBER_ADDRESS_IPV6, port: PROBER_PORT }) as number },
    }
    this.prober = new OptionsProber({
      port,
      socketFor: (family) => {
        const sentBy = family === 4 ? `${PROBER_ADDRESS}:5070` : `[${PROBER_ADDRESS_IPV6}]:5070`
        return this.hasSocket ? { ...sockets[family], sentBy } : null
      },
      clock: this.clock,
      random: pseudoRandom(1),
      onResult: (result) => {
        this.onResult(result)
        this.results.push({ ...result, atMs: this.clock.nowMs() })
      },
    })
  }

  /** A machine that holds the addresses; `manner` answers on port 5060 of the first, if given. */
  proxy(addresses: readonly string[], manner?: Manner): Proxy {
    const host = this.network.host(addresses)
    const proxy = new Proxy(this.clock, host.openPort(), addresses[0]!, manner)
    this.#proxies.push(proxy)
    return proxy
  }

  /** Lets so much time pass, everybody acting at their due time. */
  run(ms: number): void {
    const endMs = this.clock.nowMs() + ms
    for (;;) {
      const stepMs = this.prober.step()
      for (const proxy of this.#proxies) proxy.turn()
      const nowMs = this.clock.nowMs()
      if (nowMs >= endMs) return
      const timerMs = (this.clock.nextTimerMs() ?? endMs) - nowMs
      this.clock.advance(Math.min(stepMs, timerMs, endMs - nowMs))
    }
  }

  /** Lets time pass in which the prober does nothing. */
  stall(ms: number): void {
    for (let passed = 0; passed < ms; passed++) {
      for (const proxy of this.#proxies) proxy.turn()
      this.clock.advance(1)
    }
  }

  outcomes(id: string): string[] {
    return this.results.filter((result) => result.id === id).map(({ outcome }) => outcome)
  }
}

export class Proxy {
  manner: Manner | undefined
  readonly requests: { readonly text: string; readonly atMs: number }[] = []
  readonly #clock: ManualClock
  readonly #port: UdpPort
  readonly #batch = new DatagramBatch(64, {
    bytes: new Uint8Array(1 << 18),
    offset: 0,
    slotSize: 4096,
  })

  constructor(clock: ManualClock, port: UdpPort, address: string, manner: Manner | undefined) {
    this.#clock = clock
    this.#port = port
    this.manner = manner
    if (manner !== undefined) void port.open({ address, port: 5060 })
  }

  close(): void {
    this.#port.shutdown()
  }

  turn(): void {
    for (;;) {
      this.#batch.clear()
      if (this.#port.receive(this.#batch) === 0) return
      for (let index = 0; index < this.#batch.count; index++) this.#answer(index)
    }
  }

  #answer(index: number): void {
    const text = Buffer.from(this.#batch.payload(index)).toString('latin1')
    this.requests.push({ text, atMs: this.#clock.nowMs() })
    const at = index * ENDPOINT_WORDS
    const peer = this.#batch.peer.slice(at, at + ENDPOINT_WORDS)
    const socket = this.#batch.socket[index]!
    for (const { text: answer, afterMs } of this.manner?.(text) ?? []) {
      const send = () => {
        const batch = new DatagramBatch(1, {
          bytes: new Uint8Array(4096),
          offset: 0,
          slotSize: 4096,
        })
        batch.append(socket, peer, 0, Buffer.from(answer, 'latin1'))
        this.#port.send(batch)
      }
      if (afterMs === 0) send()
      else this.#clock.setTimer(afterMs, send)
    }
  }
}

/** Answers with this status after so long. */
export function answering(status: string, afterMs = 0, headers = ''): Manner {
  return (request) => [{ text: answerTo(request, status, headers), afterMs }]
}

export const silent: Manner = () => []

/** What RFC 3261 §8.2.6.2 asks for, and `headers`: whole lines. */
export function answerTo(request: string, status: string, headers = ''): string {
  const copied = request
    .split('\r\n')
    .filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line))
    .map((line) => (/^To:/i.test(line) ? `${line};tag=proxy` : line))
  return `SIP/2.0 ${status}\r\n${copied.join('\r\n')}\r\n${headers}Content-Length: 0\r\n\r\n`
}

export function target(
  id: string,
  address: string,
  changes: Partial<ProbeTarget> = {},
): ProbeTarget {
  return {
    id,
    address,
    port: 5060,
    requestUri: null,
    from: null,
    intervalMs: 500,
    timeoutMs: 400,
    acceptedCodes: ['2xx', '404', '405', '483'],
    ...changes,
  }
}

export function endpointWords(text: string): Int32Array {
  const words = new Int32Array(ENDPOINT_WORDS)
  if (!parseEndpointText(text, words, 0)) throw new Error(`no endpoint: ${text}`)
  return words
}

/** mulberry32. */
export function pseudoRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
