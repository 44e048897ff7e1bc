/**
 * FRR as a router of the lab: zebra, bfdd and bgpd in a network namespace, started by root and run as FRR's own user,
 * with their files in a directory of this router's, configured as the distribution's service does it: `vtysh -b`.
 * Not here: configurations. Needs root.
 */
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Process, startProcess } from '../process/process.ts'
import { run } from './shell.ts'

export interface FrrOptions {
  readonly name: string
  readonly namespace: string
  /** An integrated configuration: all daemons' in one. */
  readonly config: string
}

const PROGRAMS = '/usr/lib/frr'
const USER = 'frr'
/** zebra first: the others are its clients. */
const DAEMONS = ['zebra', 'bfdd', 'bgpd'] as const
type Daemon = (typeof DAEMONS)[number]

export class Frr {
  readonly #options: FrrOptions
  readonly #directory: string
  readonly #daemons: Process[] = []

  static async start(options: FrrOptions): Promise<Frr> {
    const frr = new Frr(options, await mkdtemp(join(tmpdir(), 'sipcast-frr-')))
    try {
      await frr.#prepare()
      for (const daemon of DAEMONS) frr.#daemons.push(await frr.#launch(daemon))
      await frr.vtysh('-b')
      return frr
    } catch (error) {
      await frr.stop()
      throw error
    }
  }

  constructor(options: FrrOptions, directory: string) {
    this.#options = options
    this.#directory = directory
  }

  get pids(): readonly number[] {
    return this.#daemons.map(({ pid }) => pid)
  }

  /** What FRR's shell answers; rejects with its words if it refuses. */
  async vtysh(...args: string[]): Promise<string> {
    const shell = ['vtysh', '--vty_socket', this.#directory, '--config_dir', this.#directory]
    return await run('ip', ['netns', 'exec', this.#options.namespace, ...shell, ...args])
  }

  async show<T>(what: string): Promise<T> {
    return JSON.parse(await this.vtysh('-c', `show ${what} json`)) as T
  }

  /** In order: killed, its programs leave folders in /var/tmp. */
  async stop(): Promise<void> {
    for (const daemon of this.#daemons.toReversed()) await daemon.stop()
    await rm(this.#directory, { recursive: true })
  }

  async #prepare(): Promise<void> {
    for (const [file, text] of [
      ['frr.conf', this.#options.config],
      ['vtysh.conf', 'service integrated-vtysh-config\n'],
      // Without one of its own, a daemon reads what the machine has.
      ['none.conf', ''],
    ] as const) {
      await writeFile(join(this.#directory, file), text)
    }
    const [user, group] = await Promise.all(['-u', '-g'].map((kind) => run('id', [kind, USER])))
    await chmod(this.#directory, 0o755)
    await chown(this.#directory, Number(user), Number(group))
  }

  async #launch(daemon: Daemon): Promise<Process> {
    const at = (file: string): string => join(this.#directory, file)
    const paths = {
      '--config_file': at('none.conf'),
      '--pid_file': at(`${daemon}.pid`),
      '--socket': at('zserv.api'),
      '--vty_socket': this.#directory,
      ...(daemon === 'bfdd' ? { '--bfdctl': at('bfdd.sock') } : {}),
    }
    const rights = ['--user', USER, '--group', USER]
    const words = ['--vty_port', '0', '--log', 'stdout', '--log-level', 'informational']
    return await startProcess({
      name: `${this.#options.name}-${daemon}`,
      namespace: this.#options.namespace,
      command: join(PROGRAMS, daemon),
      args: [...Object.entries(paths).flat(), ...rights, ...words],
      ready: async ({ log }) => void (await log.until(/ starting: /)),
    })
  }
}
