/**
 * One child process of the lab: started, watched until it is ready, frozen and thawed, and ended without leaving
 * anything behind. Not here: what the programs are and when they count as ready (start-*.ts).
 *
 * Invariants: every child is the leader of its own process group and signals go to the group, because Kamailio is a
 * family of processes and freezing its first one freezes nothing; every group is known to the guard, so that it ends
 * with us even if we end by SIGKILL; what it prints is kept up to a bound and never blocks it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { guard } from './guard.ts'
import { OutputLog } from './output-log.ts'

export interface ProcessOptions {
  /** What log lines and errors call it. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Network namespace to run it in (`ip netns exec`); needs root. */
  readonly namespace?: string
  /** Resolves once the program does its job; the start fails if it exits or takes too long before that. */
  readonly ready?: (process: Process) => Promise<void>
  readonly readyTimeoutMs?: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class ProcessError extends Error {
  readonly code: 'EARLY_EXIT' | 'NOT_READY' | 'NOT_STARTED'
  constructor(code: ProcessError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ProcessError'
    this.code = code
  }
}

const READY_TIMEOUT_MS = 15_000
const STOP_GRACE_MS = 5_000

/** Starts the program and waits until it is ready. */
export async function startProcess(options: ProcessOptions): Promise<Process> {
  const process = new Process(options)
  await process.spawned()
  if (options.ready === undefined) return process
  const timeout = new AbortController()
  const timeoutMs = options.readyTimeoutMs ?? READY_TIMEOUT_MS
  try {
    await Promise.race([
      options.ready(process),
      process.exited.then((exit) => {
        throw new ProcessError(
          'EARLY_EXIT',
          process.describe(`ended (${exit.code ?? exit.signal})`),
        )
      }),
      sleep(timeoutMs, undefined, { signal: timeout.signal }).then(() => {
        throw new ProcessError('NOT_READY', process.describe(`not ready after ${timeoutMs} ms`))
      }),
    ])
  } catch (error) {
    await process.kill()
    throw error
  } finally {
    timeout.abort()
  }
  return process
}

export class Process {
  readonly name: string
  readonly exited: Promise<Exit>
  readonly log = new OutputLog()
  #child: ChildProcess
  #exit: Exit | null = null
  #frozen = false

  constructor(options: ProcessOptions) {
    this.name = options.name
    const [command, args] = inNamespace(options)
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#exit = { code, signal }
        guard.forgetGroup(this.pid)
        resolve(this.#exit)
      })
    })
    if (this.#child.pid !== undefined) guard.watchGroup(this.#child.pid)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => this.log.append(chunk))
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get running(): boolean {
    return this.pid > 0 && this.#exit === null
  }

  get frozen(): boolean {
    return this.#frozen
  }

  /** Rejects if there is no such program. */
  async spawned(): Promise<void> {
    if (this.#child.pid !== undefined) return
    const [cause] = await once(this.#child, 'error')
    throw new ProcessError('NOT_STARTED', `${this.name}: could not be started`, cause)
  }

  /** SIGTERM, and SIGKILL to what is left of the group after the grace time. */
  async stop(graceMs = STOP_GRACE_MS): Promise<Exit> {
    this.signal('SIGTERM')
    this.thaw()
    const timeout = new AbortController()
    await Promise.race([
      this.exited,
      sleep(graceMs, undefined, { signal: timeout.signal }).catch(() => undefined),
    ])
    timeout.abort()
    return await this.kill()
  }

  /** SIGKILL to the whole group. */
  async kill(): Promise<Exit> {
    if (this.pid === 0) return { code: null, signal: null }
    this.signal('SIGKILL')
    return await this.exited
  }

  freeze(): void {
    this.signal('SIGSTOP')
    this.#frozen = true
  }

  thaw(): void {
    if (this.#frozen) this.signal('SIGCONT')
    this.#frozen = false
  }

  /** To every process of the group; nothing happens if none is left. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid === 0) return
    try {
      process.kill(-this.pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  describe(what: string): string {
    return `${this.name}: ${what}; its last output:\n${this.log.tail(20)}`
  }
}

function inNamespace(options: ProcessOptions): [string, string[]] {
  if (options.namespace === undefined) return [options.command, [...options.args]]
  return ['ip', ['netns', 'exec', options.namespace, options.command, ...options.args]]
}
