/** Starts a balancer on a directory. */
import { fileURLToPath } from 'node:url'
import { startProcess } from '../process/process.ts'
import { type Endpoint, formatEndpoint } from '../sip/uri.ts'
import { type LabDirectory, eventually } from './directory.ts'
import { Part } from './part.ts'

const MAIN = fileURLToPath(new URL('../../dataplane/main.ts', import.meta.url))

export interface BalancerOptions {
  readonly directory: LabDirectory
  readonly name: string
  /** One per IP version. */
  readonly inside: readonly Endpoint[]
  /** Serve only these addresses. */
  readonly addresses?: readonly string[]
  readonly stateDirectory?: string
  readonly workers?: number
  readonly metrics?: string
  /** How long it serves on when it is told to end. */
  readonly drainSeconds?: number
  readonly namespace?: string
}

/** Ready when it has reported itself; whether it serves, its report says (`untilServing`). */
export async function startBalancer(options: BalancerOptions): Promise<Part> {
  const { directory, name, namespace } = options
  return await Part.start(name, async () => {
    const startedAtMs = Date.now()
    const reported = async () => {
      const report = await directory.balancer(name)
      return report !== null && Date.parse(report.heartbeatAt) >= startedAtMs
    }
    return await startProcess({
      name,
      command: process.execPath,
      args: [MAIN, ...commandLine(options)],
      ...(namespace === undefined ? {} : { namespace }),
      ready: async () => void (await eventually(`a report of ${name}`, reported)),
    })
  })
}

/** Waits until these balancers use the newest table of the SipProxy, at all of their addresses. */
export async function untilServing(
  directory: LabDirectory,
  sipProxy: string,
  names: readonly string[],
): Promise<void> {
  await eventually(`${names.join(', ')} serving ${sipProxy}`, async () => {
    const table = await directory.table(sipProxy)
    const reports = await Promise.all(names.map((name) => directory.balancer(name)))
    return reports.every((report) => {
      const served = report?.sipProxies.find(({ name }) => name === sipProxy)
      if (table === null || served === undefined) return false
      const isBound =
        served.addresses.length > 0 && served.addresses.every(({ state }) => state === 'Bound')
      return isBound && served.uid === table.uid && served.epoch === table.epoch
    })
  })
}

function commandLine(options: BalancerOptions): string[] {
  const args = ['--directory', options.directory.path, '--name', options.name]
  for (const endpoint of options.inside) args.push('--inside', formatEndpoint(endpoint))
  for (const address of options.addresses ?? []) args.push('--address', address)
  if (options.stateDirectory !== undefined) args.push('--state', options.stateDirectory)
  if (options.workers !== undefined) args.push('--workers', String(options.workers))
  if (options.drainSeconds !== undefined) args.push('--drain', String(options.drainSeconds))
  if (options.metrics !== undefined) args.push('--metrics', options.metrics)
  return args
}
