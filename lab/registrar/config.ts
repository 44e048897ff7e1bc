/**
 * The reference registrar's options: the same as the recipe's parameters, from the command line; secrets also
 * from the environment.
 */
import { parseArgs } from 'node:util'
import { type Endpoint, parseEndpoint } from '../sip/uri.ts'

export interface Config {
  readonly name: string
  readonly listen: readonly Endpoint[]
  readonly realm: string
  readonly nonceSecret: string
  readonly passwordSecret: string
  /** Users with passwords of their own; null: all passwords are derived. */
  readonly users: ReadonlyMap<string, string> | null
  readonly shared: Endpoint | null
  readonly gateway: Endpoint | null
  readonly forwards: ReadonlyMap<string, string>
  /** Hosts of Vias that are answered at the Via instead of at the source. */
  readonly replyToVia: ReadonlySet<string>
  readonly pingIntervalSeconds: number | null
  readonly expiresMinSeconds: number
}

export type ParsedConfig = { ok: true; value: Config } | { ok: false; error: string }

export const USAGE = `node lab/registrar/main.ts --listen HOST:PORT… --realm DOMAIN --secret SECRET
  --listen HOST:PORT      an address of ours; one per IP version
  --realm DOMAIN          the domain we serve, and the realm of the authentication
  --secret SECRET         for nonces and passwords; the same for all of a pool
                          (or SIPCAST_LAB_NONCE_SECRET and SIPCAST_LAB_PASSWORD_SECRET in the environment)
  --shared HOST:PORT      the balancers' address: diverted calls go back there
  --gateway HOST:PORT     where numbers go that nobody has registered
  --forward USER=OTHER    calls to USER go to OTHER
  --reply-to-via HOST     answer requests whose top Via names HOST at that Via, not at their source
  --ping-interval SECONDS send OPTIONS to registered phones
  --expires-min SECONDS   the shortest registration granted (60)
  --name NAME             what Server and X-Proxy say
Passwords are derived: the MD5 of USER:DOMAIN:SECRET in hexadecimal; or SIPCAST_LAB_USERS in the
environment lists them, as a JSON object, and then there are no others.`

export function parseConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ParsedConfig {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true })
    if (values.help) return { ok: false, error: 'help' }
    return { ok: true, value: configOf(values, env) }
  } catch (error) {
    return { ok: false, error: (error as Error).message }
  }
}

const OPTIONS = {
  name: { type: 'string' },
  listen: { type: 'string', multiple: true },
  realm: { type: 'string' },
  secret: { type: 'string' },
  shared: { type: 'string' },
  gateway: { type: 'string' },
  forward: { type: 'string', multiple: true },
  'reply-to-via': { type: 'string', multiple: true },
  'ping-interval': { type: 'string' },
  'expires-min': { type: 'string' },
  help: { type: 'boolean' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

function configOf(values: Values, env: Readonly<Record<string, string | undefined>>): Config {
  const listen = (values.listen ?? []).map(endpoint)
  if (listen.length === 0) throw new Error('--listen HOST:PORT is needed')
  const nonceSecret = values.secret ?? env['SIPCAST_LAB_NONCE_SECRET']
  const passwordSecret = values.secret ?? env['SIPCAST_LAB_PASSWORD_SECRET']
  if (!nonceSecret || !passwordSecret) throw new Error('--secret is needed')
  if (!values.realm) throw new Error('--realm is needed')
  return {
    name: values.name ?? 'reference-registrar',
    listen,
    realm: values.realm,
    nonceSecret,
    passwordSecret,
    users: env['SIPCAST_LAB_USERS'] === undefined ? null : usersOf(env['SIPCAST_LAB_USERS']),
    shared: values.shared === undefined ? null : endpoint(values.shared),
    gateway: values.gateway === undefined ? null : endpoint(values.gateway),
    forwards: new Map((values.forward ?? []).map(forward)),
    replyToVia: new Set(values['reply-to-via'] ?? []),
    pingIntervalSeconds:
      values['ping-interval'] === undefined ? null : positive(values['ping-interval']),
    expiresMinSeconds: values['expires-min'] === undefined ? 60 : positive(values['expires-min']),
  }
}

function usersOf(json: string): ReadonlyMap<string, string> {
  return new Map(Object.entries(JSON.parse(json) as Record<string, string>))
}

function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text)
  if (parsed === null) throw new Error(`not HOST:PORT: ${text}`)
  return parsed
}

function forward(text: string): [string, string] {
  const [user, other] = text.split('=')
  if (!user || !other) throw new Error(`not USER=OTHER: ${text}`)
  return [user, other]
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`not a positive number: ${text}`)
  return value
}
