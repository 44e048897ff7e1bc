/** One skin and address family on trial: fresh ports for every test, closed behind it. */

import type { SocketOptions, UdpPort } from '@sipcast/net'
import { afterEach, beforeEach } from 'vitest'
import { endpoint } from './datagrams.ts'

export interface Family {
  readonly name: 'IPv4' | 'IPv6'
  readonly loopback: string
  /** An address that no machine has. */
  readonly absent: string
}

export class Trial {
  readonly isIPv4: boolean
  readonly loopback: string
  readonly absent: string
  readonly #open: () => UdpPort
  #ports: UdpPort[] = []

  /** `open` opens another port of the same machine. */
  constructor(family: Family, open: () => UdpPort) {
    this.isIPv4 = family.name === 'IPv4'
    this.loopback = family.loopback
    this.absent = family.absent
    this.#open = open
    beforeEach(() => void this.openPort())
    afterEach(() => {
      for (const port of this.#ports) port.shutdown()
      this.#ports = []
    })
  }

  /** The port on trial. */
  get port(): UdpPort {
    return this.#ports[0]!
  }

  openPort(): UdpPort {
    const port = this.#open()
    this.#ports.push(port)
    return port
  }

  async openSocket(on: UdpPort = this.port, options: Partial<SocketOptions> = {}): Promise<number> {
    return await on.open({ address: this.loopback, port: 0, ...options })
  }

  endpointOf(port: UdpPort, socket: number): Int32Array {
    return endpoint(this.loopback, port.localPort(socket))
  }
}
