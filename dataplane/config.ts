/**
 * The command lines of the balancer, read once: arguments → a typed command with every default resolved.
 * Not here: reading files or environment (`main.ts`), what SipProxies say (their tables).
 * Invariant: what is returned needs no second look; whatever is wrong with the arguments is one sentence.
 */

import { ENDPOINT_WORDS, formatAddress, isIPv4, parseEndpointText } from '@sipcast/sip'
import { canonicalAddress } from './address-text.ts'
import {
  type HostPort,
  hostPort,
  type Options,
  quote,
  readOptions,
  required,
  single,
  Takes,
  UsageError,
} from './options.ts'
import {
  DRAIN_SECONDS_MAX,
  INSIDE_PORT_DEFAULT,
  NAME_LENGTH_MAX,
  WORKERS_DEFAULT_MAX,
  WORKERS_MAX,
} from './limits.ts'
import type { PreflightQuestion } from './preflight.ts'
import type { InsideAddress } from './worker-config.ts'

/** Where tables and keys come from and the report goes. */
export type SourceConfig =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 'kubernetes'
      /** Null: in a pod of the cluster. */
      readonly kubeconfig: string | null
      /** The operator's own: of tables and keys. */
      readonly namespace: string
      /** A mounted copy of the Secret; null: it is read through the API. */
      readonly keysFile: string | null
      /** Of a machine that is no Node of the cluster: BgpPeers select it by them. */
      readonly nodeLabels: Readonly<Record<string, string>>
    }

