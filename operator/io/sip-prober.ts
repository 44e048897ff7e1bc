/**
 * The operator's OPTIONS probes: one batched socket per IP version, on any port of the machine's own.
 * Not here: the probing itself (@sipcast/net), what a result means (probes.ts).
 * Invariant: without a socket of a proxy's IP version it is not probed: our own trouble is no evidence against it.
 */
import { randomFillSync } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import {
  OptionsProber,
  openUdpPort,
  type ProbeResult,
  type ProbeSocket,
  type ProbeTarget,
  UdpError,
  type UdpPort,
} from '@sipcast/net'
import { SOCKET_RETRY_MS } from '../limits.ts'
import type { Clock, Prober, Tell } from '../ports.ts'

type Family = 4 | 6

const ANY: Readonly<Record<Family, string>> = { 4: '0.0.0.0', 6: '::' }
const LOOPBACK: Readonly<Record<Family, string>> = { 4: '127.0.0.1', 6: '[::1]' }

/** Room for the answers to a crowd of probes. */
const RECEIVE_BUFFER_BYTES = 4 << 20

export class SipProber implements Prober {
  readonly #clock: Clock
  readonly #tell: Tell
  readonly #port: UdpPort = openUdpPort({ skin: 'auto', blocking: false })
  readonly #sockets = new Map<Family, ProbeSocket>()
  readonly #prober: OptionsProber
  #listener: (result: ProbeResult) => void = () => undefined
  /** For a socket of their IP version. */
  readonly #waiting = new Map<string, ProbeTarget>()
  #cancelRetry: () => void = () => undefined
  #told = new Set<Family>()

  constructor({ clock, tell }: { readonly clock: Clock; readonly tell: Tell }) {
    this.#clock = clock
    this.#tell = tell
    this.#prober = new OptionsProber({
      port: this.#port,
      socketFor: (family) => this.#sockets.get(family) ?? null,
      clock: { nowMs: () => clock.monotonicMs() },
      random: makeRandom(),
      onResult: (result) => this.#listener(result),
    })
  }

  async start(listener: (result: ProbeResult) => void): Promise<void> {
    this.#listener = listener
    if (!this.#port.capabilities.errorQueue) {
      const message = 'ICMP errors cannot be seen here, so a dead proxy is found by silence only'
      this.#tell({ level: 'warn', event: 'ProberWithoutRefusals', message })
    }
    await this.#openSockets()
    this.#prober.start()
  }

  async stop(): Promise<void> {
    this.#cancelRetry()
    this.#port.shutdown()
    await this.#prober.stop()
  }

  setTarget(target: ProbeTarget): boolean {
    const family = familyOf(target)
    this.#waiting.delete(target.id)
    if (this.#sockets.has(family)) return this.#prober.setTarget(target)
    this.#tellLacking(family)
    this.#prober.dropTarget(target.id)
    this.#waiting.set(target.id, target)
    return true
  }

  dropTarget(id: string): void {
    this.#waiting.delete(id)
    this.#prober.dropTarget(id)
  }

  probeNow(id: string): boolean {
    return this.#prober.probeNow(id)
  }

  async #openSockets(): Promise<void> {
    for (const family of [4, 6] as const) {
      if (!this.#sockets.has(family)) await this.#open(family)
    }
    this.#probeWaiting()
    if (this.#sockets.size === 2) return
    this.#cancelRetry = this.#clock.after(SOCKET_RETRY_MS, () => void this.#openSockets())
  }

  async #open(family: Family): Promise<void> {
    try {
      const socket = await this.#port.open({
        address: ANY[family],
        port: 0,
        receiveBufferBytes: RECEIVE_BUFFER_BYTES,
      })
      const sentBy = `${ownAddress(family)}:${this.#port.localPort(socket)}`
      this.#sockets.set(family, { socket, sentBy })
    } catch (error) {
      // A machine without IPv6 is ordinary; it is told when a proxy needs it, and tried again.
      if (!(error instanceof UdpError)) throw error
    }
  }

  #probeWaiting(): void {
    for (const [id, target] of this.#waiting) {
      if (!this.#sockets.has(familyOf(target))) continue
      this.#waiting.delete(id)
      this.#prober.setTarget(target)
    }
  }

  #tellLacking(family: Family): void {
    if (this.#told.has(family)) return
    this.#told.add(family)
    const message = `no IPv${family} here: proxies at IPv${family} addresses cannot be probed and keep their state`
    this.#tell({ level: 'error', event: 'ProberNotBound', message })
  }
}

function familyOf({ address }: ProbeTarget): Family {
  return isIPv6(address) ? 6 : 4
}

/**
 * For Via: responses come to the source of the request (RFC 3581), so any address of ours that is not absurd will do.
 */
function ownAddress(family: Family): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family: found, internal, scopeid } of addresses ?? []) {
      if (found !== `IPv${family}` || internal || (scopeid ?? 0) !== 0) continue
      return family === 6 ? `[${address}]` : address
    }
  }
  return LOOPBACK[family]
}

/** Numbers from 0 to below 1 that nobody can guess, drawn many at a time. */
function makeRandom(): () => number {
  const words = new Uint32Array(1024)
  let used = words.length
  return () => {
    if (used === words.length) {
      randomFillSync(words)
      used = 0
    }
    return (words[used++] ?? 0) / 2 ** 32
  }
}
