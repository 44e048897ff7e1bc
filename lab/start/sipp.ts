/**
 * SIPp as a crowd of callers: real calls at a steady rate, by the scenario lab/sipp/call.xml.
 * Not here: who is called; that is a registered phone.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '../process/process.ts'
import { type Endpoint, formatEndpoint } from '../sip/uri.ts'
import { DOMAIN } from './lab.ts'

const SCENARIO = fileURLToPath(new URL('../sipp/call.xml', import.meta.url))

/** SIPp waits for ever for a final answer once it has a provisional one. */
const RECEIVE_TIMEOUT_MS = '35000'

export interface CallersOptions {
  /** The callers' own address. */
  readonly address: string
  readonly namespace?: string
  readonly target: Endpoint
  readonly callee: string
  /** Of caller and callee; the lab's own by default. */
  readonly domain?: string
  /** Who calls, in turn. */
  readonly callers: readonly { readonly user: string; readonly password: string }[]
  readonly calls: number
  readonly callsPerSecond: number
  /** Each call from a port of its own, so that routers spread them. */
  readonly hasPortPerCall?: boolean
}

export interface CallersResult {
  readonly succeeded: number
  readonly failed: number
  readonly retransmissions: number
}

/** Makes the calls and counts what became of them. Every call ends within SIPp's own timers, so this does too. */
export async function makeCalls(options: CallersOptions): Promise<CallersResult> {
  const directory = await mkdtemp(join(tmpdir(), 'sipcast-sipp-'))
  try {
    // SIPp takes no field inside `[authentication …]`, but the whole of it as a field.
    const users = options.callers.map(
      ({ user, password }) => `${user};[authentication username=${user} password=${password}]`,
    )
    await writeFile(join(directory, 'users.csv'), ['SEQUENTIAL', ...users, ''].join('\n'))
    const process = await startProcess({
      name: 'sipp',
      command: 'sipp',
      args: commandLine(options, directory),
      cwd: directory,
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    })
    const { code } = await process.exited
    // 0: all calls succeeded, 1: some did not; anything else is no result.
    if (code !== 0 && code !== 1) throw new Error(process.describe(`ended (${code})`))
    return readStatistics(await readFile(join(directory, 'statistics.csv'), 'utf8'))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function commandLine(options: CallersOptions, directory: string): string[] {
  const { target, callee, domain = DOMAIN, address, calls, callsPerSecond } = options
  const sockets = options.hasPortPerCall === true ? ['-t', 'un', '-max_socket', '1000'] : []
  const files = ['-inf', join(directory, 'users.csv'), '-stf', join(directory, 'statistics.csv')]
  const load = ['-m', String(calls), '-r', String(callsPerSecond)]
  const scenario = ['-sf', SCENARIO, '-s', callee, '-key', 'domain', domain, '-i', address]
  const manner = [
    '-trace_stat',
    '-fd',
    '1',
    '-nostdin',
    '-timeout',
    '60s',
    '-recv_timeout',
    RECEIVE_TIMEOUT_MS,
  ]
  return [formatEndpoint(target), ...sockets, ...scenario, ...files, ...load, ...manner]
}

/** The last line holds the totals; columns are found by their titles. */
function readStatistics(csv: string): CallersResult {
  const lines = csv.trim().split('\n')
  const titles = lines[0]?.split(';') ?? []
  const totals = lines.at(-1)?.split(';') ?? []
  const total = (title: string) => {
    const value = Number(totals[titles.indexOf(title)])
    if (!Number.isInteger(value)) throw new Error(`SIPp counted no ${title}`)
    return value
  }
  return {
    succeeded: total('SuccessfulCall(C)'),
    failed: total('FailedCall(C)'),
    retransmissions: total('Retransmissions(C)'),
  }
}
