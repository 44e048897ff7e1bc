/**
 * Proxies outside the cluster, for SipProxies with static proxies: two sockets of this machine, at its address on
 * kind's bridge, that answer OPTIONS. Not here: anything else a proxy does.
 */
import { BlockList } from 'node:net'
import { networkInterfaces } from 'node:os'
import { freePort } from '@sipcast/lab'
import { SipResponder } from '../integration/sip-responder.ts'
import type { Cluster } from './cluster.ts'

export class OutsideProxies {
  readonly responders: readonly SipResponder[]

  static async start({ carriers }: Cluster): Promise<OutsideProxies> {
    const address = addressBeside(carriers[0]!.ipv4)
    const ports = [await freePort(address), await freePort(address)]
    const responders = ports.map((port) => new SipResponder(address, port))
    return new OutsideProxies(await Promise.all(responders.map((one) => one.start())))
  }

  constructor(responders: readonly SipResponder[]) {
    this.responders = responders
  }

  /** For `spec.proxies`. */
  get static(): readonly object[] {
    return this.responders.map(({ address, port }, index) => ({ name: `p${index}`, address, port }))
  }

  close(): void {
    for (const responder of this.responders) responder.kill()
  }
}

/** This machine's address in the network that the other one is in. */
function addressBeside(other: string): string {
  for (const { address, cidr, family } of Object.values(networkInterfaces()).flatMap(
    (all) => all ?? [],
  )) {
    if (family !== 'IPv4' || cidr === null) continue
    const network = new BlockList()
    network.addSubnet(address, Number(cidr.split('/')[1]))
    if (network.check(other)) return address
  }
  throw new Error(`this machine has no address in the network of ${other}`)
}
