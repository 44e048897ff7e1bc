/**
 * How the API server is reached and who we are: from the files that kubelet puts into a pod. From a kubeconfig:
 * kubeconfig.ts.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TOKEN_AGE_MS_MAX } from './limits.ts'

export interface Tls {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export interface Access {
  /** `https://HOST:PORT`, perhaps with a path before all others. */
  readonly server: string
  readonly tls: Tls
  /** What proves who we are, as of now: tokens rotate. @throws KubeConfigError */
  headers(): Promise<Readonly<Record<string, string>>>
  /** The server refused those headers: forget what is remembered. */
  renew?(): void
}

/** No way to the API server follows from the files and variables at hand; the message says what is missing. */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError'
}

export interface InClusterOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly directory?: string
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** @throws KubeConfigError outside a pod, or in one without a service account token */
export async function inClusterAccess(options: InClusterOptions = {}): Promise<Access> {
  const { environment = process.env, directory = SERVICE_ACCOUNT } = options
  const host = environment['KUBERNETES_SERVICE_HOST']
  const port = environment['KUBERNETES_SERVICE_PORT']
  if (!host || !port) {
    throw new KubeConfigError(
      'not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set (outside a cluster, use --kubeconfig)',
    )
  }
  const token = tokenReader(join(directory, 'token'), options.nowMs ?? (() => performance.now()))
  const ca = await read(join(directory, 'ca.crt'))
  await token.read()
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: { ca },
    headers: async () => ({ authorization: `Bearer ${await token.read()}` }),
    renew: () => token.forget(),
  }
}

/** The token file's content, read anew when older than TOKEN_AGE_MS_MAX; an old one is better than none. */
function tokenReader(path: string, nowMs: () => number) {
  let token = ''
  let readAtMs = Number.NEGATIVE_INFINITY
  return {
    async read(): Promise<string> {
      if (token !== '' && nowMs() - readAtMs < TOKEN_AGE_MS_MAX) return token
      try {
        token = (await read(path)).trim()
        readAtMs = nowMs()
      } catch (error) {
        if (token === '') throw error
      }
      return token
    },
    forget() {
      readAtMs = Number.NEGATIVE_INFINITY
    },
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const { message } = cause as Error
    throw new KubeConfigError(`the pod's service account cannot be read: ${message}`, { cause })
  }
}
