/**
 * The operator's command line, resolved once. Not here: reading it (main.ts) and what a SipProxy says (crds).
 * Invariant: a Config that came out of `parseConfig` needs no further check of its form.
 */
import { isIP } from 'node:net'
import { parseArgs } from 'node:util'

export const USAGE = `usage: node operator/main.ts --directory DIR [--metrics HOST:PORT]
       node operator/main.ts --kubernetes [--kubeconfig FILE] --namespace NAMESPACE [--lease NAME]
            [--identity ID] [--address-pools FILE] [--metrics HOST:PORT]`

export interface Config {
  readonly place: DirectoryPlace | KubernetesPlace
  /** Where /metrics, /healthz and /readyz are served; null = nowhere. */
  readonly metrics: ListenAddress | null
}

/** One machine, no cluster. */
export interface DirectoryPlace {
  readonly kind: 'directory'
  /** Where manifests are read, and tables, status and keys are written. */
  readonly directory: string
}

export interface KubernetesPlace {
  readonly kind: 'kubernetes'
  /** Null: this is a pod of the cluster. */
  readonly kubeconfig: string | null
  /** Where tables, keys and the lease live. */
  readonly namespace: string
  readonly lease: string
  /** Of this process among all that contend for the lease; null: of this machine's name. */
  readonly identity: string | null
  /** Which namespaces may have which addresses; null: nobody any. */
  readonly addressPools: string | null
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

const DEFAULT_LEASE = 'sipcast-operator'
const OF_KUBERNETES = ['kubeconfig', 'namespace', 'lease', 'identity', 'address-pools'] as const
const DNS_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

export function parseConfig(args: readonly string[]): Config {
  const values = parseOptions(args)
  return {
    place: values.kubernetes === true ? kubernetesPlace(values) : directoryPlace(values),
    metrics: values.metrics === undefined ? null : parseListenAddress(values.metrics),
  }
}

type Options = ReturnType<typeof parseOptions>

function directoryPlace(values: Options): DirectoryPlace {
  const { directory = '' } = values
  if (directory === '') throw new UsageError('--directory DIR is missing (or --kubernetes)')
  const foreign = OF_KUBERNETES.find((name) => values[name] !== undefined)
  if (foreign !== undefined) throw new UsageError(`--${foreign} goes with --kubernetes only`)
  return { kind: 'directory', directory }
}

function kubernetesPlace(values: Options): KubernetesPlace {
  if (values.directory !== undefined) {
    throw new UsageError('--directory and --kubernetes exclude each other')
  }
  if (values.namespace === undefined) throw new UsageError('--namespace NAMESPACE is missing')
  const { kubeconfig = null, namespace, lease = DEFAULT_LEASE, identity = null } = values
  for (const [option, name] of Object.entries({ namespace, lease })) {
    if (!DNS_NAME.test(name)) throw new UsageError(`--${option} ${name} is no Kubernetes name`)
  }
  if (identity === '') throw new UsageError('--identity is empty')
  const addressPools = values['address-pools'] ?? null
  return { kind: 'kubernetes', kubeconfig, namespace, lease, identity, addressPools }
}

function parseOptions(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        directory: text,
        kubernetes: { type: 'boolean' },
        kubeconfig: text,
        namespace: text,
        lease: text,
        identity: text,
        'address-pools': text,
        metrics: text,
      },
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
