/**
 * Access by a kubeconfig, with all the ways to authenticate that client-node knows. A file of its own, loaded only
 * where a kubeconfig is used: client-node costs 80 MiB of memory.
 */
import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { type Access, KubeConfigError, type Tls } from './access.ts'
import { TOKEN_AGE_MS_MAX } from './limits.ts'

/** @throws KubeConfigError where the file cannot be read or names no server */
export async function readKubeconfig(path: string): Promise<Access> {
  const config = new KubeConfig()
  try {
    config.loadFromFile(path)
  } catch (cause) {
    const { message } = cause as Error
    throw new KubeConfigError(`kubeconfig ${path} cannot be read: ${message}`, { cause })
  }
  const cluster = config.getCurrentCluster()
  if (!cluster)
    throw new KubeConfigError(`kubeconfig ${path} has no current context with a cluster`)
  return {
    server: cluster.server.replace(/\/+$/, ''),
    tls: tlsOf(await optionsOf(config, path)),
    ...credentialsOf(config, path),
  }
}

/** Kept for TOKEN_AGE_MS_MAX: some come from files, some from programs. */
function credentialsOf(config: KubeConfig, path: string): Pick<Access, 'headers' | 'renew'> {
  let kept: Promise<Record<string, string>> | null = null
  let keptAtMs = 0
  const renew = () => {
    kept = null
  }
  return {
    headers() {
      if (kept !== null && performance.now() - keptAtMs < TOKEN_AGE_MS_MAX) return kept
      keptAtMs = performance.now()
      kept = optionsOf(config, path).then(headersOf)
      kept.catch(renew)
      return kept
    },
    renew,
  }
}

async function optionsOf(config: KubeConfig, path: string): Promise<RequestOptions> {
  const options: RequestOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
  } catch (cause) {
    const { message } = cause as Error
    throw new KubeConfigError(`kubeconfig ${path} gives no credentials: ${message}`, { cause })
  }
  return options
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Tls {
  const tls = { ca, cert, key, servername, rejectUnauthorized }
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value != null)) as Tls
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const texts = Object.entries(headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    String(value),
  ])
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  return { ...basic, ...Object.fromEntries(texts) }
}
