/**
 * The announcer's command line, read once. Not here: reading environment or files. Invariant: what is returned
 * needs no second look; whatever is wrong with the arguments is one sentence.
 */

import {
  hostPort,
  type HostPort,
  type Options,
  readOptions,
  required,
  single,
  Takes,
  UsageError,
} from '../options.ts'
import { parseNetwork } from '../networks.ts'
import { proofSocketPath } from '../config.ts'
import { INTERFACE_LENGTH_MAX, SOCKET_BYTES_MAX } from './limits.ts'

/** Where BIRD is, and what it is told. */
export interface BirdConfig {
  /** The configuration that BIRD is started with; written by the announcer. */
  readonly file: string
  /** BIRD's control socket. */
  readonly socket: string
  /** A folder per Secret, a file per key; null: nowhere. */
  readonly passwords: string | null
  /** A directory with BgpPeers and SipBalancers, and which node this is; null: a cluster's come with the proof. */
  readonly manifests: { readonly directory: string; readonly name: string } | null
}

export interface AnnouncerConfig {
  /** The unix socket where the balancer proves itself. */
  readonly socket: string
  /** Networks of which addresses may be held; null: of all. */
  readonly pools: readonly string[] | null
  readonly interface: string
  /** The program that changes addresses. */
  readonly ip: string
  /** Null: addresses are held, and announced to nobody. */
  readonly bird: BirdConfig | null
  /** Where to serve metrics and health; null: nowhere. */
  readonly metrics: HostPort | null
}

export type AnnouncerCommand =
  | { readonly kind: 'announce'; readonly config: AnnouncerConfig }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

export const USAGE = `usage: announcer/main.ts --socket PATH | --directory DIR --name NAME
               [--address-pool CIDR]... [--interface NAME] [--ip PATH] [--metrics HOST:PORT]
               [--bird-config FILE --bird-socket PATH [--passwords DIR]]`

const OPTIONS: Readonly<Record<string, Takes>> = {
  '--socket': Takes.one,
  '--directory': Takes.one,
  '--name': Takes.one,
  '--address-pool': Takes.many,
  '--interface': Takes.one,
  '--ip': Takes.one,
  '--metrics': Takes.one,
  '--bird-config': Takes.one,
  '--bird-socket': Takes.one,
  '--passwords': Takes.one,
}

/** @param argv what follows the program's name */
export function parseAnnouncerCommand(argv: readonly string[]): AnnouncerCommand {
  try {
    if (argv.includes('--help')) return { kind: 'help' }
    return { kind: 'announce', config: announcerConfig(argv) }
  } catch (error) {
    // Only our own complaints become usage errors; anything else is a mistake in this file.
    if (error instanceof UsageError) return { kind: 'wrong', message: error.message }
    throw error
  }
}

function announcerConfig(argv: readonly string[]): AnnouncerConfig {
  const { values, rest } = readOptions(argv, OPTIONS)
  if (rest.length > 0) throw new UsageError(`unexpected argument '${rest[0]}'`)
  const directory = single(values, '--directory')
  if ((directory === null) === (single(values, '--socket') === null)) {
    throw new UsageError('either --socket PATH or --directory DIR --name NAME is needed')
  }
  const socket =
    directory === null
      ? required(values, '--socket')
      : proofSocketPath(`${directory}/state/${required(values, '--name')}`)
  const device = single(values, '--interface') ?? 'lo'
  if (!/^[a-z0-9._-]+$/i.test(device) || device.length > INTERFACE_LENGTH_MAX) {
    const bound = `${INTERFACE_LENGTH_MAX} characters: ours is its label`
    throw new UsageError(`--interface '${device}' is no name of at most ${bound}`)
  }
  const metrics = single(values, '--metrics')
  return {
    socket,
    // Who writes the directory is trusted; who may create a SipProxy in a cluster is not (design 3).
    pools: values.get('--address-pool')?.map(pool) ?? (directory === null ? [] : null),
    interface: device,
    ip: single(values, '--ip') ?? 'ip',
    bird: birdConfig(values, directory),
    metrics: metrics === null ? null : hostPort('--metrics', metrics),
  }
}

function birdConfig(values: Options['values'], directory: string | null): BirdConfig | null {
  const [file, socket, passwords] = ['--bird-config', '--bird-socket', '--passwords'].map(
    (option) => single(values, option),
  )
  if (!file && !socket) {
    if (passwords) throw new UsageError('--passwords needs --bird-config and --bird-socket')
    return null
  }
  if (!file || !socket) throw new UsageError('--bird-config and --bird-socket go together')
  if (Buffer.byteLength(socket) > SOCKET_BYTES_MAX) {
    throw new UsageError(`--bird-socket is longer than ${SOCKET_BYTES_MAX} bytes`)
  }
  // BIRD's language has no escapes.
  if (!/^[ !#-~]+$/.test(file)) throw new UsageError(`--bird-config '${file}' has odd characters`)
  const name = single(values, '--name') ?? ''
  return {
    file,
    socket,
    passwords: passwords || (directory === null ? null : `${directory}/secrets`),
    manifests: directory === null ? null : { directory, name },
  }
}

function pool(cidr: string): string {
  if (parseNetwork(cidr) === null) throw new UsageError(`--address-pool '${cidr}' is no network`)
  return cidr
}
