/**
 * kind's bridge: the Docker network that the nodes' containers are attached to. Only where the engine runs on this very
 * machine (not in a virtual machine of its own) can somebody else be attached to it.
 */
import { networkInterfaces } from 'node:os'
import { run } from './program.ts'

export interface Bridge {
  readonly device: string
  /** A base, its length in bits: `172.18.0.0`, 16. */
  readonly ipv4: Subnet
  readonly ipv6: Subnet | null
}

interface Subnet {
  readonly base: string
  readonly bits: number
}

/** kind's own default, and the variable it is overridden by. */
export const NETWORK = process.env['KIND_EXPERIMENTAL_DOCKER_NETWORK'] ?? 'kind'

export async function findBridge(): Promise<Bridge> {
  const [network] = JSON.parse(await run('docker', ['network', 'inspect', NETWORK])) as Network[]
  if (network === undefined) throw new Error(`Docker has no network ${NETWORK}`)
  const device =
    network.Options['com.docker.network.bridge.name'] ?? `br-${network.Id.slice(0, 12)}`
  if (networkInterfaces()[device] === undefined) {
    throw new Error(
      `Docker's bridge ${device} is not on this machine: no phone can be attached to it`,
    )
  }
  const subnets = network.IPAM.Config.map(({ Subnet }) => subnet(Subnet))
  const ipv4 = subnets.find(({ base }) => !base.includes(':'))
  if (ipv4 === undefined) throw new Error(`Docker's network ${NETWORK} has no IPv4 subnet`)
  return { device, ipv4, ipv6: subnets.find(({ base }) => base.includes(':')) ?? null }
}

/** The address `place` places below the end, where Docker, which counts from the start, gives out none. */
export function addressFromEnd({ base, bits }: Subnet, place: number): string {
  if (base.includes(':')) return `${base.replace(/::.*$/, '')}::ffff:${place.toString(16)}`
  const start = base.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
  const address = start + 2 ** (32 - bits) - 1 - place
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
}

interface Network {
  readonly Id: string
  readonly Options: Readonly<Record<string, string>>
  readonly IPAM: { readonly Config: readonly { readonly Subnet: string }[] }
}

function subnet(text: string): Subnet {
  const [base = '', bits = ''] = text.split('/')
  return { base, bits: Number(bits) }
}
