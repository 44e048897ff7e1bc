/** Starts the lab's own reference registrar (lab/registrar) and waits until it answers OPTIONS. */
import { fileURLToPath } from 'node:url'
import { type Process, startProcess } from '../process/process.ts'
import { formatEndpoint } from '../sip/uri.ts'
import type { RegistrarOptions } from './registrar.ts'
import { untilAnswered } from './sip-ready.ts'

const MAIN = fileURLToPath(new URL('../registrar/main.ts', import.meta.url))

export async function startReferenceRegistrar(options: RegistrarOptions): Promise<Process> {
  const settled = new AbortController()
  try {
    return await startProcess({
      name: options.name,
      command: process.execPath,
      args: [MAIN, ...commandLine(options)],
      // Not on the command line, where everybody can read them.
      env: {
        SIPCAST_LAB_NONCE_SECRET: options.secrets.nonceSecret,
        SIPCAST_LAB_PASSWORD_SECRET: options.secrets.passwordSecret,
        ...(options.users === undefined
          ? {}
          : { SIPCAST_LAB_USERS: JSON.stringify(options.users) }),
      },
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
      ready: async () => {
        await Promise.all(
          options.listen.map((endpoint) =>
            untilAnswered(endpoint, settled.signal, options.namespace),
          ),
        )
      },
    })
  } finally {
    settled.abort()
  }
}

function commandLine(options: RegistrarOptions): string[] {
  const args = ['--name', options.name, '--realm', options.secrets.realm]
  for (const endpoint of options.listen) args.push('--listen', formatEndpoint(endpoint))
  args.push('--shared', formatEndpoint(options.shared))
  if (options.gateway !== undefined) args.push('--gateway', formatEndpoint(options.gateway))
  for (const [user, target] of Object.entries(options.forwards ?? {})) {
    args.push('--forward', `${user}=${target}`)
  }
  for (const host of options.replyToShared ?? []) args.push('--reply-to-via', host)
  if (options.pingIntervalSeconds !== undefined) {
    args.push('--ping-interval', String(options.pingIntervalSeconds))
  }
  if (options.expiresMinSeconds !== undefined) {
    args.push('--expires-min', String(options.expiresMinSeconds))
  }
  return args
}
