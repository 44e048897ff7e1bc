/** Starts the operator on a directory. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '../process/process.ts'
import { type LabDirectory, eventually } from './directory.ts'
import { Part } from './part.ts'

const MAIN = fileURLToPath(new URL('../../operator/main.ts', import.meta.url))

export interface OperatorOptions {
  readonly directory: LabDirectory
  /** HOST:PORT for metrics and health. */
  readonly metrics?: string
  readonly namespace?: string
}

/** Ready when it has made the keys, which is its first act; tables follow when it has probed. */
export async function startOperator(options: OperatorOptions): Promise<Part> {
  const { directory, metrics, namespace } = options
  const keys = () =>
    access(join(directory.path, 'keys.json')).then(
      () => true,
      () => false,
    )
  const args = [
    MAIN,
    '--directory',
    directory.path,
    ...(metrics === undefined ? [] : ['--metrics', metrics]),
  ]
  return await Part.start('operator', () =>
    startProcess({
      name: 'operator',
      command: process.execPath,
      args,
      ...(namespace === undefined ? {} : { namespace }),
      ready: async () => void (await eventually('keys.json', keys)),
    }),
  )
}
