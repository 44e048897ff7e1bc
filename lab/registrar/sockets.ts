/** The reference proxy's addresses, one per IP version, each with its transactions. */
import type { SipRequest } from '../sip/message.ts'
import type { ServerTransaction } from '../sip/server-transaction.ts'
import { TransactionLayer, toSource } from '../sip/transactions.ts'
import { Transport } from '../sip/transport.ts'
import { type Endpoint, SIP_PORT, type Via } from '../sip/uri.ts'
import type { Config } from './config.ts'

interface Socket {
  readonly endpoint: Endpoint
  readonly layer: TransactionLayer
}

export class Sockets {
  onRequest: (transaction: ServerTransaction) => void = () => {}
  onAck: (ack: SipRequest) => void = () => {}
  readonly #sockets: readonly Socket[]

  static async open(config: Config): Promise<Sockets> {
    const transports = await Promise.all(config.listen.map((endpoint) => Transport.open(endpoint)))
    return new Sockets(transports, config.replyToVia)
  }

  constructor(transports: readonly Transport[], replyToVia: ReadonlySet<string>) {
    // Like Kamailio: to the source, whatever the Via says; else to the Via's own address and port.
    const replyTo = (via: Via, source: Endpoint) =>
      replyToVia.has(via.host)
        ? { address: via.host, port: via.port ?? SIP_PORT }
        : toSource(via, source)
    this.#sockets = transports.map((transport) => ({
      endpoint: transport.local,
      layer: new TransactionLayer({
        transport,
        replyTo,
        onRequest: (transaction) => this.onRequest(transaction),
        onAck: (ack) => this.onAck(ack),
        onStrayResponse: () => {},
      }),
    }))
  }

  /** The transactions of the address that can reach this one. */
  toward(target: Endpoint): TransactionLayer {
    return this.#forFamily(target).layer
  }

  /**
   * What we record for a request that came from one and goes to the other: twice where the IP version changes
   * (RFC 5658).
   */
  recordRoutes(source: Endpoint, target: Endpoint): string[] {
    const [inward, outward] = [this.#forFamily(source), this.#forFamily(target)]
    const sides = inward === outward ? [inward] : [outward, inward]
    return sides.map(({ endpoint }) => recordRoute(endpoint))
  }

  close(): void {
    for (const { layer } of this.#sockets) layer.close()
  }

  #forFamily(target: Endpoint): Socket {
    const isV6 = (address: string) => address.includes(':')
    const socket = this.#sockets.find(
      ({ endpoint }) => isV6(endpoint.address) === isV6(target.address),
    )
    return socket ?? (this.#sockets[0] as Socket)
  }
}

function recordRoute({ address, port }: Endpoint): string {
  return `<sip:${address.includes(':') ? `[${address}]` : address}:${port};lr>`
}
