/** Starts an announcer on a directory. */
import { fileURLToPath } from 'node:url'
import { startProcess } from '../process/process.ts'
import type { LabDirectory } from './directory.ts'
import { Part } from './part.ts'

const MAIN = fileURLToPath(new URL('../../dataplane/announcer/main.ts', import.meta.url))

export interface AnnouncerOptions {
  readonly directory: LabDirectory
  /** That of the balancer beside it. */
  readonly name: string
  readonly namespace: string
  readonly pools: readonly string[]
  /** Of its BIRD; absent: it holds addresses and announces none. */
  readonly bird?: { readonly configPath: string; readonly socketPath: string }
}

export async function startAnnouncer(options: AnnouncerOptions): Promise<Part> {
  const { name, namespace } = options
  return await Part.start(`announcer of ${name}`, () =>
    startProcess({
      name: `announcer of ${name}`,
      namespace,
      command: process.execPath,
      args: [MAIN, ...commandLine(options)],
      ready: async ({ log }) => void (await log.until(/"Started"/)),
    }),
  )
}

function commandLine({ directory, name, pools, bird }: AnnouncerOptions): string[] {
  const args = ['--directory', directory.path, '--name', name]
  for (const pool of pools) args.push('--address-pool', pool)
  if (bird !== undefined) {
    args.push('--bird-config', bird.configPath, '--bird-socket', bird.socketPath)
  }
  return args
}
