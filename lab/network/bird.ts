/**
 * BIRD as a process of the lab, in a network namespace, with the rights that it has in the product: nobody's, plus
 * NET_BIND_SERVICE and NET_RAW; a router of the lab gets NET_ADMIN too, for the routes it gives to its kernel. Not
 * here: configurations.
 */
import { type Process, startProcess } from '../process/process.ts'
import { Part } from '../start/part.ts'

export interface BirdOptions {
  readonly name: string
  readonly namespace: string
  /** Readable to everybody, in a directory that everybody may write to: BIRD is nobody. */
  readonly configPath: string
  readonly socketPath: string
  /** Routes go to the kernel. */
  readonly isRouter?: boolean
}

const NOBODY = '65534'

export async function startBird(options: BirdOptions): Promise<Part> {
  return await Part.start(options.name, () => launch(options))
}

async function launch(options: BirdOptions): Promise<Process> {
  const { name, namespace, configPath, socketPath, isRouter = false } = options
  const rights = `-all,+net_bind_service,+net_raw${isRouter ? ',+net_admin' : ''}`
  const user = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', '--no-new-privs']
  const capabilities = ['--inh-caps', rights, '--ambient-caps', rights, '--bounding-set', rights]
  const bird = ['bird', '-f', '-c', configPath, '-s', socketPath]
  return await startProcess({
    name,
    namespace,
    command: 'setpriv',
    args: [...user, ...capabilities, ...bird],
    ready: async ({ log }) => void (await log.until(/ Started$/)),
  })
}
