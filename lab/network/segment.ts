/**
 * One broadcast domain of the lab: a bridge in somebody's namespace, and links of others to it. A /24 and a /64; who
 * is attached says its own routes. Needs root.
 */
import type { Namespace } from './namespace.ts'
import { ip } from './shell.ts'

/** Addresses by host number, 1…254. */
export interface Addressing {
  readonly ipv4: (host: number) => string
  readonly ipv6: (host: number) => string
}

export interface Attachment {
  readonly host: number
  /** What the link is called at the guest. */
  readonly device: string
  /** What it is called at the bridge. */
  readonly port: string
}

export class Segment {
  readonly #switch: Namespace
  readonly #bridge: string
  readonly #addressing: Addressing

  static async create(at: Namespace, bridge: string, addressing: Addressing): Promise<Segment> {
    await at.ip(`link add ${bridge} type bridge`)
    await at.ip(`link set ${bridge} up`)
    return new Segment(at, bridge, addressing)
  }

  constructor(at: Namespace, bridge: string, addressing: Addressing) {
    this.#switch = at
    this.#bridge = bridge
    this.#addressing = addressing
  }

  /** The bridge's own namespace takes part. */
  async join(host: number): Promise<void> {
    await this.#address(this.#switch, this.#bridge, host)
  }

  async attach(guest: Namespace, { host, device, port }: Attachment): Promise<void> {
    const from = `link add ${device} netns ${guest.name} type veth`
    await ip(`${from} peer name ${port} netns ${this.#switch.name}`)
    await this.#switch.ip(`link set ${port} master ${this.#bridge} up`)
    await guest.ip(`link set ${device} up`)
    await this.#address(guest, device, host)
  }

  addresses(host: number): { readonly ipv4: string; readonly ipv6: string } {
    return { ipv4: this.#addressing.ipv4(host), ipv6: this.#addressing.ipv6(host) }
  }

  async #address(at: Namespace, device: string, host: number): Promise<void> {
    const { ipv4, ipv6 } = this.addresses(host)
    await at.ip(`addr add ${ipv4}/24 dev ${device}`)
    await at.ip(`addr add ${ipv6}/64 dev ${device} nodad`)
  }
}

/** Both families. */
export async function routeDefault(
  namespace: Namespace,
  via: { readonly ipv4: string; readonly ipv6: string },
): Promise<void> {
  await namespace.ip(`route add default via ${via.ipv4}`)
  await namespace.ip(`-6 route add default via ${via.ipv6}`)
}
