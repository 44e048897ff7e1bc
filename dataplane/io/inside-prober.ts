/**
 * The balancer's own OPTIONS probes, sent from its inside addresses by sockets of their own: the packet
 * workers' sockets stay undisturbed. Not here: the probing itself (`@sipcast/net`), what a result means
 * (`liveness.ts`). Invariant: without a socket of a proxy's IP version it is not probed: our own trouble is
 * no evidence against it.
 */

import { randomBytes } from 'node:crypto'
import { OptionsProber, openUdpPort, type ProbeTarget, UdpError, type UdpPort } from '@sipcast/net'
import { ENDPOINT_WORDS, formatEndpoint, parseAddressText } from '@sipcast/sip'
import { isIPv4Text } from '../address-text.ts'
import { BIND_RETRY_MS } from '../limits.ts'
import type { Clock, Prober, ProbeListener, Tell } from '../ports.ts'
import type { InsideAddress } from '../worker-config.ts'

export interface InsideProberOptions {
  readonly inside: readonly InsideAddress[]
  readonly clock: Clock
  readonly tell: Tell
}

interface Source {
  readonly socket: number
  readonly sentBy: string
}

export class InsideProber implements Prober {
  readonly #options: InsideProberOptions
  readonly #port: UdpPort = openUdpPort({ skin: 'auto', blocking: false })
  readonly #sources = new Map<4 | 6, Source>()
  readonly #prober: OptionsProber
  #listener: ProbeListener = () => undefined
  #targets: readonly ProbeTarget[] = []
  #callOff: () => void = () => undefined

  constructor(options: InsideProberOptions) {
    this.#options = options
    this.#prober = new OptionsProber({
      port: this.#port,
      socketFor: (family) => this.#sources.get(family) ?? null,
      clock: { nowMs: () => options.clock.monotonicMs() },
      random: () => randomBytes(4).readUInt32LE() / 2 ** 32,
      onResult: (result) => this.#listener(result),
    })
  }

  async start(listener: ProbeListener): Promise<void> {
    this.#listener = listener
    await this.#openSources(true)
    this.#prober.start()
  }

  setTargets(targets: readonly ProbeTarget[]): void {
    this.#targets = targets
    this.#prober.setTargets(targets.filter(({ address }) => this.#sources.has(familyOf(address))))
  }

  probeNow(id: string): void {
    this.#prober.probeNow(id)
  }

  async stop(): Promise<void> {
    this.#callOff()
    this.#port.shutdown()
    await this.#prober.stop()
  }

  async #openSources(isFirst: boolean): Promise<void> {
    for (const { address } of this.#options.inside) {
      const family = familyOf(address)
      if (this.#sources.has(family)) continue
      const source = await this.#open(address, isFirst)
      if (source !== null) this.#sources.set(family, source)
    }
    this.setTargets(this.#targets)
    if (this.#sources.size === this.#options.inside.length) return
    this.#callOff = this.#options.clock.after(BIND_RETRY_MS, () => void this.#openSources(false))
  }

  async #open(address: string, isFirst: boolean): Promise<Source | null> {
    try {
      const socket = await this.#port.open({ address, port: 0 })
      return { socket, sentBy: endpointText(address, this.#port.localPort(socket)) }
    } catch (error) {
      if (!(error instanceof UdpError)) throw error
      // Tried again every second; the workers report the same of the inside address.
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