export interface BalancerConfig {
  readonly source: SourceConfig
  readonly name: string
  /** One or two: at most one per IP version. */
  readonly inside: readonly InsideAddress[]
  /** Serve only these of the SipProxies' addresses; null: all. */
  readonly addresses: readonly string[] | null
  readonly stateDirectory: string
  /** The unix socket of the proof to the announcer. */
  readonly socket: string
  readonly workers: number
  /** How long it serves on when it is told to end. */
  readonly drainMs: number
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

export type Command =
  | { readonly kind: 'balance'; readonly config: BalancerConfig }
  | { readonly kind: 'preflight'; readonly question: PreflightQuestion }
  | { readonly kind: 'explain'; readonly config: ExplainConfig }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

export const USAGE = `usage: main.ts --directory DIR --name NAME --inside ADDRESS[:PORT][,...]...
               [--address ADDRESS]... [--state DIR] [--socket PATH] [--workers N]
               [--drain SECONDS] [--metrics HOST:PORT]
       main.ts --kubernetes [--kubeconfig FILE] --namespace NAMESPACE [--keys FILE]
               [--node-label KEY=VALUE]... --name NODE --inside ... (and the rest as above)
       main.ts preflight --inside ADDRESS[:PORT][,...]... [--address ADDRESS]... [--port PORT]
               [--inside-source Node|Shared]
       main.ts explain --directory DIR [--from HOST:PORT] [--to ADDRESS:PORT] [--json] FILE`

/** On a node of a cluster, a hostPath of its own. */
const STATE_ROOT = '/var/lib/sipcast'

/** A DNS-1123 subdomain: it names a file, and a SipBalancer. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

/** As Kubernetes has them: [PREFIX/]NAME=VALUE. */
const NODE_LABEL =
  /^((?:[a-z0-9][-a-z0-9.]{0,252}\/)?[a-z0-9][-a-z0-9_.]{0,62})=((?:[a-z0-9][-a-z0-9_.]{0,62})?)$/i

/**
 * @param argv what follows the program's name
 * @param processors how many this machine has: bounds the default number of workers
 */
export function parseCommand(argv: readonly string[], processors: number): Command {
  try {
    if (argv.includes('--help')) return { kind: 'help' }
    const words = argv.slice(1)
    if (argv[0] === 'explain') {
      return { kind: 'explain', config: explainConfig(readOptions(words, EXPLAIN_OPTIONS)) }
    }
    if (argv[0] === 'preflight') {
      const question = preflightQuestion(readOptions(words, PREFLIGHT_OPTIONS))
      return { kind: 'preflight', question }
    }
    const options = readOptions(argv, BALANCER_OPTIONS)
    return { kind: 'balance', config: balancerConfig(options, processors) }
  } catch (error) {
    // Only our own complaints become usage errors; anything else is a mistake in this file.
    if (error instanceof UsageError) return { kind: 'wrong', message: error.message }
    throw error
  }
}

const BALANCER_OPTIONS: Readonly<Record<string, Takes>> = {
  '--directory': Takes.one,
  '--kubernetes': Takes.nothing,
  '--kubeconfig': Takes.one,
  '--namespace': Takes.one,
  '--keys': Takes.one,
  '--node-label': Takes.many,
  '--name': Takes.one,
  '--inside': Takes.many,
  '--address': Takes.many,
  '--state': Takes.one,
  '--socket': Takes.one,
  '--workers': Takes.one,
  '--drain': Takes.one,
  '--metrics': Takes.one,
}

const PREFLIGHT_OPTIONS: Readonly<Record<string, Takes>> = {
  '--inside': Takes.many,
  '--address': Takes.many,
  '--port': Takes.one,
  '--inside-source': Takes.one,
}

const EXPLAIN_OPTIONS: Readonly<Record<string, Takes>> = {
  '--directory': Takes.one,
  '--from': Takes.one,
  '--to': Takes.one,
  '--json': Takes.nothing,
}

function balancerConfig({ values, rest }: Options, processors: number): BalancerConfig {
  if (rest.length > 0) throw new UsageError(`unexpected argument ${quote(rest[0]!)}`)
  const source = sourceConfig(values)
  const name = required(values, '--name')
  if (!NAME.test(name) || name.length > NAME_LENGTH_MAX) {
    throw new UsageError(`--name ${quote(name)} is not a lower-case DNS name`)
  }
  const metrics = single(values, '--metrics')
  const root = source.kind === 'directory' ? `${source.path}/state` : STATE_ROOT
  const stateDirectory = single(values, '--state') ?? `${root}/${name}`
  return {
    source,
    name,
    inside: insideAddresses(values.get('--inside') ?? []),
    addresses: values.get('--address')?.map(address) ?? null,
    stateDirectory,
    socket: single(values, '--socket') ?? proofSocketPath(stateDirectory),
    workers: workerCount(single(values, '--workers'), processors),
    drainMs: drainMs(single(values, '--drain')),
    metrics: metrics === null ? null : hostPort('--metrics', metrics),
  }
}

/** Where a balancer proves itself unless told otherwise. */
export function proofSocketPath(stateDirectory: string): string {
  return `${stateDirectory}/balancer.sock`
}

function sourceConfig(values: Options['values']): SourceConfig {
  const isKubernetes = values.has('--kubernetes')
  const clusters = ['--kubeconfig', '--namespace', '--keys', '--node-label']
  const foreign = isKubernetes ? ['--directory'] : clusters
  const misplaced = foreign.find((option) => values.has(option))
  if (misplaced !== undefined) {
    throw new UsageError(`${misplaced} ${isKubernetes ? 'excludes' : 'needs'} --kubernetes`)
  }
  if (!isKubernetes) return { kind: 'directory', path: required(values, '--directory') }
  return {
    kind: 'kubernetes',
    kubeconfig: single(values, '--kubeconfig'),
    namespace: required(values, '--namespace'),
    keysFile: single(values, '--keys'),
    nodeLabels: Object.fromEntries((values.get('--node-label') ?? []).map(nodeLabel)),
  }
}

function nodeLabel(text: string): readonly [string, string] {
  const [, key, value] = NODE_LABEL.exec(text) ?? []
  if (key === undefined || value === undefined) {
    throw new UsageError(`--node-label ${quote(text)} is not KEY=VALUE of a label`)
  }
  return [key, value]
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

function preflightQuestion({ values, rest }: Options): PreflightQuestion {
  if (rest.length > 0) throw new UsageError(`unexpected argument ${quote(rest[0]!)}`)
  const insideSource = single(values, '--inside-source') ?? 'Node'
  if (insideSource !== 'Node' && insideSource !== 'Shared') {
    throw new UsageError(`--inside-source ${quote(insideSource)} is not Node or Shared`)
  }
  const port = single(values, '--port') ?? '5060'
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`--port ${quote(port)} is not a number from 1 to 65535`)
  }
  return {
    inside: insideAddresses(values.get('--inside') ?? []),
    addresses: (values.get('--address') ?? []).map(address),
    port: Number(port),
    insideSource,
  }
}

function insideAddresses(texts: readonly string[]): readonly InsideAddress[] {
  if (texts.length === 0) throw new UsageError('--inside ADDRESS[:PORT] is missing')
  const versions = new Set<boolean>()
  // The downward API's status.hostIPs is one word with commas.
  const listed = texts.flatMap((text) => text.split(','))
  return listed.map((text) => {
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

function drainMs(text: string | null): number {
  if (text === null) return 0
  const seconds = Number(text)
  if (!/^\d{1,3}$/.test(text) || seconds > DRAIN_SECONDS_MAX) {
    throw new UsageError(`--drain ${quote(text)} is not a number from 0 to ${DRAIN_SECONDS_MAX}`)
  }
  return seconds * 1_000
}

function workerCount(text: string | null, processors: number): number {
  if (text === null) return Math.max(1, Math.min(WORKERS_DEFAULT_MAX, processors - 1))
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > WORKERS_MAX) {
    throw new UsageError(`--workers ${quote(text)} is not a number from 1 to ${WORKERS_MAX}`)
  }
  return count
}

function endpoint(option: string, text: string | null): string | null {
  if (text !== null && !parseEndpointText(text, new Int32Array(ENDPOINT_WORDS), 0)) {
    throw new UsageError(`${option} ${quote(text)} is not ADDRESS:PORT or [IPv6]:PORT`)
  }
  return text
}
