/**
 * The proxies of a lab: real Kamailios by the product's recipe, or the lab's own reference registrars. Both
 * are started with the same options, and can be killed, frozen and revived alike.
 */
import { randomBytes } from 'node:crypto'
import type { Process } from '../process/process.ts'
import type { Endpoint } from '../sip/uri.ts'
import { startKamailio } from './kamailio.ts'
import { Part } from './part.ts'
import { startReferenceRegistrar } from './reference-registrar.ts'

export const RegistrarKind = { kamailio: 'kamailio', reference: 'reference' } as const
export type RegistrarKind = (typeof RegistrarKind)[keyof typeof RegistrarKind]

export interface RegistrarOptions {
  /** Also what its answers carry in Server and X-Proxy. */
  readonly name: string
  readonly listen: readonly Endpoint[]
  /** The balancers' address, as a diverted call finds the way back to it. */
  readonly shared: Endpoint
  readonly secrets: PoolSecrets
  /** These users and passwords and no others; without it, everybody's password is derived (`passwordOf`). */
  readonly users?: Readonly<Record<string, string>>
  /** Where numbers go that nobody has registered. */
  readonly gateway?: Endpoint
  /** Users whose calls go to another user: `{ bob: 'carol' }`. */
  readonly forwards?: Readonly<Record<string, string>>
  /**
   * Hosts of the shared addresses: requests whose top Via names one of them are answered there, whichever
   * balancer they came from. Everybody else, and everybody if absent, is answered where the request came
   * from.
   */
  readonly replyToShared?: readonly string[]
  /** OPTIONS to registered phones, every so many seconds. */
  readonly pingIntervalSeconds?: number
  /** The shortest registration it grants. */
  readonly expiresMinSeconds?: number
  /** For its configuration and control socket. */
  readonly directory: string
  readonly namespace?: string
}

/** What all proxies of a pool share. */
export interface PoolSecrets {
  readonly realm: string
  readonly nonceSecret: string
  readonly passwordSecret: string
}

export function newPoolSecrets(realm: string): PoolSecrets {
  const secret = () => randomBytes(24).toString('hex')
  return { realm, nonceSecret: secret(), passwordSecret: secret() }
}

/** One place in the pool. */
export interface Registrar extends Part {
  readonly kind: RegistrarKind
  readonly options: RegistrarOptions
  /** The first of its addresses. */
  readonly endpoint: Endpoint
}

export const Registrar = {
  async start(kind: RegistrarKind, options: RegistrarOptions): Promise<Registrar> {
    const [endpoint] = options.listen
    if (endpoint === undefined) throw new Error(`${options.name} has no address to listen on`)
    const part = await Part.start(options.name, () => launch(kind, options))
    return Object.assign(part, { kind, options, endpoint })
  },
}

async function launch(kind: RegistrarKind, options: RegistrarOptions): Promise<Process> {
  return kind === 'kamailio' ? await startKamailio(options) : await startReferenceRegistrar(options)
}
