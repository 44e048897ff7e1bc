/**
 * The operator's command line, resolved once. Not here: reading it (main.ts) and what a SipProxy says (crds).
 * Invariant: a Config that came out of `parseConfig` needs no further check of its form.
 */
import { isIP } from 'node:net'
import { parseArgs } from 'node:util'

export const USAGE = 'usage: node operator/main.ts --directory DIR [--metrics HOST:PORT]'

export interface Config {
  /** Where manifests are read, and tables, status and keys are written. */
  readonly directory: string
  /** Where /metrics, /healthz and /readyz are served; null = nowhere. */
  readonly metrics: ListenAddress | null
}

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** A command line that cannot be meant; its message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'USAGE'
}

export function parseConfig(args: readonly string[]): Config {
  const values = parseOptions(args)
  if (values.directory === undefined || values.directory === '') {
    throw new UsageError('--directory DIR is missing')
  }
  return {
    directory: values.directory,
    metrics: values.metrics === undefined ? null : parseListenAddress(values.metrics),
  }
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { directory: { type: 'string' }, metrics: { type: 'string' } },
      strict: true,
    }).values
  } catch (cause) {
    // parseArgs throws for what a person typed wrong, and says it in one sentence.
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3] ?? Number.NaN)
  const known = host === '' || host === 'localhost' || isIP(host) !== 0
  if (match === null || !known || port > 65535) {
    throw new UsageError(
      `--metrics ${text} is not HOST:PORT (such as 127.0.0.1:9090 or [::1]:9090)`,
    )
  }
  return { host: host === '' ? '0.0.0.0' : host, port }
}
