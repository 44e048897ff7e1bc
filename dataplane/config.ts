/**
 * The command lines of the balancer, read once: arguments → a typed command with every default resolved.
 * Not here: reading files or environment (`main.ts`), what SipProxies say (their tables).
 * Invariant: what is returned needs no second look; whatever is wrong with the arguments is one sentence.
 */

import { ENDPOINT_WORDS, formatAddress, isIPv4, parseEndpointText } from '@sipcast/sip'
import { canonicalAddress } from './address-text.ts'
import { INSIDE_PORT_DEFAULT, NAME_LENGTH_MAX, WORKERS_DEFAULT_MAX, WORKERS_MAX } from './limits.ts'
import type { InsideAddress } from './worker-config.ts'

export interface BalancerConfig {
  readonly directory: string
  readonly name: string
  /** One or two: at most one per IP version. */
  readonly inside: readonly InsideAddress[]
  /** Serve only these of the SipProxies' addresses; null: all. */
  readonly addresses: readonly string[] | null
  readonly stateDirectory: string
  readonly workers: number
  /** Where to serve metrics and health; null: nowhere. */
  readonly metrics: HostPort | null
}

export interface ExplainConfig {
  readonly directory: string
  /** Whom the message is said to come from; null: `explain` chooses. */
  readonly from: string | null
  /** Our address and port that it is said to come in on; null: `explain` chooses. */
  readonly to: string | null
  readonly json: boolean
  /** A file with the datagram, `-` for standard input. */
  readonly file: string
}

export interface HostPort {
  readonly host: string
  readonly port: number
}

export type Command =
  | { readonly kind: 'balance'; readonly config: BalancerConfig }
  | { readonly kind: 'explain'; readonly config: ExplainConfig }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

export const USAGE = `usage: main.ts --directory DIR --name NAME --inside ADDRESS[:PORT]...
               [--address ADDRESS]... [--state DIR] [--workers N] [--metrics HOST:PORT]
       main.ts explain --directory DIR [--from HOST:PORT] [--to ADDRESS:PORT] [--json] FILE`

/** A DNS-1123 subdomain: it names a file, and a SipBalancer. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

/**
 * @param argv what follows the program's name
 * @param processors how many this machine has: bounds the default number of workers
 */
export function parseCommand(argv: readonly string[], processors: number): Command {
  try {
    if (argv.includes('--help')) return { kind: 'help' }
    return argv[0] === 'explain'
      ? { kind: 'explain', config: explainConfig(readOptions(argv.slice(1), EXPLAIN_OPTIONS)) }
      : { kind: 'balance', config: balancerConfig(readOptions(argv, BALANCER_OPTIONS), processors) }
  } catch (error) {
    // Only our own complaints become usage errors; anything else is a mistake in this file.
    if (error instanceof UsageError) return { kind: 'wrong', message: error.message }
    throw error
  }
}

class UsageError extends Error {
  override readonly name = 'UsageError'
}

const Takes = { one: 0, many: 1, nothing: 2 } as const
type Takes = (typeof Takes)[keyof typeof Takes]

const BALANCER_OPTIONS: Readonly<Record<string, Takes>> = {
  '--directory': Takes.one,
  '--name': Takes.one,
  '--inside': Takes.many,
  '--address': Takes.many,
  '--state': Takes.one,
  '--workers': Takes.one,
  '--metrics': Takes.one,
}

const EXPLAIN_OPTIONS: Readonly<Record<string, Takes>> = {
  '--directory': Takes.one,
  '--from': Takes.one,
  '--to': Takes.one,
  '--json': Takes.nothing,
}

interface Options {
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly rest: readonly string[]
}

