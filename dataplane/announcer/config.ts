/**
 * The announcer's command line, read once. Not here: reading environment or files. Invariant: what is returned
 * needs no second look; whatever is wrong with the arguments is one sentence.
 */

import {
  hostPort,
  type HostPort,
  readOptions,
  required,
  single,
  Takes,
  UsageError,
} from '../options.ts'
import { isNetwork } from '../networks.ts'
import { proofSocketPath } from '../config.ts'
import { INTERFACE_LENGTH_MAX } from './limits.ts'

export interface AnnouncerConfig {
  /** The unix socket where the balancer proves itself. */
  readonly socket: string
  /** Networks of which addresses may be held; null: of all. */
  readonly pools: readonly string[] | null
  readonly interface: string
  /** The program that changes addresses. */
  readonly ip: string
  /** Where to serve metrics and health; null: nowhere. */
  readonly metrics: HostPort | null
}

export type AnnouncerCommand =
  | { readonly kind: 'announce'; readonly config: AnnouncerConfig }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

export const USAGE = `usage: announcer/main.ts --socket PATH | --directory DIR --name NAME
               [--address-pool CIDR]... [--interface NAME] [--ip PATH] [--metrics HOST:PORT]`

const OPTIONS: Readonly<Record<string, Takes>> = {
  '--socket': Takes.one,
  '--directory': Takes.one,
  '--name': Takes.one,
  '--address-pool': Takes.many,
  '--interface': Takes.one,
  '--ip': Takes.one,
  '--metrics': Takes.one,
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
    metrics: metrics === null ? null : hostPort('--metrics', metrics),
  }
}

function pool(cidr: string): string {
  if (!isNetwork(cidr)) throw new UsageError(`--address-pool '${cidr}' is no network`)
  return cidr
}
