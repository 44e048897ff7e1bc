/**
 * The whole system on loopback, without rights: an operator, balancers each with an address of the SipProxy
 * of its own, registrars, a gateway, and phones that send each message to a different balancer. `npm start`
 * and tests stand on it. Not here: namespaces (network/topology.ts), whose tests put the same parts together
 * themselves.
 */
import { LoopbackBlock } from '../network/loopback.ts'
import { openGateway } from '../phone/gateway.ts'
import { Phone, type PhoneOptions } from '../phone/phone.ts'
import type { Endpoint } from '../sip/uri.ts'
import { startBalancer, untilServing } from './balancer.ts'
import { LabDirectory, type ManifestSpec } from './directory.ts'
import { startOperator } from './operator.ts'
import type { Part } from './part.ts'
import { passwordOf } from './password.ts'
import {
  type PoolSecrets,
  Registrar,
  type RegistrarKind,
  type RegistrarOptions,
  newPoolSecrets,
} from './registrar.ts'

export interface LabOptions {
  readonly kind: RegistrarKind
  readonly registrars?: number
  readonly balancers?: number
  /** Laid over the SipProxy's spec. */
  readonly spec?: ManifestSpec
  /** Laid over each registrar's options. */
  readonly registrar?: Partial<RegistrarOptions>
}

export const SIP_PROXY = 'lab'
export const DOMAIN = 'sipcast.test'

const REGISTRARS = 3
const BALANCERS = 2
const SIP_PORT = 5060
const INSIDE_PORT = 5070

interface Parts {
  readonly block: LoopbackBlock
  readonly directory: LabDirectory
  readonly secrets: PoolSecrets
  readonly shared: readonly Endpoint[]
  readonly registrars: readonly Registrar[]
  readonly operator: Part
  readonly balancers: readonly Part[]
  readonly gateway: Phone
}

export class Lab {
  readonly block: LoopbackBlock
  readonly directory: LabDirectory
  readonly secrets: PoolSecrets
  /** The SipProxy's addresses, the first balancer's first. */
  readonly shared: readonly Endpoint[]
  readonly registrars: readonly Registrar[]
  readonly operator: Part
  readonly balancers: readonly Part[]
  readonly gateway: Phone
  readonly #phones: Phone[] = []

  static async start(options: LabOptions): Promise<Lab> {
    return new Lab(await startParts(options))
  }

  constructor(parts: Parts) {
    this.block = parts.block
    this.directory = parts.directory
    this.secrets = parts.secrets
    this.shared = parts.shared
    this.registrars = parts.registrars
    this.operator = parts.operator
    this.balancers = parts.balancers
    this.gateway = parts.gateway
  }

  /** A phone on an address of its own, not registered yet; closed with the lab. */
  async openPhone(user: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
    const phone = await Phone.open({
      user,
      password: passwordOf(user, this.secrets),
      domain: DOMAIN,
      address: this.block.next(),
      targets: this.shared,
      ...options,
    })
    this.#phones.push(phone)
    return phone
  }

  /** All balancers use the newest table. */
  async untilServing(): Promise<void> {
    await untilServing(
      this.directory,
      SIP_PROXY,
      this.balancers.map(({ name }) => name),
    )
  }

  async close(): Promise<void> {
    for (const phone of [...this.#phones.splice(0), this.gateway]) phone.close()
    await Promise.all(
      [...this.balancers, this.operator, ...this.registrars].map((part) => part.stop()),
    )
    this.block.release()
    await this.directory.remove()
  }
}

async function startParts(options: LabOptions): Promise<Parts> {
  const block = await LoopbackBlock.claim()
  const directory = await LabDirectory.create()
  const started: Part[] = []
  try {
    return await startOn(block, directory, options, (part) => started.push(part))
  } catch (error) {
    await Promise.all(started.map((part) => part.stop()))
    await directory.remove()
    throw error
  }
}

async function startOn(
  block: LoopbackBlock,
  directory: LabDirectory,
  options: LabOptions,
  onStarted: (part: Part) => void,
): Promise<Parts> {
  const secrets = newPoolSecrets(DOMAIN)
  const endpoints = (count: number, port: number) =>
    Array.from({ length: count }, (): Endpoint => ({ address: block.next(), port }))
  const shared = endpoints(options.balancers ?? BALANCERS, SIP_PORT)
  const inside = endpoints(shared.length, INSIDE_PORT)
  const proxies = endpoints(options.registrars ?? REGISTRARS, SIP_PORT)
  const gateway = await openGateway({ address: block.next(), port: SIP_PORT })
  await directory.writeManifest(SIP_PROXY, { ...specOf(shared, proxies), ...options.spec })

  const registrars = await all(proxies, onStarted, (endpoint, index) =>
    Registrar.start(options.kind, {
      name: `registrar-${index}`,
      listen: [endpoint],
      shared: shared[index % shared.length] as Endpoint,
      secrets,
      gateway: gateway.local,
      directory: directory.path,
      ...options.registrar,
    }),
  )
  const [operator] = (await all([directory], onStarted, () => startOperator({ directory }))) as [
    Part,
  ]
  const balancers = await all(shared, onStarted, ({ address }, index) =>
    startBalancer({
      directory,
      name: `balancer-${index}`,
      inside: [inside[index] as Endpoint],
      addresses: [address],
      workers: 1,
    }),
  )
  return { block, directory, secrets, shared, registrars, operator, balancers, gateway }
}

/** Starts one part for each, at once; if one fails, the others have been told of before this rejects. */
async function all<T, P extends Part>(
  items: readonly T[],
  onStarted: (part: Part) => void,
  start: (item: T, index: number) => Promise<P>,
): Promise<P[]> {
  const results = await Promise.allSettled(items.map(start))
  const failed = results.find((result) => result.status === 'rejected')
  const parts = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  for (const part of parts) onStarted(part)
  if (failed !== undefined) throw failed.reason
  return parts
}

function specOf(shared: readonly Endpoint[], proxies: readonly Endpoint[]): ManifestSpec {
  return {
    addresses: shared.map(({ address }) => address),
    port: SIP_PORT,
    domains: [DOMAIN],
    proxies: {
      static: proxies.map(({ address, port }, index) => ({
        name: `registrar-${index}`,
        address,
        port,
      })),
    },
  }
}
