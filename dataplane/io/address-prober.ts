/**
 * OPTIONS probes sent from given addresses of this node by sockets of their own: the packet workers' sockets
 * stay undisturbed. Not here: the probing itself (`@sipcast/net`), what a result means (`liveness.ts`,
 * `self-test.ts`). Invariants: without a socket of a target's IP version it is not probed: our own trouble is
 * no evidence against it; a socket is opened when the first target needs it.
 */

import { randomBytes } from 'node:crypto'
import { OptionsProber, openUdpPort, type ProbeTarget, UdpError, type UdpPort } from '@sipcast/net'
import { ENDPOINT_WORDS, formatEndpoint, parseAddressText } from '@sipcast/sip'
import { isIPv4Text } from '../address-text.ts'
import { BIND_RETRY_MS } from '../limits.ts'
import type { Clock, Prober, ProbeListener, Tell } from '../ports.ts'

export interface AddressProberOptions {
  /** IP literals, one of each IP version at most. */
  readonly from: readonly string[]
  readonly clock: Clock
  readonly tell: Tell
}

interface Source {
  readonly socket: number
  readonly sentBy: string
}

export class AddressProber implements Prober {
  readonly #options: AddressProberOptions
  readonly #port: UdpPort = openUdpPort({ skin: 'auto', blocking: false })
  readonly #sources = new Map<4 | 6, Source>()
  readonly #prober: OptionsProber
  #listener: ProbeListener = () => undefined
  #targets: readonly ProbeTarget[] = []
  #isOpening = false
  #callOff: () => void = () => undefined

  constructor(options: AddressProberOptions) {
    this.#options = options
    this.#prober = new OptionsProber({
      port: this.#port,
      socketFor: (family) => this.#sources.get(family) ?? null,
      clock: { nowMs: () => options.clock.monotonicMs() },
      random: () => randomBytes(4).readUInt32LE() / 2 ** 32,
      onResult: (result) => this.#listener(result),
    })
  }

  start(listener: ProbeListener): void {
    this.#listener = listener
    this.#prober.start()
  }

  setTargets(targets: readonly ProbeTarget[]): void {
    this.#targets = targets
    this.#aim()
    if (!this.#isOpening) void this.#openSources(true)
  }

  probeNow(id: string): void {
    this.#prober.probeNow(id)
  }

  async stop(): Promise<void> {
    this.#callOff()
    this.#port.shutdown()
    await this.#prober.stop()
  }

  #aim(): void {
    this.#prober.setTargets(
      this.#targets.filter(({ address }) => this.#sources.has(familyOf(address))),
    )
  }

  /** Until there is one for every target. */
  async #openSources(isFirst: boolean): Promise<void> {
    this.#isOpening = true
    const missing = this.#missing()
    for (const address of missing) {
      const source = await this.#open(address, isFirst)
      if (source !== null) this.#sources.set(familyOf(address), source)
    }
    this.#aim()
    this.#isOpening = this.#missing().length > 0
    if (!this.#isOpening) return
    const retry = (): void => void this.#openSources(false)
    this.#callOff = this.#options.clock.after(BIND_RETRY_MS, retry)
  }

  #missing(): readonly string[] {
    const wanted = new Set(this.#targets.map(({ address }) => familyOf(address)))
    return this.#options.from.filter((address) => {
      const family = familyOf(address)
      return wanted.has(family) && !this.#sources.has(family)
    })
  }

  async #open(address: string, isFirst: boolean): Promise<Source | null> {
    try {
      const socket = await this.#port.open({ address, port: 0 })
      return { socket, sentBy: endpointText(address, this.#port.localPort(socket)) }
    } catch (error) {
      if (!(error instanceof UdpError)) throw error
      // Tried again every second.
      if (isFirst) {
        const message = `no probes from ${address}: ${error.message}`
        this.#options.tell({ level: 'warn', event: 'ProberNotBound', message })
      }
      return null
    }
  }
}

function familyOf(address: string): 4 | 6 {
  return isIPv4Text(address) ? 4 : 6
}

function endpointText(address: string, port: number): string {
  const words = new Int32Array(ENDPOINT_WORDS)
  parseAddressText(address, words, 0)
  words[4] = port
  return formatEndpoint(words, 0)
}
