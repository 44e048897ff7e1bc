/** kubectl on one cluster: its own output, or its JSON. Not here: what is asked for. */
import { run } from './program.ts'

export interface KubectlOptions {
  readonly context: string
  readonly kubeconfig?: string
}

export class Kubectl {
  /** The words that name the cluster on a command line, for kubectl; helm takes them by `forHelm`. */
  readonly access: readonly string[]
  readonly forHelm: readonly string[]
  readonly kubeconfig: string | undefined

  constructor({ context, kubeconfig }: KubectlOptions) {
    const file = kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]
    this.kubeconfig = kubeconfig
    this.access = [...file, '--context', context]
    this.forHelm = [...file, '--kube-context', context]
  }

  /** What kubectl printed. @throws ProgramError with its words */
  async run(...args: readonly string[]): Promise<string> {
    return await run('kubectl', [...this.access, ...args])
  }

  /** One object, or a list. */
  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run(...args, '-o', 'json')) as T
  }

  /** The items of a list. */
  async list<T>(...args: readonly string[]): Promise<T[]> {
    return (await this.json<{ items: T[] }>('get', ...args)).items
  }

  /** Objects, or manifests as text. */
  async apply(manifest: string | object, ...args: readonly string[]): Promise<string> {
    const input = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
    return await run('kubectl', [...this.access, 'apply', ...args, '-f', '-'], { input })
  }
}