function balancerConfig({ values, rest }: Options, processors: number): BalancerConfig {
  if (rest.length > 0) throw new UsageError(`unexpected argument ${quote(rest[0]!)}`)
  const directory = required(values, '--directory')
  const name = required(values, '--name')
  if (!NAME.test(name) || name.length > NAME_LENGTH_MAX) {
    throw new UsageError(`--name ${quote(name)} is not a lower-case DNS name`)
  }
  const metrics = single(values, '--metrics')
  return {
    directory,
    name,
    inside: insideAddresses(values.get('--inside') ?? []),
    addresses: values.get('--address')?.map(address) ?? null,
    stateDirectory: single(values, '--state') ?? `${directory}/state/${name}`,
    workers: workerCount(single(values, '--workers'), processors),
    metrics: metrics === null ? null : hostPort('--metrics', metrics),
  }
}

function explainConfig({ values, rest }: Options): ExplainConfig {
  const directory = required(values, '--directory')
  if (rest.length !== 1) throw new UsageError('explain needs exactly one FILE')
  return {
    directory,
    from: endpoint('--from', single(values, '--from')),
    to: endpoint('--to', single(values, '--to')),
    json: values.has('--json'),
    file: rest[0]!,
  }
}

function readOptions(argv: readonly string[], known: Readonly<Record<string, Takes>>): Options {
  const values = new Map<string, string[]>()
  const rest: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (!word.startsWith('--')) {
      rest.push(word)
      continue
    }
    const equals = word.indexOf('=')
    const option = equals < 0 ? word : word.slice(0, equals)
    const takes = known[option]
    if (takes === undefined) throw new UsageError(`unknown option ${quote(option)}`)
    if (takes !== Takes.many && values.has(option)) throw new UsageError(`${option} is given twice`)
    const value = equals < 0 ? (takes === Takes.nothing ? '' : argv[++i]) : word.slice(equals + 1)
    if (value === undefined) throw new UsageError(`${option} needs a value`)
    values.set(option, [...(values.get(option) ?? []), value])
  }
  return { values, rest }
}

function insideAddresses(texts: readonly string[]): readonly InsideAddress[] {
  if (texts.length === 0) throw new UsageError('--inside ADDRESS[:PORT] is missing')
  const versions = new Set<boolean>()
  return texts.map((text) => {
    const words = new Int32Array(ENDPOINT_WORDS)
    if (!parseEndpointText(text, words, 0, INSIDE_PORT_DEFAULT) || words[4] === 0) {
      throw new UsageError(`--inside ${quote(text)} is not ADDRESS[:PORT] or [IPv6]:PORT`)
    }
    const version = isIPv4(words, 0)
    if (versions.has(version))
      throw new UsageError('--inside: more than one of the same IP version')
    versions.add(version)
    return { address: formatAddress(words, 0), port: words[4]! }
  })
}

/** The literal in its one canonical spelling, as tables have it. */
function address(text: string): string {
  const canonical = canonicalAddress(text)
  if (canonical === null) throw new UsageError(`--address ${quote(text)} is not an IP address`)
  return canonical
}

function workerCount(text: string | null, processors: number): number {
  if (text === null) return Math.max(1, Math.min(WORKERS_DEFAULT_MAX, processors - 1))
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > WORKERS_MAX) {
    throw new UsageError(`--workers ${quote(text)} is not a number from 1 to ${WORKERS_MAX}`)
  }
  return count
}

function hostPort(option: string, text: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535)
    throw new UsageError(`${option} ${quote(text)} is not HOST:PORT`)
  return { host: (match[1] ?? match[2])!, port }
}

function endpoint(option: string, text: string | null): string | null {
  if (text !== null && !parseEndpointText(text, new Int32Array(ENDPOINT_WORDS), 0)) {
    throw new UsageError(`${option} ${quote(text)} is not ADDRESS:PORT or [IPv6]:PORT`)
  }
  return text
}

function required(values: Options['values'], option: string): string {
  const value = single(values, option)
  if (value === null || value === '') throw new UsageError(`${option} is missing`)
  return value
}

function single(values: Options['values'], option: string): string | null {
  return values.get(option)?.[0] ?? null
}

function quote(text: string): string {
  return `'${text}'`
}
