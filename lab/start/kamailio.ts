/**
 * Starts a real Kamailio by the product's recipe (lab/kamailio/kamailio.cfg): writes the file of parameters
 * that includes it and waits until it answers OPTIONS. Memory is kept small: a lab has many.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Process, startProcess } from '../process/process.ts'
import { formatEndpoint } from '../sip/uri.ts'
import type { RegistrarOptions } from './registrar.ts'
import { untilAnswered } from './sip-ready.ts'

const RECIPE = fileURLToPath(new URL('../kamailio/kamailio.cfg', import.meta.url))
const PLACES = ['/usr/sbin/kamailio', '/usr/local/sbin/kamailio']

/** Where Kamailio is, or null. */
export function findKamailio(): string | null {
  return PLACES.find((path) => existsSync(path)) ?? null
}

export async function startKamailio(options: RegistrarOptions): Promise<Process> {
  const command = findKamailio()
  if (command === null) throw new Error(`no Kamailio here (looked for ${PLACES.join(', ')})`)
  await mkdir(options.directory, { recursive: true })
  const file = join(options.directory, `${options.name}.cfg`)
  // The file holds the pool's secrets.
  await writeFile(file, parameterFile(options), { mode: 0o600 })
  const listen = options.listen.flatMap((endpoint) => ['-l', `udp:${formatEndpoint(endpoint)}`])
  const settled = new AbortController()
  try {
    return await startProcess({
      name: options.name,
      command,
      args: ['-DD', '-E', '-f', file, '-m', '128', '-M', '4', ...listen],
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

/** Asks a running Kamailio something (`ul.dump`, `stats.get_statistics all`, `htable.sets forward bob s:carol`). */
export async function kamailioControl(
  options: RegistrarOptions,
  ...command: string[]
): Promise<string> {
  const { stdout } = await promisify(execFile)('kamcmd', ['-s', controlSocket(options), ...command])
  return stdout
}

function parameterFile(options: RegistrarOptions): string {
  const { realm, nonceSecret, passwordSecret } = options.secrets
  const defines: Record<string, string> = {
    NAME_HEADER: quoted(`Server: ${options.name}`),
    TRACE_HEADER: quoted(`X-Proxy: ${options.name}\\r\\n`),
    REALM: quoted(realm),
    NONCE_SECRET: quoted(nonceSecret),
    SHARED: quoted(`sip:${formatEndpoint(options.shared)}`),
    CHILDREN: '2',
    EXPIRES_MIN: String(options.expiresMinSeconds ?? 10),
    CONTROL: quoted(controlSocket(options)),
  }
  if (options.users === undefined) defines['PASSWORD_SECRET'] = quoted(passwordSecret)
  if (options.gateway !== undefined)
    defines['GATEWAY'] = quoted(`sip:${formatEndpoint(options.gateway)}`)
  if (options.replyToShared !== undefined) {
    defines['SHARED_HOSTS'] = quoted(hostPattern(options.replyToShared))
  }
  if (options.pingIntervalSeconds !== undefined) {
    defines['PING_INTERVAL'] = String(options.pingIntervalSeconds)
    defines['PING_FROM'] = quoted(`sip:ping@${realm}`)
  }
  const entries = (table: string, rows: Readonly<Record<string, string>> = {}) =>
    Object.entries(rows).map(([user, value]) => `\t$sht(${table}=>${user}) = "${value}";`)
  return [
    ...Object.entries(defines).map(([name, value]) => `#!define ${name} ${value}`.trimEnd()),
    `include_file "${RECIPE}"`,
    'event_route[htable:mod-init] {',
    ...entries('users', options.users),
    ...entries('forward', options.forwards),
    '\treturn;',
    '}',
    '',
  ].join('\n')
}

/** Dots match themselves only; IPv6 hosts stand in brackets in a Via. */
function hostPattern(hosts: readonly string[]): string {
  const patterns = hosts.map((host) =>
    host.includes(':') ? `[[]${host}[]]` : host.replaceAll('.', '[.]'),
  )
  return `^(${patterns.join('|')})$`
}

function controlSocket(options: RegistrarOptions): string {
  return `unix:${join(options.directory, `${options.name}.ctl`)}`
}

function quoted(text: string): string {
  return `"${text}"`
}
